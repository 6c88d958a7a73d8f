"""The network that makes the model's frames four times as wide and high, and its training.

Sub-pixel convolution (Shi et al. 2016) over a few residual layers, added to a bilinear enlargement.
It sees what the codec makes of a frame and learns what the renderer draws at the full size, so it
also sharpens what the codec blurs.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from vidigree.generate.training.clips import ClipFolder
from vidigree.generate.training.loop import Budget, Run, follow, load_averages, train
from vidigree.generate.training.nano.codec import decode_clips, encode_clips
from vidigree.generate.training.nano.codec_training import frame_loss, to_model
from vidigree.generate.training.nano.device import best_device, low_precision
from vidigree.media.errors import UsageError
from vidigree.media.progress import Progress, no_progress

__all__ = ["UpsamplerSettings", "build_upsampler", "export_upsampler", "train_upsampler"]

_FACTOR: Final = 4
_WIDTH: Final = 32
_LAYERS: Final = 3


@dataclass(frozen=True, kw_only=True)
class UpsamplerSettings:
    """How to train the upsampler.

    Attributes:
        crops: Crops in a step.
        crop: Side of a crop in pixels of the small frame.
        plain: Share of the crops that the codec did not touch.
        learning_rate: Highest learning rate (AdamW).
        seed: Seed of weights and batches.
    """

    crops: int = 8
    crop: int = 24
    plain: float = 0.15
    learning_rate: float = 2e-3
    seed: int = 1


def build_upsampler() -> Any:
    """Return an untrained network: float (N, 3, H, W) in [0, 1] to (N, 3, 4 H, 4 W)."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Upsampler(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, _WIDTH, 5, padding=2)
            self.layers = nn.ModuleList(
                nn.Sequential(
                    nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1),
                    nn.SiLU(),
                    nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1),
                )
                for _ in range(_LAYERS)
            )
            self.last = nn.Conv2d(_WIDTH, 3 * _FACTOR**2, 3, padding=1)
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)

        def forward(self, frames: Any) -> Any:
            x = self.first(frames)
            for layer in self.layers:
                x = x + layer(x)
            detail = functional.pixel_shuffle(self.last(functional.silu(x)), _FACTOR)
            plain = functional.interpolate(
                frames, scale_factor=_FACTOR, mode="bilinear", align_corners=False
            )
            return plain + detail

    torch.manual_seed(0)
    return Upsampler()


def train_upsampler(
    small: ClipFolder,
    large: ClipFolder,
    codec: Any,
    checkpoint: Path,
    *,
    settings: UpsamplerSettings,
    budget: Budget,
    progress: Progress = no_progress,
) -> Run:
    """Train on crops of frames.

    Args:
        small: Clips at the model's size.
        large: The same scenes at four times the size, at any lower rate.
        codec: The trained codec.
        checkpoint: State to go on from and to write.
        settings: How to train.
        budget: When to stop.
        progress: Told of every step.

    Raises:
        UsageError: The folders do not show the same scenes.
    """
    import torch

    torch.manual_seed(settings.seed)
    device = best_device()
    pairs = _pairs(small, large, codec.to(device), device, progress)
    network = build_upsampler().to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
    run = Run(
        family="nano upsampler",
        networks={"upsampler": network},
        optimisers={"upsampler": optimiser},
        shipped=("upsampler",),
        seed=settings.seed,
        rate={"upsampler": settings.learning_rate},
        decay=0.998,
    )

    def step() -> dict[str, float]:
        rng = np.random.default_rng([settings.seed, run.step])
        inputs, targets = _crops(pairs, settings, rng)
        with low_precision(device):
            made = network(torch.from_numpy(inputs).to(device)).float()
        target = torch.from_numpy(targets).to(device)
        loss = frame_loss(made[:, :, None], target[:, :, None])
        follow(loss, optimiser)
        return {"loss": float(loss.detach())}

    return train(run, step, checkpoint, budget, progress)


@dataclass(frozen=True)
class _Pairs:
    """Frames uint8: drawn small, the same after the codec, drawn large."""

    plain: Any
    coded: Any
    large: Any


def _pairs(
    small: ClipFolder, large: ClipFolder, codec: Any, device: str, progress: Progress
) -> _Pairs:
    count = min(len(small), len(large))
    fine, coarse = small.settings, large.settings
    step = fine.fps // coarse.fps
    alike = (fine.seed, fine.split, fine.size * _FACTOR) == (
        coarse.seed,
        coarse.split,
        coarse.size,
    )
    if not alike or small.clips[:count] != large.clips[:count]:
        raise UsageError("The large clips do not show the scenes of the small ones.")
    plain, coded = [], []
    needed = 4 * -(-step * (coarse.num_frames - 1) // 4) + 1
    for index in range(count):
        chosen = range(0, step * coarse.num_frames, step)
        clip = np.asarray(small.frames[index])
        rebuilt = _through_codec(codec, clip[None, :needed], device)[0]
        plain.append(clip[list(chosen)])
        coded.append(rebuilt[list(chosen)])
        progress("coding frames", index + 1, count)
    flat = [np.concatenate(part) for part in (plain, coded)]
    return _Pairs(flat[0], flat[1], large.frames[:count].reshape(-1, *large.frames.shape[2:]))


def _through_codec(codec: Any, clips: Any, device: str) -> Any:
    """Return clips uint8 (B, F, H, W, 3) as the codec gives them back."""
    import torch

    with torch.no_grad(), low_precision(device):
        rebuilt = decode_clips(codec, encode_clips(codec, to_model(clips, device))[0])
    frames = ((rebuilt.clamp(-1, 1) + 1) * 127.5).round().byte()
    return frames.permute(0, 2, 3, 4, 1).cpu().numpy()


def _crops(pairs: _Pairs, settings: UpsamplerSettings, rng: np.random.Generator) -> Any:
    """Return float32 inputs (n, 3, c, c) and targets (n, 3, 4 c, 4 c) in [0, 1]."""
    side = settings.crop
    inputs, targets = [], []
    for _ in range(settings.crops):
        index = int(rng.integers(len(pairs.plain)))
        source = pairs.plain if rng.random() < settings.plain else pairs.coded
        top, left = rng.integers(source.shape[1] - side + 1, size=2)
        part = source[index, top : top + side, left : left + side]
        y, x = _FACTOR * top, _FACTOR * left
        goal = pairs.large[index, y : y + _FACTOR * side, x : x + _FACTOR * side]
        if rng.random() < 0.5:
            part, goal = part[:, ::-1], goal[:, ::-1]
        inputs.append(part)
        targets.append(goal)
    return tuple(
        np.ascontiguousarray(np.stack(part).transpose(0, 3, 1, 2), np.float32) / 255
        for part in (inputs, targets)
    )


def export_upsampler(checkpoint: Path, target: Path) -> None:
    """Write the averaged weights of a checkpoint as ONNX, float32, number and size free.

    Raises:
        UsageError: The package onnx is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise UsageError(
            "Writing the upsampler needs the package onnx, which is not installed.",
            hint="Install it with: pip install 'vidigree[train]'",
        )
    import torch

    network = build_upsampler()
    load_averages(checkpoint, {"upsampler": network})
    free = {0: "n", 2: "h", 3: "w"}
    torch.onnx.export(
        network.eval(),
        (torch.zeros(1, 3, 64, 64),),
        str(target),
        input_names=["frames"],
        output_names=["large"],
        dynamic_axes={"frames": free, "large": free},
        opset_version=17,
        dynamo=False,
    )
