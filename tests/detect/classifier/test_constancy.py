"""Constancy of followed squares: slow light, flicker, and parts that change by themselves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fixtures.feature_rows import Look, looks_of
from fixtures.textures import drawn_texture, moving_texture, panned
from numpy.typing import NDArray

from vidigree.detect.classifier.canonical import canonical_windows
from vidigree.detect.classifier.features.constancy import Constancy

STEPS = np.arange(16, dtype=np.float32)[:, None, None]


@pytest.fixture(scope="module")
def look() -> Look:
    return looks_of(Constancy())


def _patchy(seed: int) -> NDArray[np.float32]:
    """Levels that jump in cells of 32 pixels, each by itself, (16, 256, 256)."""
    cells = np.random.default_rng(seed).normal(0, 6, (16, 8, 8))
    return cells.repeat(32, axis=1).repeat(32, axis=2).astype(np.float32)


def test_light_that_comes_slowly_drifts_and_is_common_to_all(look: Look) -> None:
    row = look(panned() * 0.5 + 30 + 0.3 * STEPS**1.5)
    assert row["brightness-return"] > 0.2
    assert row["brightness-common-share"] > 1


def test_light_that_comes_steadily_has_no_common_share(look: Look) -> None:
    row = look(panned() * 0.5 + 30 + 3 * STEPS)
    assert row["brightness-return"] > 0.8
    assert row["brightness-common-share"] < 0.5


def test_flicker_returns_and_is_common_where_all_of_the_picture_flickers(look: Look) -> None:
    row = look(panned() * 0.5 + 60 + 5 * (-1) ** STEPS)
    assert row["brightness-return"] < -0.8
    assert row["brightness-common-share"] > 1


def test_parts_that_change_by_themselves_have_little_in_common(look: Look) -> None:
    row = look(panned() * 0.5 + 60 + _patchy(0))
    assert row["brightness-return"] < -0.3
    assert row["brightness-common-share"] < -0.5


def test_contrast_and_fineness_are_told_apart_from_brightness(look: Look) -> None:
    middle = panned() - 128
    row = look(128 + middle * (0.6 + 0.2 * (-1) ** STEPS))
    assert row["contrast-return"] < -0.8
    assert row["contrast-common-share"] > 1
    assert row["contrast-common-share"] > row["brightness-common-share"]


def test_colour_is_looked_at_where_the_corners_are() -> None:
    view = next(canonical_windows(moving_texture())).decode("resized")
    luma, chroma = panned(), np.full_like(view.chroma, 128)
    luma[:, :, 128:] = 128  # so there are corners in the left half alone
    chroma[1, :, :, :64] += 8 * (-1) ** STEPS
    chroma[0, :, :, 80:] += 8 * (-1) ** STEPS
    found = Constancy().extract(dataclasses.replace(view, luma=luma, chroma=chroma))
    row = dict(zip(Constancy().names(), found.tolist(), strict=True))
    assert row["cr-return"] < -0.8
    assert row["cb-return"] == 0


def test_where_too_few_corners_last_there_is_nothing_to_say(look: Look) -> None:
    cuts = np.stack([drawn_texture(seed)[:256, :256] for seed in range(16)])
    assert np.isnan(list(look(cuts).values())).all()
    ramp = np.broadcast_to(np.linspace(90, 110, 256), (16, 256, 256))
    assert np.isnan(list(look(ramp.astype(np.float32)).values())).all()


def test_what_is_lost_later_is_judged_up_to_there(look: Look) -> None:
    frames = panned() * 0.5 + 60 + 5 * (-1) ** STEPS
    frames[10:] = np.stack([drawn_texture(seed)[:256, :256] for seed in range(6)])
    assert look(frames)["brightness-return"] < -0.8
