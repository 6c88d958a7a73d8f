"""A variational autoencoder of whole clips, and the caption's prior over its codes.

One code of 128 numbers a clip (Kingma & Welling, 2014), in the space of the frame codec, time
folded into the channels. What a caption makes likely is told by a normalising flow of affine
couplings (RealNVP; Dinh et al., 2017). Because a flow can be run both ways, a clip can be taken to
noise under one description and brought back under another: video-to-video.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.captions import WIDTH, fold_time
from vidigree.generate.engines.families.networks.codec import CHANNELS, GRID, Residual

__all__ = ["CODE", "CaptionFlow", "ClipAutoencoder"]

CODE: Final = 128
"""Numbers of a clip's code."""
_FINE, _MIDDLE, _COARSE = 128, 144, 160
_COARSE_SIDE: Final = GRID // 4
_COUPLINGS: Final = 8
_HIDDEN: Final = 192


class ClipAutoencoder(nn.Module):  # type: ignore[misc]
    """Maps (B, 24, 6, 8, 8) to codes (B, 128), and back."""

    def __init__(self) -> None:
        super().__init__()
        flat = _COARSE * _COARSE_SIDE**2
        self.encoder = nn.Sequential(
            nn.Conv2d(FRAMES * CHANNELS, _FINE, 3, padding=1),
            Residual(_FINE),
            nn.Conv2d(_FINE, _MIDDLE, 2, stride=2),
            Residual(_MIDDLE),
            nn.Conv2d(_MIDDLE, _COARSE, 2, stride=2),
            Residual(_COARSE),
            nn.Flatten(),
            nn.Linear(flat, 2 * CODE),
        )
        self.decoder = nn.Sequential(
            nn.Linear(CODE, flat),
            nn.Unflatten(1, (_COARSE, _COARSE_SIDE, _COARSE_SIDE)),
            Residual(_COARSE),
            nn.Conv2d(_COARSE, _MIDDLE * 4, 1),
            nn.PixelShuffle(2),
            Residual(_MIDDLE),
            nn.Conv2d(_MIDDLE, _FINE * 4, 1),
            nn.PixelShuffle(2),
            Residual(_FINE),
            nn.GroupNorm(8, _FINE),
            nn.SiLU(),
            nn.Conv2d(_FINE, FRAMES * CHANNELS, 3, padding=1),
        )

    def encode(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and logarithm of the standard deviation of the code."""
        mean, spread = self.encoder(fold_time(maps)).chunk(2, dim=1)
        return mean, spread.clamp(-6, 2)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return maps."""
        return torch.tanh(self.decoder(codes)).unflatten(1, (FRAMES, CHANNELS))


class CaptionFlow(nn.Module):  # type: ignore[misc]
    """Codes of clips to noise and back, given what describes them (B, 128)."""

    halves: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        half = CODE // 2
        self.nets = nn.ModuleList(
            nn.Sequential(
                nn.Linear(half + WIDTH, _HIDDEN),
                nn.SiLU(),
                nn.Linear(_HIDDEN, _HIDDEN),
                nn.SiLU(),
                nn.Linear(_HIDDEN, 2 * half),
            )
            for _ in range(_COUPLINGS)
        )
        for net in self.nets:
            nn.init.zeros_(net[-1].weight)
            nn.init.zeros_(net[-1].bias)
        orders = [torch.randperm(CODE) for _ in range(_COUPLINGS)]
        self.register_buffer("orders", torch.stack(orders))

    def to_noise(
        self, codes: torch.Tensor, described: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return noise (B, 128), and the logarithm of the volume change (B,)."""
        volume = torch.zeros(len(codes))
        for net, order in zip(self.nets, self.orders, strict=True):
            kept, moved = codes[:, order].chunk(2, dim=1)
            shift, scale = self._affine(net, kept, described)
            codes = torch.cat([kept, (moved - shift) * torch.exp(-scale)], dim=1)
            volume = volume - scale.sum(1)
        return codes, volume

    def to_codes(self, noise: torch.Tensor, described: torch.Tensor) -> torch.Tensor:
        """Return the codes that :meth:`to_noise` takes to ``noise``."""
        backwards = reversed(list(zip(self.nets, self.orders, strict=True)))
        for net, order in backwards:
            kept, moved = noise.chunk(2, dim=1)
            shift, scale = self._affine(net, kept, described)
            mixed = torch.cat([kept, moved * torch.exp(scale) + shift], dim=1)
            noise = torch.empty_like(mixed)
            noise[:, order] = mixed
        return noise

    @staticmethod
    def _affine(
        net: nn.Module, kept: torch.Tensor, described: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        # Embeddings have length 1; at the scale of the codes their 128 numbers would be tiny.
        both = torch.cat([kept, described * WIDTH**0.5], dim=1)
        shift, scale = net(both).float().chunk(2, dim=1)
        return shift, 1.5 * torch.tanh(scale / 1.5)
