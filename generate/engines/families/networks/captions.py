"""The caption encoder that the families share, and the clip encoder it was trained against.

Both end in the same space, so that captions and clips that belong together lie close (contrastive
training as in CLIP; Radford et al., 2021). The clip encoder also tells the video-to-video engine
what a clip shows that came without a caption.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 -- the name that torch's own documentation uses

from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.codec import CHANNELS, GRID

__all__ = ["WIDTH", "CaptionEncoder", "ClipEncoder", "fold_time"]

WIDTH: Final = 128
"""Numbers of an embedding."""


class CaptionEncoder(nn.Module):  # type: ignore[misc]
    """Word numbers int64 (B, L), 0 for no word, to embeddings (B, 128) of length 1.

    A bag of words, which is easy to learn, beside a recurrent network, which knows their order.

    Args:
        words: Size of the vocabulary.
    """

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words + 1, WIDTH, padding_idx=0)
        self.order = nn.GRU(WIDTH, WIDTH // 2, batch_first=True, bidirectional=True)
        self.out = nn.Sequential(
            nn.Linear(2 * WIDTH, 2 * WIDTH), nn.SiLU(), nn.Linear(2 * WIDTH, WIDTH)
        )

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return the embeddings."""
        there = (numbers > 0).float()[..., None]
        words = self.words(numbers)
        count = there.sum(1).clamp(min=1)
        ordered = (self.order(words)[0] * there).sum(1) / count
        bag = (words * there).sum(1) / count
        return F.normalize(self.out(torch.cat([bag, ordered], dim=1)), dim=1)


class ClipEncoder(nn.Module):  # type: ignore[misc]
    """Maps (B, 24, 6, 8, 8) of the frames of a clip to embeddings (B, 128) of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(FRAMES * CHANNELS, 96, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(96, 128, 3, stride=2, padding=1),
            nn.GroupNorm(8, 128),
            nn.SiLU(),
            nn.Conv2d(128, 160, 3, stride=2, padding=1),
            nn.GroupNorm(8, 160),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(160 * (GRID // 4) ** 2, WIDTH),
        )
        self.scale = nn.Parameter(torch.tensor(2.3))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the embeddings."""
        return F.normalize(self.body(fold_time(maps)), dim=1)


def fold_time(maps: torch.Tensor) -> torch.Tensor:
    """Return maps (B, F, C, H, W) with time folded into the channels (B, F * C, H, W)."""
    return maps.flatten(1, 2)
