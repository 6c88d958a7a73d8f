"""Train the learned front end, resumably, and export it to ONNX."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidigree.media.errors import UsageError
from vidigree.media.output import output_file
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.robust.learning.checkpoint import (
    State,
    averaged,
    load_checkpoint,
    save_checkpoint,
)
from vidigree.watermark.robust.learning.crops import (
    Crops,
    SampleStore,
    correlation,
    network_inputs,
)
from vidigree.watermark.robust.learning.network import build_network

if TYPE_CHECKING:
    import torch

__all__ = ["TrainSettings", "export_network", "train_network"]

_CHECKPOINT_SECONDS = 120.0
# The first digit of the digests of the clips, of which all samples are held out: a sixteenth.
_HELD_OUT = "0"
_HELD_OUT_SAMPLES = 64
_SAMPLE = f"{'[0-9a-f]' * 16}-*[0-9].npz"
_WARM_UP = 100
# Share of the running mean of the weights that one step replaces, once it has settled.
_AVERAGING = 1e-3
_SMOOTHING = 0.02


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
        seed: Seed of the crops and of the first weights.
        device: Where to train, as PyTorch names it.
        origin: Checkpoint whose mean weights a new training begins with, its schedule anew.
    """

    seconds: float = 1200.0
    total_steps: int = 8000
    batch: int = 12
    crop: int = 96
    learning_rate: float = 1.5e-3
    threads: int = 2
    seed: int = 1
    device: str = "cpu"
    origin: Path | None = None


def train_network(
    samples: Path, checkpoint: Path, settings: TrainSettings, progress: Progress = no_progress
) -> list[dict[str, float]]:
    """Train on a folder of samples until the time or the steps are used up.

    Samples that are written meanwhile are trained on from when the state is next saved; those held
    out are what was there at the start, 64 at most.

    Args:
        samples: Folder written by :func:`~vidigree.watermark.robust.learning.samples.make_samples`.
        checkpoint: State to go on from and to write.
        settings: How to train.
        progress: Told of every step.

    Raises:
        UsageError: Too few samples or a damaged one, crops that do not fit into them, a setting out
            of range, a device that is not there, a checkpoint of another network, or a loss that
            is no number.

    Returns:
        Rows of step, training loss, and correlation with the carrier on held-out clips, of the
        linear residual and of the network.
    """
    import torch

    _check(settings, checkpoint)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    chance = _generator(settings.device)
    device = chance.device
    folder = _SampleFolder(samples, device, settings.crop)
    network, optimiser, state = _begun(settings, checkpoint, device)
    chance.manual_seed(settings.seed + 1_000_003 * state.step)
    running = torch.tensor(state.loss, device=device)
    rows: list[dict[str, float]] = []
    began = saved = time.monotonic()
    while state.step < settings.total_steps and time.monotonic() - began < settings.seconds:
        crops = folder.used.draw(settings.batch, settings.crop, chance)
        loss = _step(network, optimiser, crops, _rate(state.step, settings))
        running.lerp_(loss, _SMOOTHING)
        state.step += 1
        _average(state.mean, network, state.step)
        progress("Training", state.step, settings.total_steps)
        if time.monotonic() - saved > _CHECKPOINT_SECONDS:
            _save(checkpoint, network, optimiser, state, running)
            rows.append(_row(state, folder.held))
            folder.refresh()
            saved = time.monotonic()
    if not rows or rows[-1]["step"] != state.step:
        _save(checkpoint, network, optimiser, state, running)
        rows.append(_row(state, folder.held))
    return rows


def _begun(
    settings: TrainSettings, checkpoint: Path, device: torch.device
) -> tuple[Any, torch.optim.Optimizer, State]:
    """Return network, optimiser and state: those of the checkpoint, the origin's or new ones."""
    import torch

    network = build_network().to(device)
    if settings.origin is not None and not checkpoint.exists():
        network = averaged(load_checkpoint(settings.origin, network, None).mean).train()
    fused = device.type == "cuda"
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, fused=fused)
    if checkpoint.exists():
        return network, optimiser, load_checkpoint(checkpoint, network, optimiser)
    mean = {name: one.detach().clone() for name, one in network.named_parameters()}
    return network, optimiser, State(mean=mean)


def _step(
    network: Any, optimiser: torch.optim.Optimizer, crops: Crops, rate: float
) -> torch.Tensor:
    """Take one step of the optimiser at a learning rate; return the loss before it, a scalar."""
    import torch

    for group in optimiser.param_groups:
        group["lr"] = rate
    loss = torch.mean(crops.weights * (network(crops.inputs) - crops.targets) ** 2)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return loss.detach()


def _save(path: Path, network: Any, optimiser: Any, state: State, running: Any) -> None:
    """Write a checkpoint, unless a loss on the way was no number.

    Looked at here only: a look at every step would have a GPU wait for it.

    Raises:
        UsageError: A loss was no number.
    """
    state.loss = float(running)
    if not np.isfinite(state.loss):
        raise UsageError(
            f"The loss up to step {state.step} is no number: a sample or {path} is damaged.",
            hint="Write the samples again, or lower the learning rate; what was saved stays.",
        )
    save_checkpoint(path, network, optimiser, state)


def export_network(checkpoint: Path, target: Path) -> None:
    """Write a checkpoint's network as ONNX, float32, sizes free.

    Raises:
        OutputError: It cannot be written.
    """
    import torch

    network = averaged(load_checkpoint(checkpoint, build_network(), None).mean)
    with output_file(target, overwrite=True) as temporary:
        torch.onnx.export(
            network,
            (torch.zeros(1, 2, 64, 64),),
            str(temporary),
            input_names=["picture"],
            output_names=["carrier"],
            dynamic_axes={name: {0: "n", 2: "h", 3: "w"} for name in ("picture", "carrier")},
            opset_version=17,
            dynamo=False,
        )


def _check(settings: TrainSettings, checkpoint: Path) -> None:
    """Refuse what would fail after the samples were read, or at the first save.

    Raises:
        UsageError: A setting is out of range, or the checkpoint's folder is not there.
    """
    if settings.crop % 8:
        raise UsageError(
            f"Crops of {settings.crop} pixels cannot be halved three times.",
            hint=f"Give a multiple of 8, such as {max(8, settings.crop // 8 * 8)}.",
        )
    # Written so that nan is refused.
    if not (settings.seconds >= 0 and 0 < settings.learning_rate < 1):
        raise UsageError(
            f"{settings.seconds} seconds at a rate of {settings.learning_rate} is no training.",
            hint="Give positive numbers, the rate below 1.",
        )
    if not checkpoint.parent.is_dir():
        raise UsageError(
            f"The folder {checkpoint.parent} is not there.", hint="Make it, or name another file."
        )


class _SampleFolder:
    """The samples of a folder on a device, those that are held out apart.

    Attributes:
        used: Samples to train on.
        held: Samples that are held out, the same throughout.

    Raises:
        UsageError: There are none of one kind, one is damaged, or crops do not fit into them.
    """

    def __init__(self, folder: Path, device: torch.device, crop: int) -> None:
        self.used, self.held = SampleStore(device), SampleStore(device)
        self._folder, self._crop = folder, crop
        self._known: set[Path] = set()
        held, used = _split(folder)
        if not held or not used:
            raise UsageError(
                f"{folder} holds {len(used)} samples to train on and {len(held)} of clips that are "
                "held out, a sixteenth by their SHA-256; both are needed.",
                hint="Write samples of other clips, too: vidigree watermark make-samples",
            )
        self.held.add(held[:: max(1, len(held) // _HELD_OUT_SAMPLES)][:_HELD_OUT_SAMPLES])
        self.refresh()

    def refresh(self) -> None:
        """Take in what there is to train on and new in the folder."""
        _, used = _split(self._folder)
        self.used.add(path for path in used if path not in self._known)
        self._known.update(used)
        if self._crop > self.used.largest_crop:
            raise UsageError(
                f"Crops of {self._crop} pixels do not fit into all samples in {self._folder}.",
                hint=f"Give --crop {self.used.largest_crop // 8 * 8} at most.",
            )


def _split(samples: Path) -> tuple[list[Path], list[Path]]:
    """Return the samples of the clips that are held out, and those to train on."""
    files = sorted(samples.glob(_SAMPLE))
    return (
        [file for file in files if file.name.startswith(_HELD_OUT)],
        [file for file in files if not file.name.startswith(_HELD_OUT)],
    )


def _generator(device: str) -> torch.Generator:
    """Return a source of chance on a device of PyTorch's.

    Raises:
        UsageError: The device is not there.
    """
    import torch

    try:
        torch.zeros(1, device=device)
        return torch.Generator(device)
    except (RuntimeError, AssertionError, ImportError) as error:
        raise UsageError(
            f"PyTorch cannot use the device {device!r}.",
            hint="Give --device cpu, or the name of a GPU that is there, such as cuda:0.",
        ) from error


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


def _row(state: State, held: SampleStore) -> dict[str, float]:
    """Return how far the training is; see :func:`train_network`."""
    return {"step": state.step, "loss": state.loss, **_held_out(state.mean, held)}


def _held_out(mean: dict[str, Any], store: SampleStore) -> dict[str, float]:
    """Return the mean correlation with the carrier per picture, linear and learned."""
    import torch

    network = averaged(mean)
    linear, learned = [], []
    for pick in range(len(store)):
        luma, pattern = (each[None] for each in store.whole(pick))
        height, width = luma.shape[1] // 8 * 8, luma.shape[2] // 8 * 8
        with torch.no_grad():
            inputs = network_inputs(luma)
            out = network(inputs[:, :, :height, :width])[:, 0]
        linear.append(float(correlation(inputs[:, 1], pattern)))
        learned.append(float(correlation(out, pattern[:, :height, :width])))
    return {"linear": float(np.mean(linear)), "learned": float(np.mean(learned))}
