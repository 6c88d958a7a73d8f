"""Train the learned front end, resumably, and export it to ONNX."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.robust.learned import network_input
from vidigree.watermark.robust.learning.network import build_network
from vidigree.watermark.robust.stretches import as_luma

__all__ = ["TrainSettings", "export_network", "train_network"]

_CHECKPOINT_SECONDS = 120.0
# Clips, of which all samples are held out.
_HELD_OUT = 8
_WARM_UP = 100
# Share of the running mean of the weights that one step replaces, once it has settled.
_AVERAGING = 1e-3
# The linear residual of a crop is right this far from its edges, in pixels.
_MARGIN = 16
_GAIN = (0.45, 1.2)
# A crop's say in the loss falls with the share of the carrier that the linear residual has left.
# Otherwise what is barely compressed has all of it: there is most squared error to be saved.
_CLEAR = 0.01


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How to train.

    Attributes:
        seconds: Wall time of this run, s; a later run goes on where this one stopped.
        total_steps: Steps over which the learning rate falls to nothing.
        batch: Crops in a step.
        crop: Side of a crop in working pixels, a multiple of 8.
        learning_rate: Highest learning rate (AdamW).
        threads: CPU threads.
        seed: Seed of the crops.
        origin: Checkpoint whose mean weights a new training begins with, its schedule anew.
    """

    seconds: float = 1200.0
    total_steps: int = 8000
    batch: int = 12
    crop: int = 96
    learning_rate: float = 1.5e-3
    threads: int = 2
    seed: int = 1
    origin: Path | None = None


@dataclass(kw_only=True)
class _State:
    """How far the training is, besides the weights and the optimiser's moments.

    Attributes:
        step: Steps done.
        loss: Running mean of the loss.
        mean: Running mean of the weights, by name; tensors.
    """

    step: int = 0
    loss: float = 0.0
    mean: dict[str, Any]


def train_network(
    samples: Path, checkpoint: Path, settings: TrainSettings, progress: Progress = no_progress
) -> list[dict[str, float]]:
    """Train on a folder of samples until the time or the steps are used up.

    Args:
        samples: Folder written by :func:`~vidigree.watermark.robust.learning.samples.make_samples`.
        checkpoint: State to go on from and to write.
        settings: How to train.
        progress: Told of every step.

    Raises:
        UsageError: Too few samples, a checkpoint of another network, or a loss that is no number.

    Returns:
        Rows of step, training loss, and correlation with the carrier on held-out clips, of the
        linear residual and of the network.
    """
    import torch

    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    network = build_network()
    if settings.origin is not None and not checkpoint.exists():
        network = _averaged(_restore(settings.origin, network, None).mean).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
    held, used = _split(samples)
    state = _State(mean={name: one.detach().clone() for name, one in network.named_parameters()})
    if checkpoint.exists():
        state = _restore(checkpoint, network, optimiser)
    crops = _crops(used, settings, np.random.default_rng((settings.seed, state.step)))
    rows: list[dict[str, float]] = []
    began = saved = time.monotonic()
    while state.step < settings.total_steps and time.monotonic() - began < settings.seconds:
        for group in optimiser.param_groups:
            group["lr"] = _rate(state.step, settings)
        inputs, targets, says = (torch.from_numpy(each) for each in next(crops))
        loss = torch.mean(says * (network(inputs) - targets) ** 2)
        if not bool(torch.isfinite(loss)):
            raise UsageError(
                f"The loss at step {state.step} is no number: a sample or {checkpoint} is damaged.",
                hint="Write the samples again, or lower the learning rate; what was saved stays.",
            )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        state.step += 1
        _average(state.mean, network, state.step)
        state.loss = 0.98 * state.loss + 0.02 * float(loss.detach())
        progress("Training", state.step, settings.total_steps)
        if time.monotonic() - saved > _CHECKPOINT_SECONDS or state.step == settings.total_steps:
            saved = time.monotonic()
            measured = _held_out(state.mean, held)
            rows.append({"step": state.step, "loss": state.loss, **measured})
            _save(checkpoint, network, optimiser, state)
    _save(checkpoint, network, optimiser, state)
    return rows


def _split(samples: Path) -> tuple[list[Path], list[Path]]:
    """Return the samples of the clips that are held out, and those to train on.

    Raises:
        UsageError: There are samples of too few clips.
    """
    files = sorted(samples.glob("*[0-9].npz"))
    clips = sorted({file.name.split("-")[0] for file in files})
    if len(clips) <= _HELD_OUT:
        raise UsageError(
            f"{samples} holds samples of {len(clips)} clips, and {_HELD_OUT} are held out.",
            hint="Write more with: vidigree watermark make-samples",
        )
    held = set(clips[:_HELD_OUT])
    return (
        [file for file in files if file.name.split("-")[0] in held],
        [file for file in files if file.name.split("-")[0] not in held],
    )


def _rate(step: int, settings: TrainSettings) -> float:
    """Return the learning rate: rising, then falling along half a cosine."""
    rise = min(1.0, (step + 1) / _WARM_UP)
    fall = 0.5 * (1 + float(np.cos(np.pi * step / settings.total_steps))) + 0.01
    return settings.learning_rate * rise * fall


def _average(mean: dict[str, Any], network: Any, step: int) -> None:
    """Follow the weights by a running mean, which is what is exported."""
    share = max(_AVERAGING, 1.0 / step)
    for name, value in network.named_parameters():
        mean[name].lerp_(value.detach(), share)


def export_network(checkpoint: Path, target: Path) -> None:
    """Write a checkpoint's network as ONNX, float32, sizes free."""
    import torch

    network = _averaged(_restore(checkpoint, build_network(), None).mean)
    torch.onnx.export(
        network,
        (torch.zeros(1, 2, 64, 64),),
        str(target),
        input_names=["picture"],
        output_names=["carrier"],
        dynamic_axes={name: {0: "n", 2: "h", 3: "w"} for name in ("picture", "carrier")},
        opset_version=17,
        dynamo=False,
    )


def _crops(
    files: list[Path], settings: TrainSettings, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
    """Yield batches of inputs (n, 2, c, c), turned, mirrored and dimmed, and what they are to give.

    That is carriers (n, 1, c, c), and the say of each in the loss (n, 1, 1, 1).
    """
    side = settings.crop
    whole = side + 2 * _MARGIN
    kept: dict[Path, tuple[NDArray[np.int16], NDArray[np.float16]]] = {}
    while True:
        inputs = np.empty((settings.batch, 2, side, side), np.float32)
        targets = np.empty((settings.batch, 1, side, side), np.float32)
        says = np.empty((settings.batch, 1, 1, 1), np.float32)
        for index in range(settings.batch):
            path = files[int(rng.integers(len(files)))]
            if path not in kept:
                with np.load(path) as data:
                    kept[path] = data["luma"], data["pattern"]
            lumas, pattern = kept[path]
            luma = as_luma(lumas[int(rng.integers(len(lumas)))])
            top = int(rng.integers(0, max(1, luma.shape[0] - whole + 1)))
            left = int(rng.integers(0, max(1, luma.shape[1] - whole + 1)))
            window = slice(top, top + whole), slice(left, left + whole)
            turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
            picture = _turned(luma[window], turns, mirrored) * np.float32(rng.uniform(*_GAIN))
            carrier = _turned(pattern[window], turns, mirrored)
            middle = slice(_MARGIN, _MARGIN + side), slice(_MARGIN, _MARGIN + side)
            inputs[index] = network_input(picture)[:, *middle]
            targets[index] = carrier[middle]
            residual = inputs[index, 1]
            # In black there is nothing to correlate.
            seen = _correlation(residual, targets[index, 0]) ** 2 if residual.std() > 0 else 0.0
            says[index] = _CLEAR / (_CLEAR + seen)
        yield inputs, targets, says


def _turned(picture: NDArray[Any], turns: int, mirrored: bool) -> NDArray[np.float32]:
    """Return a picture turned by quarters and mirrored."""
    turned = np.rot90(picture, turns)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned, np.float32)


def _held_out(mean: dict[str, Any], files: list[Path]) -> dict[str, float]:
    """Return the mean correlation with the carrier per picture, linear and learned."""
    import torch

    network = _averaged(mean)
    linear, learned = [], []
    for path in files:
        with np.load(path) as data:
            lumas, pattern = data["luma"], data["pattern"].astype(np.float32)
        height, width = lumas.shape[1] // 8 * 8, lumas.shape[2] // 8 * 8
        for kept in lumas:
            picture = network_input(as_luma(kept))
            with torch.no_grad():
                out = network(torch.from_numpy(picture[None, :, :height, :width]))
            linear.append(_correlation(picture[1], pattern))
            learned.append(_correlation(out.numpy()[0, 0], pattern[:height, :width]))
    return {"linear": float(np.mean(linear)), "learned": float(np.mean(learned))}


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def _averaged(mean: dict[str, Any]) -> Any:
    """Return a network with the running mean of the weights."""
    import torch

    network = build_network()
    with torch.no_grad():
        for name, value in network.named_parameters():
            value.copy_(mean[name])
    return network.eval()


def _save(path: Path, network: Any, optimiser: Any, state: _State) -> None:
    """Write weights, their mean and the optimiser's moments as arrays, whole or not at all."""
    arrays: dict[str, Any] = {"step": np.array(state.step), "loss": np.array(state.loss)}
    for name, weights in network.named_parameters():
        arrays[f"weights/{name}"] = weights.detach().numpy()
        arrays[f"mean/{name}"] = state.mean[name].numpy()
        moments = optimiser.state.get(weights, {})
        for key in ("exp_avg", "exp_avg_sq"):
            if key in moments:
                arrays[f"{key}/{name}"] = moments[key].numpy()
    partial = path.with_suffix(".part.npz")
    np.savez(partial, **arrays)
    partial.replace(path)


def _restore(path: Path, network: Any, optimiser: Any) -> _State:
    """Read what :func:`_save` wrote.

    Raises:
        UsageError: The checkpoint is of another network.
    """
    import torch

    with np.load(path) as arrays, torch.no_grad():
        if not _fits(arrays, network):
            raise UsageError(
                f"{path} is no checkpoint of this network.",
                hint="Name another file, or remove it to begin anew.",
            )
        state = _State(step=int(arrays["step"]), loss=float(arrays["loss"]), mean={})
        for name, weights in network.named_parameters():
            weights.copy_(torch.from_numpy(arrays[f"weights/{name}"]))
            state.mean[name] = torch.from_numpy(arrays[f"mean/{name}"])
            if optimiser is not None and f"exp_avg/{name}" in arrays:
                optimiser.state[weights] = {
                    "step": torch.tensor(float(state.step)),
                    "exp_avg": torch.from_numpy(arrays[f"exp_avg/{name}"]),
                    "exp_avg_sq": torch.from_numpy(arrays[f"exp_avg_sq/{name}"]),
                }
    return state


def _fits(arrays: Any, network: Any) -> bool:
    """Return whether a checkpoint holds all that there is to know of a network like this one."""
    return {"step", "loss"} <= set(arrays) and all(
        f"{kind}/{name}" in arrays and arrays[f"{kind}/{name}"].shape == tuple(weights.shape)
        for kind in ("weights", "mean")
        for name, weights in network.named_parameters()
    )
