"""Frames of every kind become the same bytes, rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vidigree.generate.frames import to_uint8
from vidigree.media.errors import EngineError

LEVELS = np.random.default_rng(0).integers(0, 256, (3, 4, 6, 3), np.uint8)


def kinds() -> dict[str, Any]:
    torch = pytest.importorskip("torch")
    image = pytest.importorskip("PIL.Image")
    floats = LEVELS.astype(np.float32) / 255
    return {
        "uint8": LEVELS,
        "float32": floats,
        "float64": floats.astype(np.float64),
        "list of arrays": list(LEVELS),
        "PIL": [image.fromarray(frame) for frame in LEVELS],
        "torch": torch.from_numpy(floats).permute(0, 3, 1, 2),
        "list of tensors": list(torch.from_numpy(floats).permute(0, 3, 1, 2)),
        "RGBA": np.concatenate([LEVELS, LEVELS[..., :1]], axis=-1),
    }


@pytest.mark.parametrize(
    "kind",
    ["uint8", "float32", "float64", "list of arrays", "PIL", "torch", "list of tensors", "RGBA"],
)
def test_all_kinds_agree(kind: str) -> None:
    assert np.array_equal(np.stack(list(to_uint8(kinds()[kind]))), LEVELS)


def test_floats_are_rounded_not_truncated() -> None:
    (frame,) = to_uint8(np.full((1, 2, 2, 3), 0.999, np.float32))
    assert frame.max() == frame.min() == 255


@pytest.mark.parametrize(
    ("clip", "says"),
    [
        (np.full((1, 2, 2, 3), np.nan, np.float32), "values that are not numbers"),
        (np.full((1, 2, 2, 3), 128.0, np.float32), "these reach from 128 to 128"),
        (np.zeros((1, 2, 2, 3), np.int64), "Frames of type int64"),
        (np.zeros((1, 2, 2, 7), np.float32), r"\(2, 2, 7\) is no frame"),
        ([object()], r"\(\) is no frame"),
        (42, "int is not a sequence"),
    ],
    ids=["nan", "0..255 floats", "int64", "7 channels", "objects", "a number"],
)
def test_what_is_no_clip_is_refused(clip: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        list(to_uint8(clip))


def test_latents_are_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(EngineError, match="decode them first"):
        list(to_uint8(torch.zeros(16, 5, 4, 4)))
