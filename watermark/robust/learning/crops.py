"""Crops of training samples, drawn and brought to the network's form in batches on any device."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError
from vidigree.watermark.robust.frontend import BLOCK, FLOOR, POWER, block_waves
from vidigree.watermark.robust.learned import BLUR, CONTRAST
from vidigree.watermark.robust.learning.archives import arrays_in
from vidigree.watermark.robust.stretches import LEVELS_PER_GREY

if TYPE_CHECKING:
    import torch

__all__ = ["Crops", "SampleStore", "correlation", "network_inputs"]

# The linear residual of a crop is right this far from its edges, in pixels.
_MARGIN = 16
_GAIN = (0.45, 1.2)
# A crop's weight in the loss falls with the share of the carrier that the linear residual has left.
# Otherwise what is barely compressed has all the say: there is most squared error to be saved.
_CLEAR = 0.01


class Crops(NamedTuple):
    """A batch.

    Attributes:
        inputs: What the network sees, float32 (n, 2, c, c).
        targets: The carrier, float32 (n, 1, c, c).
        weights: Of each crop in the loss, float32 (n, 1, 1, 1).
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor


class SampleStore:
    """The pictures of many samples, held on one device.

    That is about 0.9 MB a sample, and twice as much while others are added. All of a kind lie in
    one row, so that a batch is one look-up whatever the pictures' sizes: a loop over the crops
    would take a GPU longer than the network does.

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

        Raises:
            UsageError: A file is no sample; nothing is taken in.
        """
        import torch

        lumas, patterns, pictures = [self._lumas], [self._patterns], []
        ends = [len(self._lumas), len(self._patterns)]
        for path in files:
            luma, pattern = _sample(path)
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

    @property
    def largest_crop(self) -> int:
        """Side of the largest crop that lies in every picture with its margins, in pixels."""
        return int(self._pictures[:, 2:].min()) - 2 * _MARGIN

    def draw(self, count: int, side: int, generator: torch.Generator) -> Crops:
        """Draw crops anywhere, turned, mirrored and dimmed.

        Args:
            count: Crops in the batch.
            side: Their side in working pixels, at most :attr:`largest_crop`.
            generator: Source of chance, on the store's device.
        """
        import torch

        def chance(high: torch.Tensor | int) -> torch.Tensor:
            drawn = torch.rand(count, generator=generator, device=self.device)
            return (drawn * high).long()

        place, beside, height, width = self._pictures[chance(len(self))].T
        whole = side + 2 * _MARGIN
        top, left = chance(height - whole + 1), chance(width - whole + 1)
        turned, over, across = (chance(2).bool()[:, None, None] for _ in range(3))
        steps = torch.arange(whole, device=self.device)
        rows, columns = steps[None, :, None], steps[None, None, :]
        rows, columns = torch.where(turned, columns, rows), torch.where(turned, rows, columns)
        rows = torch.where(over, whole - 1 - rows, rows) + top[:, None, None]
        columns = torch.where(across, whole - 1 - columns, columns) + left[:, None, None]
        index = rows * width[:, None, None] + columns
        low, high = _GAIN
        gain = low + (high - low) * torch.rand(count, generator=generator, device=self.device)
        pictures = self._lumas[place[:, None, None] + index].float() / float(LEVELS_PER_GREY)
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
        luma = self._lumas[place : place + height * width].float() / float(LEVELS_PER_GREY)
        pattern = self._patterns[beside : beside + height * width].float()
        return luma.reshape(height, width), pattern.reshape(height, width)


def _sample(path: Path) -> tuple[NDArray[np.int16], NDArray[np.float16]]:
    """Read a sample.

    Returns:
        int16 (n, h, w), and float16 (h, w).

    Raises:
        UsageError: The file is none, or damaged.
    """
    arrays = arrays_in(path)
    luma, pattern = arrays.get("luma", np.zeros(0)), arrays.get("pattern", np.zeros(0))
    if (
        luma.dtype != np.int16
        or pattern.dtype != np.float16
        or luma.ndim != 3
        or luma.shape[1:] != pattern.shape
        or luma.size == 0
    ):
        raise UsageError(
            f"{path} is no sample, or damaged.",
            hint="Remove it, and write it again with: vidigree watermark make-samples",
        )
    return luma, pattern


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


@functools.lru_cache(maxsize=16)
def _blur(length: int, device: torch.device) -> torch.Tensor:
    """Return OpenCV's Gaussian along one axis, edges included, as a matrix."""
    import torch

    unit = np.eye(length, dtype=np.float32)
    return torch.from_numpy(cv2.GaussianBlur(unit, (1, 0), 0, sigmaY=BLUR)).to(device)


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
