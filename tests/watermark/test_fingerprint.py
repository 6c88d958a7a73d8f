"""The fingerprint survives what happens to clips, and tells different ones apart."""

from __future__ import annotations

import struct
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidigree.media.errors import UsageError
from vidigree.watermark.fingerprint import (
    BITS,
    VIEWS,
    WHOLES,
    Fingerprint,
    fingerprint_frames,
    is_current,
    similarity,
)

Frames = list[NDArray[np.uint8]]


def _scene(seed: int, frames: int = 48) -> Frames:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (12, 20, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (320, 192), interpolation=cv2.INTER_CUBIC)
    return [np.roll(picture, 2 * shift, 1) for shift in range(frames)]


def _crop(frames: Frames, share: float) -> Frames:
    height, width = frames[0].shape[:2]
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return [frame[top : height - top, left : width - left] for frame in frames]


def _part(frames: Frames, share: float, y: float, x: float) -> Frames:
    height, width = (round(side * share) for side in frames[0].shape[:2])
    top, left = (
        round(frames[0].shape[0] * (1 - share) * y),
        round(frames[0].shape[1] * (1 - share) * x),
    )
    return [frame[top : top + height, left : left + width] for frame in frames]


def _barred(frames: Frames, rows: int, columns: int) -> Frames:
    return [np.pad(frame, ((rows, rows), (columns, columns), (0, 0))) for frame in frames]


def _jpeg(frames: Frames) -> Frames:
    out = []
    for frame in frames:
        _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 15])
        out.append(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8))
    return out


def _half(frames: Frames) -> Frames:
    return [
        cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for frame in frames
    ]


REFERENCE = fingerprint_frames(_scene(1), 24)


@pytest.mark.parametrize(
    ("changed", "fps", "least"),
    [
        (_scene(1), 24, 1.0),
        (_jpeg(_scene(1)), 24, 0.9),
        (_half(_scene(1)), 24, 0.95),
        (_scene(1)[::2], 12, 0.9),
        ([(frame * 0.5).astype(np.uint8) for frame in _scene(1)], 24, 0.9),
        (_crop(_scene(1), 0.9), 24, 0.85),
        (_crop(_scene(1), 0.71), 24, 0.85),
        (_crop(_scene(1), 0.55), 24, 0.85),
        (_part(_scene(1), 0.8, 0.8, 0.2), 24, 0.6),
        (_part(_scene(1), 0.9, 0, 1), 24, 0.6),
        (_barred(_scene(1), 40, 0), 24, 0.9),
        (_barred(_scene(1), 0, 60), 24, 0.9),
        (_scene(1)[12:], 24, 0.9),
    ],
    ids=[
        "same",
        "coded",
        "half-size",
        "half-rate",
        "dark",
        "crop-.9",
        "crop-.71",
        "crop-.55",
        "crop-.8-corner",
        "crop-.9-corner",
        "letterbox",
        "pillarbox",
        "trimmed",
    ],
)
def test_changed_copy_is_alike(changed: Frames, fps: int, least: float) -> None:
    assert similarity(REFERENCE, fingerprint_frames(changed, fps)) >= least


@pytest.mark.parametrize("seed", range(2, 12))
def test_other_content_is_not_alike(seed: int) -> None:
    assert similarity(REFERENCE, fingerprint_frames(_scene(seed), 24)) < 0.45


def test_flat_clip_is_alike_to_nothing() -> None:
    flat = fingerprint_frames([np.full((64, 64, 3), 128, np.uint8)] * 24, 24)
    assert not flat.usable
    assert similarity(flat, flat) == 0.0


def test_empty_stream_has_an_unusable_fingerprint() -> None:
    empty = fingerprint_frames([], 24)
    assert not empty.usable
    assert Fingerprint.from_bytes(empty.to_bytes()).bits.shape[0] == 0


def test_long_clip_is_thinned_and_still_found() -> None:
    picture = _scene(1, 1)[0]
    frames = (np.roll(picture, shift, 1) for shift in range(700))
    long = fingerprint_frames(frames, 2)
    assert len(long.bits) <= 128
    assert long.step == Fraction(4)
    assert len(long.to_bytes()) < 40_000
    part = fingerprint_frames([np.roll(picture, shift, 1) for shift in range(400)], 2)
    assert similarity(long, part) > 0.9


@pytest.mark.parametrize("seconds", [100, 10_000, 3_000_000_000])
def test_frames_that_lie_far_apart_cost_no_more_than_others(seconds: int) -> None:
    far = fingerprint_frames(_scene(1, 3), Fraction(1, seconds))
    assert len(far.bits) <= 128
    assert far.step * 128 > 2 * seconds
    assert far.usable
    assert similarity(far, far) == 1.0


def test_a_clip_too_long_to_be_kept_is_refused() -> None:
    fingerprint = replace(REFERENCE, step=Fraction(0xFFFF, 2))
    assert Fingerprint.from_bytes(fingerprint.to_bytes()).step == fingerprint.step
    with pytest.raises(UsageError, match="too long"):
        replace(REFERENCE, step=Fraction(0x10000, 2)).to_bytes()


def test_similarity_is_symmetric() -> None:
    other = fingerprint_frames(_crop(_scene(1), 0.8), 24)
    assert similarity(REFERENCE, other) == similarity(other, REFERENCE)


def test_bytes_come_back() -> None:
    again = Fingerprint.from_bytes(REFERENCE.to_bytes())
    assert np.array_equal(again.bits, REFERENCE.bits)
    assert np.array_equal(again.structured, REFERENCE.structured)
    assert again.step == REFERENCE.step


def test_what_ledgers_keep_has_another_mark_when_its_views_change() -> None:
    """Of what stands here nothing may change without the first four bytes of a fingerprint."""
    assert VIEWS == (
        (1.0, 0.5, 0.5),
        (1.0, 0.5, 0.5),
        (0.9, 0.5, 0.5),
        (0.8, 0.5, 0.5),
        (0.71, 0.5, 0.5),
        (0.63, 0.5, 0.5),
        (0.55, 0.5, 0.5),
        (0.92, 0.1, 0.1),
        (0.92, 0.1, 0.9),
        (0.92, 0.9, 0.1),
        (0.92, 0.9, 0.9),
        (0.83, 0.1, 0.1),
        (0.83, 0.1, 0.9),
        (0.83, 0.9, 0.1),
        (0.83, 0.9, 0.9),
        (0.71, 0.08, 0.08),
        (0.71, 0.08, 0.92),
        (0.71, 0.92, 0.08),
        (0.71, 0.92, 0.92),
    )
    assert (BITS, WHOLES) == (128, 2)
    data = REFERENCE.to_bytes()
    assert data[:9] == b"VFP2" + bytes([0, 4, 0, 1, 19])  # moments, half seconds, views
    assert data[9:10] == b"\xf0"  # which of them have structure
    assert len(data) == 10 + 4 * 19 * 16


def test_mirrored_clip_is_alike_to_the_mirrored_fingerprint() -> None:
    seen = fingerprint_frames([frame[:, ::-1] for frame in _scene(1)], 24)
    assert similarity(REFERENCE, seen) < 0.45
    assert similarity(REFERENCE.mirrored(), seen) > 0.97
    assert np.array_equal(REFERENCE.mirrored().mirrored().bits, REFERENCE.bits)


def test_bars_on_a_cropped_copy_do_not_hide_it() -> None:
    seen = fingerprint_frames(_barred(_crop(_scene(1), 0.8), 30, 0), 24)
    assert similarity(REFERENCE, seen) > 0.85


def test_crop_of_a_clip_with_bars_is_alike() -> None:
    barred = _barred(_scene(1), 30, 0)
    reference = fingerprint_frames(barred, 24)
    assert similarity(reference, fingerprint_frames(_crop(barred, 0.71), 24)) > 0.85
    assert similarity(reference, fingerprint_frames(_scene(1), 24)) > 0.85


def test_dark_clip_is_not_taken_for_bars() -> None:
    dark = [(frame // 16) for frame in _scene(1)]
    assert similarity(fingerprint_frames(dark, 24), REFERENCE) > 0.5


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        Fingerprint.from_bytes(data)


@pytest.mark.parametrize(
    "change",
    [
        {"magic": b"VFP1"},
        {"views": len(VIEWS) - 1},
        {"views": len(VIEWS) + 1},
        {"moments": 129},
        {"more": 1},
        {"more": -1},
    ],
)
def test_bytes_of_another_shape_are_refused(change: dict[str, Any]) -> None:
    said = {"magic": b"VFP2", "moments": 128, "views": len(VIEWS), "more": 0}

    def made(magic: bytes, moments: int, views: int, more: int) -> bytes:
        size = (moments + 7) // 8 + moments * views * 16 + more
        return struct.pack(">4sHHB", magic, moments, 1, views) + bytes(size)

    assert len(Fingerprint.from_bytes(made(**said)).bits) == 128
    assert is_current(made(**said))
    assert not is_current(made(**said | change))
    with pytest.raises(UsageError, match="not a fingerprint of this version"):
        Fingerprint.from_bytes(made(**said | change))


def test_rate_of_zero_is_refused() -> None:
    with pytest.raises(UsageError):
        fingerprint_frames([], 0)


def test_a_clip_that_is_mostly_flat_or_slow_is_still_the_same_as_itself() -> None:
    rng = np.random.default_rng(5)
    picture = cv2.resize(rng.integers(0, 255, (12, 16, 3), np.uint8), (320, 240))
    flat = np.full_like(picture, 16)
    mostly_black = fingerprint_frames([picture] * 24 + [flat] * 264, Fraction(24))
    slow = fingerprint_frames([np.roll(picture, 40 * n, axis=1) for n in range(5)], Fraction(1, 10))
    for fingerprint in (mostly_black, slow):
        likeness = similarity(fingerprint, fingerprint)
        assert type(likeness) is float
        assert likeness == 1.0
    other = fingerprint_frames([picture[::-1, ::-1]] * 24 + [flat] * 264, Fraction(24))
    assert similarity(mostly_black, other) < 0.5
