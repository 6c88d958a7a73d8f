"""Corners that are followed: a pan, a zoom, a jerk, what melts and what is cut away."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from fixtures.feature_rows import Look, looks_of
from numpy.typing import NDArray

from vidigree.detect.classifier.features import tracks
from vidigree.detect.classifier.features.tracks import Tracks


@pytest.fixture(scope="module")
def look() -> Look:
    return looks_of(Tracks())


def texture(seed: int, side: int = 512) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    return (128 + 300 * cv2.GaussianBlur(noise, (0, 0), 3)).clip(0, 255).astype(np.float32)


def panned(step: Callable[[int], float] = lambda i: 2.0 * i) -> NDArray[np.float32]:
    """Return 16 frames of a texture that has moved left by ``step`` pixels."""
    wide = texture(0)
    moved = [
        cv2.warpAffine(wide, np.array([[1, 0, -step(i)], [0, 1, 0]], np.float64), (512, 512))
        for i in range(16)
    ]
    return np.stack(moved)[:, 100:356, 100:356]


def test_a_pan_is_followed_and_keeps_its_looks(look: Look) -> None:
    row = look(panned())
    assert row["full-kept-end"] > 0.8
    assert row["half-kept-end"] > 0.8
    assert row["full-return"] < np.log(0.05)
    assert row["looks-end"] > 2  # a correlation of 0.96
    assert row["zoom"] == pytest.approx(0, abs=0.05)


def test_what_melts_changes_its_looks_and_is_found_less_well(look: Look) -> None:
    still, other = texture(0)[:256, :256], texture(1)[:256, :256]
    melting = np.stack([still + (other - still) * i / 15 for i in range(16)])
    solid, row = look(panned()), look(melting)
    assert row["looks-end"] < solid["looks-end"] - 0.5
    assert row["full-return"] > solid["full-return"] + 0.5


def test_a_zoom_is_measured_in_per_cent_a_frame(look: Look) -> None:
    wide = texture(0)
    frames = []
    for i in range(16):
        turn = cv2.getRotationMatrix2D((256, 256), 0, 1.01**i)
        frames.append(cv2.warpAffine(wide, turn, (512, 512))[128:384, 128:384])
    assert look(np.stack(frames))["zoom"] == pytest.approx(100 * np.log(1.01), abs=0.1)


def test_a_jerky_pan_shakes(look: Look) -> None:
    jerky = look(panned(lambda i: 2.0 * i + (i % 2)))
    assert jerky["shake"] > look(panned())["shake"] + 1


def test_after_a_cut_nothing_is_kept_and_every_number_is_finite(look: Look) -> None:
    row = look(np.stack([texture(i)[:256, :256] for i in range(16)]))
    assert np.isfinite(list(row.values())).all()
    assert row["full-kept-end"] < 0.05


def test_without_corners_there_is_nothing_to_say(look: Look) -> None:
    ramp = np.broadcast_to(np.linspace(90, 110, 256), (16, 256, 256))
    assert np.isnan(list(look(ramp.astype(np.float32)).values())).all()


def test_lost_corners_are_not_followed_and_the_others_as_if_all_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    still, other = texture(0)[:256, :256], texture(1)[:256, :256]
    mask = np.clip(np.arange(256) / 64 - 1, 0, 1)
    frames = np.stack([still + (other - still) * mask * i / 15 for i in range(16)]).astype(np.uint8)
    asked: list[int] = []
    plain = cv2.calcOpticalFlowPyrLK

    def counted(now: object, later: object, places: NDArray[np.float32], *rest: object, **options):  # type: ignore[no-untyped-def]
        asked.append(len(places))
        return plain(now, later, places, *rest, **options)

    monkeypatch.setattr(cv2, "calcOpticalFlowPyrLK", counted)
    some = tracks._follow(frames, tracks._SIZES[0])
    monkeypatch.setattr(tracks, "_FEWEST_FOLLOWED", 10**6)  # so none is given up
    every = tracks._follow(frames, tracks._SIZES[0])
    assert some is not None
    assert every is not None
    assert asked[28] < asked[0] == asked[-1]
    np.testing.assert_array_equal(some.lasting, every.lasting)
    for step, followed in enumerate(some.followed):
        np.testing.assert_array_equal(
            some.places[step + 1, followed], every.places[step + 1, followed]
        )
        np.testing.assert_array_equal(some.returns[step, followed], every.returns[step, followed])
