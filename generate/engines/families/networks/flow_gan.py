"""A generator that moves a still by optical flow, and its discriminator.

For a time after the still it tells where every pixel came from, which pixels that explains, and
what the others look like (flow, mask and a painted picture, as in Hao et al., 2018, and the flow
stage of FTGAN, Ohnishi et al., 2018). Frames are made one by one from the same noise, so a clip may
stop anywhere.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 -- the name that torch's own documentation uses
from torch.nn.utils.parametrizations import spectral_norm

from vidigree.generate.engines.families.native import FRAMES, SIDE
from vidigree.generate.engines.families.networks.captions import WIDTH
from vidigree.generate.engines.families.networks.codec import Residual

__all__ = ["JUDGED", "NOISE", "FlowDiscriminator", "FlowGenerator", "warp"]

NOISE: Final = 16
"""Numbers of the noise."""
JUDGED: Final = 3
"""Frames that are judged together, besides the still."""
_FARTHEST: Final = 0.75  # of the picture's side
_TIMES: Final = 8  # sines and cosines of the time


class _Modulated(nn.Module):  # type: ignore[misc]
    """A residual block that a vector scales and shifts."""

    def __init__(self, channels: int, vector: int) -> None:
        super().__init__()
        self.affine = nn.Linear(vector, 2 * channels)
        self.body = Residual(channels)

    def forward(self, values: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        scale, shift = self.affine(vector)[..., None, None].chunk(2, dim=1)
        return self.body(values * (1 + scale) + shift)


class FlowGenerator(nn.Module):  # type: ignore[misc]
    """A still, a caption, noise and a time to the frame at that time."""

    def __init__(self) -> None:
        super().__init__()
        vector = 128
        self.told = nn.Sequential(
            nn.Linear(WIDTH + NOISE + 2 * _TIMES, vector), nn.SiLU(), nn.Linear(vector, vector)
        )
        self.enter = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 32, 3, padding=1))
        self.fine = Residual(32)
        self.down = nn.Conv2d(32, 64, 2, stride=2)
        self.middle = Residual(64)
        self.deeper = nn.Conv2d(64, 96, 2, stride=2)
        self.deep = nn.ModuleList(_Modulated(96, vector) for _ in range(3))
        self.rise = nn.Conv2d(96, 64 * 4, 1)
        self.middle_out = _Modulated(64, vector)
        self.lift = nn.Conv2d(64, 32 * 4, 1)
        self.fine_out = _Modulated(32, vector)
        self.leave = nn.Sequential(nn.GroupNorm(8, 32), nn.SiLU(), nn.Conv2d(32, 15, 3, padding=1))
        nn.init.zeros_(self.leave[-1].weight)
        nn.init.zeros_(self.leave[-1].bias)

    def forward(
        self,
        stills: torch.Tensor,
        described: torch.Tensor,
        noise: torch.Tensor,
        times: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return frames, flow and mask.

        Args:
            stills: (B, 3, 64, 64) in [-1, 1].
            described: Embedded captions (B, 128).
            noise: (B, 16).
            times: Frames after the still (B,), 1 to 23.

        Returns:
            Frames (B, 3, 64, 64); flow (B, 2, 32, 32), x and y in units of half the side, from a
            place to where it came from; mask (B, 1, 32, 32), the share that the flow explains.
        """
        waves = (times / FRAMES)[:, None] * torch.pi * 2.0 ** torch.arange(-1, _TIMES - 1)
        told = torch.cat([described * WIDTH**0.5, noise, torch.sin(waves), torch.cos(waves)], dim=1)
        vector = self.told(told)
        fine = self.fine(self.enter(stills))
        middle = self.middle(self.down(fine))
        deep = self.deeper(middle)
        for block in self.deep:
            deep = block(deep, vector)
        middle = self.middle_out(middle + F.pixel_shuffle(self.rise(deep), 2), vector)
        fine = self.fine_out(fine + F.pixel_shuffle(self.lift(middle), 2), vector)
        flow, mask, painted = self.leave(fine).float().split([2, 1, 12], dim=1)
        # Nothing has moved at time 0, and little soon after.
        flow = 2 * _FARTHEST * torch.tanh(flow) * (times / FRAMES).sqrt()[:, None, None, None]
        mask = torch.sigmoid(mask + 2)
        wide = F.interpolate(mask, scale_factor=2, mode="bilinear", align_corners=False)
        moved = warp(stills, flow)
        frames = wide * moved + (1 - wide) * torch.tanh(F.pixel_shuffle(painted, 2))
        return frames, flow, mask


def warp(stills: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Return stills (B, 3, S, S) moved by a flow (B, 2, s, s) in units of half the side."""
    wide = F.interpolate(flow, size=stills.shape[-2:], mode="bilinear", align_corners=False)
    side = stills.shape[-1]
    line = (torch.arange(side) * 2 + 1) / side - 1
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    grid = torch.stack([columns, rows], dim=-1) + wide.permute(0, 2, 3, 1)
    return F.grid_sample(stills.float(), grid, padding_mode="border", align_corners=False)


class FlowDiscriminator(nn.Module):  # type: ignore[misc]
    """Scores of a still and three later frames, stacked (B, 12, 64, 64), given captions."""

    def __init__(self) -> None:
        super().__init__()
        channels = (3 * (1 + JUDGED), 32, 64, 128, 192)
        layers: list[nn.Module] = []
        for inner, outer in pairwise(channels):
            layers.append(spectral_norm(nn.Conv2d(inner, outer, 4, stride=2, padding=1)))
            layers.append(nn.LeakyReLU(0.2))
        self.body = nn.Sequential(*layers)
        places = (SIDE // 16) ** 2
        self.patch = spectral_norm(nn.Conv2d(192, 1, 1))
        self.whole = nn.Sequential(nn.Flatten(), spectral_norm(nn.Linear(192 * places, 128)))
        self.match = spectral_norm(nn.Linear(WIDTH, 128, bias=False))

    def forward(self, frames: torch.Tensor, described: torch.Tensor) -> torch.Tensor:
        """Return scores (B, 17): sixteen places of the picture, and the whole with its caption."""
        features = self.body(frames)
        whole = F.leaky_relu(self.whole(features), 0.2)
        matched = (self.match(described * WIDTH**0.5) * whole).sum(1, keepdim=True)
        return torch.cat([self.patch(features).flatten(1), matched / WIDTH**0.5], dim=1)
