"""The contract, over every feature group, third-party ones included."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from fixtures.textures import moving_texture

from vidigree.detect.classifier.canonical import canonical_windows
from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features import feature_groups
from vidigree.media.frame import Frame

GROUPS = feature_groups.names()


@pytest.fixture(scope="module")
def decoded() -> DecodedView:
    return next(canonical_windows(moving_texture())).decode("resized")


@pytest.fixture(scope="module")
def shortest() -> DecodedView:
    return next(canonical_windows(moving_texture(fps=8, count=4))).decode("resized")


@pytest.mark.parametrize("name", GROUPS)
def test_row_has_one_finite_number_per_name(name: str, decoded: DecodedView) -> None:
    group = feature_groups.get(name)()
    row = group.extract(decoded)
    assert group.name == name
    assert row.dtype == np.float32
    assert row.shape == (len(group.names()),)
    assert len(set(group.names())) == len(group.names())
    assert np.isfinite(row).all()


@pytest.mark.parametrize("name", GROUPS)
def test_shortest_clip_has_finite_features(name: str, shortest: DecodedView) -> None:
    assert np.isfinite(feature_groups.get(name)().extract(shortest)).all()


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("level", [0.0, 128.0, 255.0])
def test_flat_picture_gives_all_or_nothing(name: str, level: float) -> None:
    flat = DecodedView(
        luma=np.full((16, 256, 256), level, np.float32),
        chroma=np.full((2, 16, 128, 128), 128, np.float32),
        motion=(np.zeros((0, 6), np.float32),) * 16,
        sizes=np.full(16, 20),
        repeated=0.0,
    )
    with np.errstate(all="raise"):
        row = feature_groups.get(name)().extract(flat)
    assert np.isfinite(row).all() or (
        np.isnan(row).all() and name in {"constancy", "matches", "tracks"}
    )


@pytest.mark.parametrize("name", GROUPS)
def test_repeated_frames_give_all_or_nothing(name: str, decoded: DecodedView) -> None:
    row = feature_groups.get(name)().extract(dataclasses.replace(decoded, repeated=0.5))
    assert np.isnan(row).all() or np.isfinite(row).all()


@pytest.mark.parametrize("name", GROUPS)
def test_same_view_gives_the_same_row_and_is_left_alone(name: str, decoded: DecodedView) -> None:
    before = decoded.luma.copy()
    # Each with a memory of its own of what groups share.
    views = (dataclasses.replace(decoded) for _ in range(2))
    first, second = (feature_groups.get(name)().extract(view) for view in views)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(before, decoded.luma)


@pytest.mark.parametrize("name", GROUPS)
def test_features_react_to_the_picture(name: str, decoded: DecodedView) -> None:
    other = next(canonical_windows(_jumping())).decode("resized")
    group = feature_groups.get(name)()
    assert np.abs(group.extract(decoded) - group.extract(other)).max() > 0.01


def _jumping() -> Iterator[Frame]:
    """Frames of the same texture in an order no camera moves in."""
    frames = list(moving_texture(fps=8, count=16, seed=3))
    for frame, other in zip(frames, frames[::-1], strict=True):
        yield Frame(image=(255 - other.image) // 2, time=frame.time)
