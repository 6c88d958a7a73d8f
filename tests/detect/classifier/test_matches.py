"""Key points that are matched: a pan, a turn, a zoom, what melts and what is cut away."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from fixtures.feature_rows import Look, looks_of
from fixtures.textures import drawn_texture, panned
from numpy.typing import NDArray

from vidigree.detect.classifier.features.matches import Matches


@pytest.fixture(scope="module")
def look() -> Look:
    return looks_of(Matches())


def _turned(degrees: float, growth: float) -> NDArray[np.float32]:
    wide = drawn_texture(0)
    frames = []
    for i in range(16):
        turn = cv2.getRotationMatrix2D((256, 256), degrees * i, growth**i)
        frames.append(cv2.warpAffine(wide, turn, (512, 512))[128:384, 128:384])
    return np.stack(frames)


def test_a_pan_is_matched_and_neither_turned_nor_scaled(look: Look) -> None:
    row = look(panned())
    assert row["step-good"] > 0.8
    assert row["end-good"] > 0.5
    assert row["end-turn-spread"] < np.log(0.3 + 2)
    assert row["end-scale-spread"] < np.log(0.01 + 0.05)


@pytest.mark.parametrize(("degrees", "growth"), [(2.0, 1.0), (0.0, 1.01)])
def test_what_turns_or_grows_as_one_has_little_spread(
    look: Look, degrees: float, growth: float
) -> None:
    row = look(_turned(degrees, growth))
    assert row["end-good"] > 0.3
    assert row["end-turn-spread"] < np.log(0.3 + 3)
    assert row["end-scale-spread"] < np.log(0.01 + 0.1)


def test_what_melts_is_matched_less_the_longer_it_takes(look: Look) -> None:
    still, other = drawn_texture(0)[:256, :256], drawn_texture(1)[:256, :256]
    melting = look(np.stack([still + (other - still) * i / 15 for i in range(16)]))
    assert melting["step-good"] > melting["half-good"] > melting["end-good"]
    assert melting["end-distance"] > look(panned())["end-distance"]
    assert melting["end-turn-spread"] > look(panned())["end-turn-spread"] + 1


def test_after_a_cut_every_number_is_finite(look: Look) -> None:
    row = look(np.stack([drawn_texture(i)[:256, :256] for i in range(16)]))
    assert np.isfinite(list(row.values())).all()
    assert row["step-good"] < 0.1


def test_without_key_points_there_is_nothing_to_say(look: Look) -> None:
    ramp = np.broadcast_to(np.linspace(90, 110, 256), (16, 256, 256))
    assert np.isnan(list(look(ramp.astype(np.float32)).values())).all()
    black = panned()
    black[-1] = 16
    assert np.isnan(list(look(black).values())).all()
