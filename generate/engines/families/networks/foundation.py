"""What the families stand on: the frame codec and the caption encoder, loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from vidigree.generate.engines.families.networks.captions import CaptionEncoder, ClipEncoder
from vidigree.generate.engines.families.networks.codec import FrameCodec
from vidigree.generate.engines.families.vocabulary import LONGEST_CAPTION
from vidigree.generate.engines.families.weights import read_weights, shipped_weights

__all__ = ["load_captions", "load_codec", "padded"]


def load_codec(path: Path | None = None) -> FrameCodec:
    """Return the frame codec; of a checkpoint, or the one that comes with the package.

    Raises:
        EngineError: The weights cannot be read.
    """
    weights = shipped_weights("codec") if path is None else read_weights(path)
    codec: FrameCodec = weights.load("codec", FrameCodec())
    return codec


def load_captions(path: Path | None = None) -> tuple[CaptionEncoder, ClipEncoder]:
    """Return the encoders of captions and of clips; of a checkpoint, or those of the package.

    Raises:
        EngineError: The weights cannot be read.
    """
    weights = shipped_weights("captions") if path is None else read_weights(path)
    words = weights.facts["notes"]["words"]
    captions: CaptionEncoder = weights.load("captions", CaptionEncoder(len(words)))
    clips: ClipEncoder = weights.load("clips", ClipEncoder())
    return captions, clips


def padded(numbers: Sequence[int]) -> torch.Tensor:
    """Return the numbers of the words of one caption as int64 (1, 32)."""
    row = torch.zeros(1, LONGEST_CAPTION, dtype=torch.int64)
    row[0, : len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
    return row
