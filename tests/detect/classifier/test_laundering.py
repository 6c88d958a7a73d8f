from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from fixtures.textures import moving_texture

from vidigree.detect.classifier.laundering import (
    LAUNDERINGS,
    Laundering,
    draw_aligned,
    draw_laundering,
    launder,
)
from vidigree.detect.classifier.surrogates import UPSAMPLERS, resynthesised


@pytest.mark.parametrize("name", LAUNDERINGS)
def test_laundering_keeps_number_and_times(name: str) -> None:
    frames = list(moving_texture(count=20, width=321, height=241))
    laundered = list(launder(iter(frames), LAUNDERINGS[name], fps=Fraction(24)))
    assert [frame.time for frame in laundered] == [frame.time for frame in frames]
    if name != "none":
        shape = laundered[5].image.shape
        assert (
            any(
                abs(shape[axis] - frames[5].image.shape[axis] * LAUNDERINGS[name].scale) > 3
                for axis in (0, 1)
            )
            is False
        )


def test_harder_compression_leaves_less() -> None:
    frames = list(moving_texture(count=12))
    errors = []
    for name in ("crf28", "crf35"):
        laundered = launder(iter(frames), LAUNDERINGS[name], fps=Fraction(24))
        errors.append(
            np.mean(
                [
                    np.abs(a.image.astype(int) - b.image).mean()
                    for a, b in zip(frames, laundered, strict=True)
                ]
            )
        )
    assert 0.5 < errors[0] < errors[1] < 40


def test_rate_is_changed_by_repeating_and_dropping() -> None:
    frames = list(moving_texture(count=48))
    slow = list(launder(iter(frames), Laundering(name="x", rate=12), fps=Fraction(24)))
    assert [frame.time for frame in slow] == [Fraction(index, 12) for index in range(24)]
    assert all((a.image == b.image).all() for a, b in zip(slow, frames[::2], strict=True))


def test_draws_depend_on_the_seed_alone_and_vary() -> None:
    draws = [draw_laundering(f"clip {index}") for index in range(300)]
    assert draws == [draw_laundering(f"clip {index}") for index in range(300)]
    crf = [encode.crf for draw in draws for encode in draw.encodes if encode.codec == "libx264"]
    assert min(crf) == 18
    assert max(crf) == 38
    assert 0.5 < np.mean([draw.scale == 1.0 for draw in draws]) < 0.8


def test_an_aligned_pair_differs_in_the_upsampler_alone() -> None:
    pairs = [(draw_laundering(f"clip {i}"), draw_aligned(f"clip {i}")) for i in range(40)]
    assert {made.upsampler for _, made in pairs} == set(UPSAMPLERS)
    assert all(replace(made, upsampler="") == real for real, made in pairs)


@pytest.mark.parametrize("upsampler", UPSAMPLERS)
def test_a_surrogate_keeps_the_low_band_and_makes_detail_anew(upsampler: str) -> None:
    image = next(iter(moving_texture(count=1, width=160, height=120))).image
    made = resynthesised(image, upsampler)
    assert made.shape == image.shape

    def low(picture: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 6)

    assert np.abs(low(made) - low(image)).max() < 4
    # Half the size holds a quarter of the numbers: fine detail is not what it was.
    assert np.abs(made.astype(int) - image).mean() > 1
