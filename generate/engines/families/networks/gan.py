"""A generator in the manner of MoCoGAN, and its two discriminators.

Content and motion are drawn apart (Tulyakov et al., 2018): one content code for the clip, one
motion code a frame from a recurrent network, and a frame made of both. Frames are told by 96
numbers each, their principal components in the space of the frame codec, brought to one variance:
a generator of a few dense layers learns there in a minute what a convolutional one would need hours
of one core for. The discriminators, one for frames and one for clips, are spectrally normalised
(Miyato et al., 2018) and judge the caption by projection (Miyato & Koyama, 2018).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.captions import WIDTH
from vidigree.generate.engines.families.networks.codec import CHANNELS, GRID

__all__ = ["COMPONENTS", "CONTENT", "MOTION", "Discriminator", "FrameBasis", "Generator"]

COMPONENTS: Final = 96
"""Numbers that tell a frame."""
CONTENT: Final = 64
"""Numbers of a content code."""
MOTION: Final = 8
"""Numbers drawn for each frame."""
_STATE: Final = 64
_HIDDEN: Final = 320
_MAP: Final = CHANNELS * GRID * GRID


class FrameBasis(nn.Module):  # type: ignore[misc]
    """Maps (..., 6, 8, 8) to their principal components (..., 96), and back."""

    mean: torch.Tensor
    axes: torch.Tensor
    spread: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(_MAP))
        self.register_buffer("axes", torch.eye(COMPONENTS, _MAP))
        self.register_buffer("spread", torch.ones(COMPONENTS))

    def fit(self, maps: torch.Tensor) -> None:
        """Take the components of the largest variance of maps (N, 6, 8, 8)."""
        flat = maps.flatten(1).double()
        mean = flat.mean(0)
        variance, axes = torch.linalg.eigh((flat - mean).T @ (flat - mean) / len(flat))
        self.mean.copy_(mean)
        self.axes.copy_(axes.T.flip(0)[:COMPONENTS])
        self.spread.copy_(variance.flip(0)[:COMPONENTS].clamp(min=1e-8).sqrt())

    def to_components(self, maps: torch.Tensor) -> torch.Tensor:
        """Return the components, each of variance 1 over the maps that were fitted."""
        return (maps.flatten(-3) - self.mean) @ self.axes.T / self.spread

    def to_maps(self, components: torch.Tensor) -> torch.Tensor:
        """Return maps in [-1, 1]."""
        flat = components * self.spread @ self.axes + self.mean
        return flat.clamp(-1, 1).unflatten(-1, (CHANNELS, GRID, GRID))


class Generator(nn.Module):  # type: ignore[misc]
    """Noise and captions to the components of frames (B, F, 96)."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Linear(CONTENT + WIDTH, _STATE)
        self.motion = nn.GRU(MOTION + WIDTH, _STATE, batch_first=True)
        self.content = nn.Sequential(
            nn.Linear(CONTENT + WIDTH, _HIDDEN), nn.LeakyReLU(0.2), nn.Linear(_HIDDEN, _HIDDEN)
        )
        self.moving = nn.Linear(_STATE, _HIDDEN)
        self.frame = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(_HIDDEN, COMPONENTS),
        )

    def forward(
        self, content: torch.Tensor, motion: torch.Tensor, described: torch.Tensor
    ) -> torch.Tensor:
        """Return components.

        Args:
            content: (B, 64), standard normal.
            motion: (B, F, 8), standard normal.
            described: Embedded captions (B, 128) of length 1.
        """
        frames = motion.shape[1]
        described = described * WIDTH**0.5
        fixed = torch.cat([content, described], dim=1)
        driven = torch.cat([motion, described[:, None].expand(-1, frames, -1)], dim=2)
        states = self.motion(driven, torch.tanh(self.start(fixed))[None])[0]
        return self.frame(self.content(fixed)[:, None] + self.moving(states))


class Discriminator(nn.Module):  # type: ignore[misc]
    """Scores (B,) of frames or of clips (B, F, 96), given embedded captions.

    Args:
        frames: Frames that are judged together, every second of a clip's; for more than one, what
            changes from one to the next is looked at too.
    """

    def __init__(self, frames: int = FRAMES // 2) -> None:
        super().__init__()
        self.body = nn.Sequential(
            spectral_norm(nn.Linear((2 * frames - 1) * COMPONENTS, _HIDDEN)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Linear(_HIDDEN, _HIDDEN)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Linear(_HIDDEN, 256)),
            nn.LeakyReLU(0.2),
        )
        self.score = spectral_norm(nn.Linear(256, 1))
        self.match = spectral_norm(nn.Linear(WIDTH, 256, bias=False))

    def forward(self, components: torch.Tensor, described: torch.Tensor) -> torch.Tensor:
        """Return the scores: above 0 for real, below for made."""
        changes = 4 * (components[:, 1:] - components[:, :-1])
        features = self.body(torch.cat([components.flatten(1), changes.flatten(1)], dim=1))
        matched = (self.match(described * WIDTH**0.5) * features).sum(1)
        return self.score(features)[:, 0] + matched / WIDTH**0.5
