"""The frame codec that the families share: pictures to small maps of codes, and back.

A convolutional autoencoder whose bottleneck is finite scalar quantisation (Mentzer et al., 2023,
section 3): every channel is bounded by tanh and rounded to one of eight levels. Two groups of three
channels make two codes of 512 values a place, so there is no code book to learn and none can
collapse. GAN and VAE work on the bounded maps, the autoregressive engine on the codes.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 -- the name that torch's own documentation uses

__all__ = ["CHANNELS", "CODES", "GRID", "GROUPS", "LEVELS", "FrameCodec", "Residual", "edges"]

GRID: Final = 8
"""Side of a map of codes, places."""
CHANNELS: Final = 6
"""Channels of a map."""
LEVELS: Final = 8
"""Values that a channel can take."""
GROUPS: Final = 2
"""Codes at a place."""
CODES: Final = LEVELS ** (CHANNELS // GROUPS)
"""Values that a code can take."""


class Residual(nn.Module):  # type: ignore[misc]
    """Two convolutions whose result is added to their input (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return a map of the same shape."""
        return values + self.body(values)


class FrameCodec(nn.Module):  # type: ignore[misc]
    """Frames (B, 3, 64, 64) in [-1, 1] to maps (B, 6, 8, 8) in [-1, 1], and back."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(12, 32, 3, padding=1),
            Residual(32),
            nn.Conv2d(32, 64, 2, stride=2),
            Residual(64),
            nn.Conv2d(64, 128, 2, stride=2),
            Residual(128),
            Residual(128),
            nn.GroupNorm(8, 128),
            nn.SiLU(),
            nn.Conv2d(128, CHANNELS, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(CHANNELS, 128, 3, padding=1),
            Residual(128),
            Residual(128),
            nn.Conv2d(128, 64 * 4, 1),
            nn.PixelShuffle(2),
            Residual(64),
            Residual(64),
            nn.Conv2d(64, 32 * 4, 1),
            nn.PixelShuffle(2),
            Residual(32),
            Residual(32),
            nn.GroupNorm(8, 32),
            nn.SiLU(),
            nn.Conv2d(32, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def encode(self, frames: torch.Tensor) -> torch.Tensor:
        """Return the bounded maps, not yet rounded."""
        return torch.tanh(self.encoder(frames))

    def decode(self, maps: torch.Tensor) -> torch.Tensor:
        """Return frames; maps need not be rounded."""
        return self.decoder(maps)

    @staticmethod
    def quantise(maps: torch.Tensor) -> torch.Tensor:
        """Round to the levels; gradients pass straight through."""
        steps = (LEVELS - 1) / 2
        rounded = torch.round((maps + 1) * steps) / steps - 1
        return maps + (rounded - maps).detach()

    @staticmethod
    def to_codes(maps: torch.Tensor) -> torch.Tensor:
        """Return the codes int64 (B, 64, 2) in [0, 512) of maps (B, 6, 8, 8), rows first."""
        digits = torch.round((maps + 1) * ((LEVELS - 1) / 2)).long().flatten(2)
        digits = digits.transpose(1, 2).unflatten(2, (GROUPS, CHANNELS // GROUPS))
        weights = LEVELS ** torch.arange(CHANNELS // GROUPS)
        return (digits * weights).sum(-1)

    @staticmethod
    def from_codes(codes: torch.Tensor) -> torch.Tensor:
        """Return the maps (B, 6, 8, 8) of codes (B, 64, 2)."""
        weights = LEVELS ** torch.arange(CHANNELS // GROUPS)
        digits = (codes[..., None] // weights) % LEVELS
        maps = digits.flatten(2).transpose(1, 2).unflatten(2, (GRID, GRID))
        return maps.float() / ((LEVELS - 1) / 2) - 1

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Return the frames as they come back from rounded maps."""
        return self.decode(self.quantise(self.encode(frames)))


def edges(frames: torch.Tensor) -> torch.Tensor:
    """Return horizontal and vertical differences of frames (B, 3, H, W), for sharpness losses."""
    return torch.cat(
        [
            F.pad(frames[..., 1:] - frames[..., :-1], (0, 1)),
            F.pad(frames[..., 1:, :] - frames[..., :-1, :], (0, 0, 0, 1)),
        ],
        dim=1,
    )
