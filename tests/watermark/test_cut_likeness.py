"""What is left of a clip after a cut at one side is not taken for another clip."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.watermark.cut_likeness import cut_likeness
from vidigree.watermark.dct_signs import BITS, SIDE, coefficients_of, likely_picture
from vidigree.watermark.fingerprint import Fingerprint, fingerprint_frames, similarity

Frames = list[NDArray[np.uint8]]


def _scene(seed: int, frames: int = 24) -> Frames:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (12, 20, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (320, 192), interpolation=cv2.INTER_CUBIC)
    return [np.roll(picture, 2 * shift, 1) for shift in range(frames)]


def _of(frames: Frames) -> Fingerprint:
    return fingerprint_frames(frames, 24)


WHOLE = _of(_scene(1))


@pytest.mark.parametrize("share", [0.9, 0.75, 0.6, 0.5])
@pytest.mark.parametrize("turned", [False, True], ids=["right", "lower"])
def test_what_a_cut_left_is_alike(share: float, turned: bool) -> None:
    frames = [np.swapaxes(frame, 0, 1) for frame in _scene(1)] if turned else _scene(1)
    left = [f[: round(320 * share)] if turned else f[:, : round(320 * share)] for f in frames]
    part, whole = _of(left), _of(frames)
    assert cut_likeness(part, whole) > 0.36
    assert share > 0.8 or similarity(part, whole) < 0.36


def test_where_the_place_is_unknown_any_end_may_have_been_cut() -> None:
    for start in (60, 120):
        part = _of([frame[:, start : start + 200] for frame in _scene(1)])
        anywhere = cut_likeness(part, WHOLE, anywhere=True)
        assert anywhere > max(0.36, cut_likeness(part, WHOLE) + 0.1)


def test_other_content_is_not_alike() -> None:
    others = [_of(_scene(seed)) for seed in range(2, 14)]
    assert np.median([cut_likeness(other, WHOLE) for other in others]) < 0.22
    assert max(cut_likeness(other, WHOLE, anywhere=True) for other in others) < 0.36


def test_a_likely_picture_has_the_hash_it_was_drawn_from() -> None:
    picture = cv2.cvtColor(_scene(3, 1)[0], cv2.COLOR_RGB2GRAY).astype(np.float32)
    signs = np.packbits(coefficients_of(picture) > 0)
    drawn = likely_picture(signs)
    assert drawn.shape == (SIDE, SIDE)
    assert np.array_equal(np.packbits(coefficients_of(drawn) > 0), signs)
    small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(drawn.ravel(), small.ravel())[0, 1] > 0.4
    assert 8 * len(signs) == BITS
