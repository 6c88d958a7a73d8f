"""The captioned clips that the families learn from, at 64 x 64."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidigree.generate.engines.families.native import FRAMES, SIDE
from vidigree.generate.engines.families.vocabulary import LONGEST_CAPTION, Vocabulary
from vidigree.generate.training.captions import caption_of, caption_words
from vidigree.generate.training.clips import open_clips
from vidigree.generate.training.facts import ClipFacts
from vidigree.media.errors import UsageError

__all__ = ["HELD_OUT", "TrainingClips"]

HELD_OUT: Final = 32
"""Clips at the end of the set that nothing is trained on, to watch the losses."""


@dataclass(frozen=True)
class TrainingClips:
    """Clips and what they show.

    Attributes:
        frames: uint8 (N, 24, 64, 64, 3), the first 24 frames of every clip; memory-mapped where
            the set was drawn at 64 x 64.
        facts: What each shows; its wording is chosen anew whenever it is needed.
        fps: Frames per second.
    """

    frames: NDArray[np.uint8]
    facts: tuple[ClipFacts, ...]
    fps: int

    @classmethod
    def open(cls, folder: Path) -> TrainingClips:
        """Read a folder written by ``vidigree generator draw-clips``.

        Raises:
            MediaNotFoundError: There are no clips in it.
            UsageError: There are too few, or they are too short.
        """
        stored = open_clips(folder)
        count = len(stored)
        if count <= HELD_OUT or stored.settings.num_frames < FRAMES:
            raise UsageError(
                f"{folder} holds {count} clips of {stored.settings.num_frames} frames; more than"
                f" {HELD_OUT} of at least {FRAMES} frames are needed."
            )
        frames = stored.frames[:, :FRAMES]
        if frames.shape[2:4] != (SIDE, SIDE):
            frames = np.stack([_resized(clip) for clip in frames])
        return cls(frames, tuple(clip.facts for clip in stored.clips), stored.settings.fps)

    @property
    def training(self) -> int:
        """Number of clips to train on: all but the last ones."""
        return len(self.frames) - HELD_OUT

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Words that the captions can hold."""
        return caption_words()

    def words(self, which: NDArray[np.int64], rng: np.random.Generator) -> torch.Tensor:
        """Return the numbers of the words of new captions of some clips, int64 (B, 32)."""
        vocabulary = Vocabulary(self.vocabulary)
        numbers = np.zeros((len(which), LONGEST_CAPTION), np.int64)
        for row, index in zip(numbers, which, strict=True):
            known = vocabulary.read(caption_of(self.facts[index], rng)).numbers
            row[: len(known)] = known
        return torch.from_numpy(numbers)


def _resized(clip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = [cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in clip]
    return np.stack(small).astype(np.uint8, copy=False)
