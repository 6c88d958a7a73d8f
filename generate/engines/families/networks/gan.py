"""A generator in the manner of MoCoGAN, and its two discriminators.

Content and motion are drawn apart (Tulyakov et al., 2018): one content code for the clip, one
motion code a frame from a recurrent network, and a convolutional generator that makes a frame of
both. It works in the space of the frame codec, where a few minutes of one core go further than in
pixels. The discriminators, one for frames and one for clips, are spectrally normalised (Miyato et
al., 2018) and judge the caption by projection (Miyato & Koyama, 2018).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.captions import WIDTH
from vidigree.generate.engines.families.networks.codec import CHANNELS, GRID, Residual

__all__ = ["CONTENT", "MOTION", "Discriminator", "Generator"]

CONTENT: Final = 64
"""Numbers of a content code."""
MOTION: Final = 16
"""Numbers drawn for each frame."""
_STATE: Final = 64
_SMALL: Final = GRID // 2


class Generator(nn.Module):  # type: ignore[misc]
    """Noise and captions to maps (B, F, 6, 8, 8)."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Linear(CONTENT + WIDTH, _STATE)
        self.motion = nn.GRU(MOTION + WIDTH, _STATE, batch_first=True)
        self.frame = nn.Sequential(
            nn.Linear(CONTENT + WIDTH + _STATE, 160 * _SMALL**2),
            nn.Unflatten(1, (160, _SMALL, _SMALL)),
            Residual(160),
            nn.Conv2d(160, 96 * 4, 1),
            nn.PixelShuffle(2),
            Residual(96),
            Residual(96),
            nn.GroupNorm(8, 96),
            nn.SiLU(),
            nn.Conv2d(96, CHANNELS, 3, padding=1),
        )

    def forward(
        self, content: torch.Tensor, motion: torch.Tensor, described: torch.Tensor
    ) -> torch.Tensor:
        """Return maps.

        Args:
            content: (B, 64), standard normal.
            motion: (B, F, 16), standard normal.
            described: Embedded captions (B, 128) of length 1.
        """
        frames = motion.shape[1]
        described = described * WIDTH**0.5
        fixed = torch.cat([content, described], dim=1)
        driven = torch.cat([motion, described[:, None].expand(-1, frames, -1)], dim=2)
        states = self.motion(driven, torch.tanh(self.start(fixed))[None])[0]
        each = torch.cat([fixed[:, None].expand(-1, frames, -1), states], dim=2)
        return torch.tanh(self.frame(each.flatten(0, 1))).unflatten(0, (-1, frames))


class Discriminator(nn.Module):  # type: ignore[misc]
    """Scores (B,) of maps (B, channels, 8, 8), given embedded captions.

    Args:
        channels: 6 for one frame, 6 a frame for clips with time folded into the channels.
    """

    def __init__(self, channels: int = FRAMES * CHANNELS) -> None:
        super().__init__()
        self.body = nn.Sequential(
            spectral_norm(nn.Conv2d(channels, 96, 3, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(96, 128, 4, stride=2, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(128, 192, 4, stride=2, padding=1)),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            spectral_norm(nn.Linear(192 * (GRID // 4) ** 2, 256)),
            nn.LeakyReLU(0.2),
        )
        self.score = spectral_norm(nn.Linear(256, 1))
        self.match = spectral_norm(nn.Linear(WIDTH, 256, bias=False))

    def forward(self, maps: torch.Tensor, described: torch.Tensor) -> torch.Tensor:
        """Return the scores: above 0 for real, below for made."""
        features = self.body(maps)
        matched = (self.match(described * WIDTH**0.5) * features).sum(1)
        return self.score(features)[:, 0] + matched / WIDTH**0.5
