"""Corners that are followed: a pan, a zoom, a jerk, what melts and what is cut away."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from fixtures.feature_rows import Look, looks_of
from fixtures.textures import drawn_texture, moving_texture, panned
from numpy.typing import NDArray

from vidigree.detect.classifier.canonical import canonical_windows
from vidigree.detect.classifier.features import following, tracks
from vidigree.detect.classifier.features.constancy import Constancy
from vidigree.detect.classifier.features.tracks import Tracks


@pytest.fixture(scope="module")
def look() -> Look:
    return looks_of(Tracks())


def test_a_pan_is_followed_and_keeps_its_looks(look: Look) -> None:
    row = look(panned())
    assert row["full-kept-end"] > 0.8
    assert row["half-kept-end"] > 0.8
    assert row["full-return"] < np.log(0.05)
    assert row["looks-end"] > 2  # a correlation of 0.96
    assert row["zoom"] == pytest.approx(0, abs=0.05)


def test_what_melts_changes_its_looks_and_is_found_less_well(look: Look) -> None:
    still, other = drawn_texture(0)[:256, :256], drawn_texture(1)[:256, :256]
    melting = np.stack([still + (other - still) * i / 15 for i in range(16)])
    solid, row = look(panned()), look(melting)
    assert row["looks-end"] < solid["looks-end"] - 0.5
    assert row["full-return"] > solid["full-return"] + 0.5


def test_a_zoom_is_measured_in_per_cent_a_frame(look: Look) -> None:
    wide = drawn_texture(0)
    frames = []
    for i in range(16):
        turn = cv2.getRotationMatrix2D((256, 256), 0, 1.01**i)
        frames.append(cv2.warpAffine(wide, turn, (512, 512))[128:384, 128:384])
    assert look(np.stack(frames))["zoom"] == pytest.approx(100 * np.log(1.01), abs=0.1)


def test_a_jerky_pan_shakes(look: Look) -> None:
    jerky = look(panned(lambda i: 2.0 * i + (i % 2)))
    assert jerky["shake"] > look(panned())["shake"] + 1


def test_after_a_cut_nothing_is_kept_and_every_number_is_finite(look: Look) -> None:
    row = look(np.stack([drawn_texture(i)[:256, :256] for i in range(16)]))
    assert np.isfinite(list(row.values())).all()
    assert row["full-kept-end"] < 0.05


def test_without_corners_there_is_nothing_to_say(look: Look) -> None:
    ramp = np.broadcast_to(np.linspace(90, 110, 256), (16, 256, 256))
    assert np.isnan(list(look(ramp.astype(np.float32)).values())).all()


def test_lost_corners_are_not_followed_and_the_others_as_if_all_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    still, other = drawn_texture(0)[:256, :256], drawn_texture(1)[:256, :256]
    mask = np.clip(np.arange(256) / 64 - 1, 0, 1)
    frames = np.stack([still + (other - still) * mask * i / 15 for i in range(16)]).astype(np.uint8)
    asked: list[int] = []
    plain = cv2.calcOpticalFlowPyrLK

    def counted(now: object, later: object, places: NDArray[np.float32], *rest: object, **options):  # type: ignore[no-untyped-def]
        asked.append(len(places))
        return plain(now, later, places, *rest, **options)

    monkeypatch.setattr(cv2, "calcOpticalFlowPyrLK", counted)
    some = following.follow(frames, following._FULL_SIZE)
    monkeypatch.setattr(following, "_FEWEST_FOLLOWED", 10**6)  # so none is given up
    every = following.follow(frames, following._FULL_SIZE)
    assert some is not None
    assert every is not None
    assert asked[28] < asked[0] == asked[-1]
    np.testing.assert_array_equal(some.lasting, every.lasting)
    for step, followed in enumerate(some.followed):
        np.testing.assert_array_equal(
            some.places[step + 1, followed], every.places[step + 1, followed]
        )
        np.testing.assert_array_equal(some.returns[step, followed], every.returns[step, followed])


def test_corners_are_followed_once_for_all_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    view = next(canonical_windows(moving_texture())).decode("resized")
    alone = [group.extract(dataclasses.replace(view)) for group in (Tracks(), Constancy())]
    looked: list[tuple[int, ...]] = []
    plain = cv2.goodFeaturesToTrack

    def counted(frame: NDArray[np.uint8], *rest: object) -> object:
        looked.append(frame.shape)
        return plain(frame, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(cv2, "goodFeaturesToTrack", counted)
    together = [group.extract(view) for group in (Tracks(), Constancy())]
    assert looked == [(256, 256), (128, 128)]
    np.testing.assert_array_equal(np.concatenate(alone), np.concatenate(together))


@pytest.mark.parametrize("count", [1, 2, 5, 6])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_median_is_that_of_numpy(count: int, kind: type[np.floating]) -> None:
    values = np.random.default_rng(count).normal(size=count).astype(kind)
    found = tracks._median(values)
    assert found.dtype == kind
    assert found == np.median(values)
    values[0] = np.nan
    assert np.isnan(tracks._median(values))
