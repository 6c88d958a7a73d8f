"""Crops of training samples, drawn and brought to the network's form in batches on any device."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from vidigree.watermark.robust.frontend import BLOCK, FLOOR, POWER, block_waves
from vidigree.watermark.robust.learned import BLUR, CONTRAST
from vidigree.watermark.robust.stretches import FINE

if TYPE_CHECKING:
    import torch

__all__ = ["Crops", "SampleStore", "correlation", "network_inputs"]

# The linear residual of a crop is right this far from its edges, in pixels.
_MARGIN = 16
_GAIN = (0.45, 1.2)
# A crop's say in the loss falls with the share of the carrier that the linear residual has left.
# Otherwise what is barely compressed has all of it: there is most squared error to be saved.
_CLEAR = 0.01


class Crops(NamedTuple):
    """A batch.

    Attributes:
        inputs: What the network sees, float32 (n, 2, c, c).
        targets: The carrier, float32 (n, 1, c, c).
        says: The say of each crop in the loss, float32 (n, 1, 1, 1).
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    says: torch.Tensor


class SampleStore:
    """The pictures of many samples, held on one device.

    All of a kind lie in one row, so that a batch is one look-up whatever the pictures' sizes: a
    loop over the crops would take a GPU longer than the network does.

    Args:
        device: Where the pictures are kept and the crops made.
    """

    def __init__(self, device: torch.device) -> None:
        import torch

        self.device = device
        self._lumas = torch.zeros(0, dtype=torch.int16, device=device)
        self._patterns = torch.zeros(0, dtype=torch.float16, device=device)
        # Of each picture: where its luma and its pattern begin, its height and width.
        self._pictures = torch.zeros((0, 4), dtype=torch.int64, device=device)

    def __len__(self) -> int:
        return len(self._pictures)

    def add(self, files: Iterable[Path]) -> None:
        """Take in the pictures of samples written by ``make_samples``.

        Args:
            files: The samples, each of pictures of one size.
        """
        import torch

        lumas, patterns, pictures = [self._lumas], [self._patterns], []
        ends = [len(self._lumas), len(self._patterns)]
        for path in files:
            with np.load(path) as data:
                luma, pattern = data["luma"], data["pattern"]
            size = luma.shape[1] * luma.shape[2]
            pictures += [
                (ends[0] + index * size, ends[1], *luma.shape[1:]) for index in range(len(luma))
            ]
            lumas.append(torch.from_numpy(luma.ravel()).to(self.device))
            patterns.append(torch.from_numpy(pattern.ravel()).to(self.device))
            ends[0], ends[1] = ends[0] + luma.size, ends[1] + pattern.size
        if pictures:
            self._lumas, self._patterns = torch.cat(lumas), torch.cat(patterns)
            added = torch.tensor(pictures, device=self.device)
            self._pictures = torch.cat([self._pictures, added])

    def draw(self, count: int, side: int, generator: torch.Generator) -> Crops:
        """Draw crops anywhere, turned, mirrored and dimmed.

        Args:
            count: Crops in the batch.
            side: Their side in working pixels.
            generator: Source of chance, on the store's device.
        """
        import torch

        def chance(high: torch.Tensor | int) -> torch.Tensor:
            drawn = torch.rand(count, generator=generator, device=self.device)
            return (drawn * high).long()

        place, beside, height, width = self._pictures[chance(len(self))].T
        whole = side + 2 * _MARGIN
        top = chance((height - whole + 1).clamp(min=1))
        left = chance((width - whole + 1).clamp(min=1))
        turned, over, across = (chance(2).bool()[:, None, None] for _ in range(3))
        steps = torch.arange(whole, device=self.device)
        rows, columns = steps[None, :, None], steps[None, None, :]
        rows, columns = torch.where(turned, columns, rows), torch.where(turned, rows, columns)
        rows = torch.where(over, whole - 1 - rows, rows) + top[:, None, None]
        columns = torch.where(across, whole - 1 - columns, columns) + left[:, None, None]
        rows = _within(rows, height[:, None, None])
        columns = _within(columns, width[:, None, None])
        index = rows * width[:, None, None] + columns
        low, high = _GAIN
        gain = low + (high - low) * torch.rand(count, generator=generator, device=self.device)
        pictures = self._lumas[place[:, None, None] + index].float() / float(FINE)
        middle = slice(_MARGIN, _MARGIN + side)
        inputs = network_inputs(pictures * gain[:, None, None])[:, :, middle, middle]
        targets = self._patterns[beside[:, None, None] + index].float()[:, None, middle, middle]
        seen = correlation(inputs[:, 1], targets[:, 0]) ** 2
        return Crops(inputs, targets, (_CLEAR / (_CLEAR + seen))[:, None, None, None])

    def whole(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a picture and its carrier.

        Returns:
            float32 (h, w) in [0, 255], and float32 (h, w).
        """
        place, beside, height, width = self._pictures[index].tolist()
        luma = self._lumas[place : place + height * width].float() / float(FINE)
        pattern = self._patterns[beside : beside + height * width].float()
        return luma.reshape(height, width), pattern.reshape(height, width)


def network_inputs(lumas: torch.Tensor) -> torch.Tensor:
    """Return what the network looks at: :func:`..learned.network_input` of a batch.

    Args:
        lumas: float32 (n, h, w) in [0, 255].

    Returns:
        float32 (n, 2, h, w).
    """
    import torch

    device = lumas.device
    blurred = _blur(lumas.shape[1], device) @ lumas @ _blur(lumas.shape[2], device).T
    high = torch.asinh((lumas - blurred) / CONTRAST)
    return torch.stack([high, _residuals(lumas)], 1)


def correlation(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the correlations of pictures with others, 0 where one is of one colour.

    Args:
        first: float32 (n, h, w).
        second: float32 (n, h, w).

    Returns:
        float32 (n,).
    """
    first = first.flatten(1) - first.flatten(1).mean(1, keepdim=True)
    second = second.flatten(1) - second.flatten(1).mean(1, keepdim=True)
    scale = first.square().sum(1) * second.square().sum(1)
    return (first * second).sum(1) / scale.clamp(min=1e-12).sqrt()


def _within(places: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    """Mirror what lies beyond the end of a picture that is smaller than a crop."""
    import torch

    mirrored = torch.where(places >= length, 2 * (length - 1) - places, places)
    return mirrored.clamp(min=0)


@functools.cache
def _blur(length: int, device: torch.device) -> torch.Tensor:
    """Return OpenCV's Gaussian along one axis, edges included, as a matrix."""
    import torch

    # A column is blurred along itself only: across it there is a single value.
    unit = np.eye(length, dtype=np.float32)
    columns = [cv2.GaussianBlur(one[:, None], (1, 0), 0, sigmaY=BLUR)[:, 0] for one in unit]
    return torch.from_numpy(np.stack(columns, 1)).to(device)


@functools.cache
def _waves(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    analysis, synthesis = (torch.from_numpy(each).to(device) for each in block_waves())
    return analysis, synthesis


def _residuals(lumas: torch.Tensor) -> torch.Tensor:
    """Return linear residuals of a batch: :func:`..frontend.residual_of`, block for block."""
    import torch

    hop = BLOCK // 2
    height, width = lumas.shape[1:]
    pad = (BLOCK, BLOCK + (-width) % hop, BLOCK, BLOCK + (-height) % hop)
    padded = torch.nn.functional.pad(lumas[:, None], pad, mode="reflect")
    analysis, synthesis = _waves(lumas.device)
    blocks = torch.nn.functional.unfold(padded, BLOCK, stride=hop).transpose(1, 2)
    waves = (blocks - blocks[..., :1]) @ analysis
    first, second = waves.chunk(2, dim=-1)
    gain = (first**2 + second**2 + FLOOR**2) ** (-POWER / 2)
    white = torch.cat([first * gain, second * gain], -1) @ synthesis
    size = (padded.shape[2], padded.shape[3])
    total = torch.nn.functional.fold(white.transpose(1, 2), size, BLOCK, stride=hop)
    return total[:, 0, BLOCK : BLOCK + height, BLOCK : BLOCK + width]
