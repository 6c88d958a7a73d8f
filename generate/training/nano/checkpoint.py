"""The state of a training run in one safetensors file: weights, averages, optimiser, step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vidigree.media.errors import UsageError

__all__ = ["Run", "RunLimits"]

_EVERY_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """When a run stops; a later run goes on where it did.

    Attributes:
        total_steps: Steps over which the learning rate falls to nothing.
        seconds: Wall time of this run; ``None`` for no limit.
        steps_now: Steps of this run; ``None`` runs to the last one.
        threads: CPU threads.
    """

    total_steps: int
    seconds: float | None = None
    steps_now: int | None = None
    threads: int = 1


class Run:
    """Modules under training with their optimiser and, if asked for, averaged weights.

    Args:
        path: The checkpoint; read if it is there.
        modules: Modules by name.
        optimiser: AdamW over their parameters.
        limits: When to stop.
        average: Decay of the exponential moving average of all weights; ``None`` keeps none.

    Raises:
        UsageError: The checkpoint belongs to other modules.
    """

    def __init__(
        self,
        path: Path,
        modules: Mapping[str, Any],
        optimiser: Any,
        limits: RunLimits,
        *,
        average: float | None = None,
    ) -> None:
        self.path = path
        self.limits = limits
        self.step = 0
        self._optimiser = optimiser
        self._decay = average
        self._weights = {
            f"{name}.{key}": tensor
            for name, module in modules.items()
            for key, tensor in module.named_parameters()
        }
        self.averages = (
            {} if average is None else {k: v.detach().clone() for k, v in self._weights.items()}
        )
        self._began = self._saved = time.monotonic()
        if path.exists():
            self._restore()
        self._started_at = self.step

    @property
    def goes_on(self) -> bool:
        """Whether there is another step to make in this run."""
        last = self.limits.total_steps
        if self.limits.steps_now is not None:
            last = min(last, self._started_at + self.limits.steps_now)
        if self.step >= last:
            return False
        seconds = self.limits.seconds
        return seconds is None or time.monotonic() - self._began < seconds

    def end_step(self) -> None:
        """Count a step, move the averages, save from time to time and at the end."""
        import torch

        self.step += 1
        if self._decay is not None:
            decay = min(self._decay, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                for key, tensor in self._weights.items():
                    self.averages[key].lerp_(tensor, 1 - decay)
        if time.monotonic() - self._saved > _EVERY_SECONDS or not self.goes_on:
            self.save()
            self._saved = time.monotonic()

    def save(self) -> None:
        """Write the state; the file is there whole or as it was before."""
        from safetensors.torch import save_file

        tensors = {f"weights.{key}": tensor.detach() for key, tensor in self._weights.items()}
        tensors |= {f"average.{key}": tensor for key, tensor in self.averages.items()}
        for key, tensor in self._weights.items():
            for slot, value in self._optimiser.state.get(tensor, {}).items():
                tensors[f"optimiser.{slot}.{key}"] = value
        partial = self.path.with_suffix(".part")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {key: tensor.contiguous() for key, tensor in tensors.items()},
            str(partial),
            metadata={"step": str(self.step)},
        )
        partial.replace(self.path)

    def _restore(self) -> None:
        tensors, self.step = read_checkpoint(self.path)
        known = {key.removeprefix("weights.") for key in tensors if key.startswith("weights.")}
        if known != set(self._weights):
            raise UsageError(
                f"{self.path} is a checkpoint of another model.", hint="Choose another file."
            )
        for key, tensor in self._weights.items():
            tensor.data.copy_(tensors[f"weights.{key}"])
            if key in self.averages:
                self.averages[key].copy_(tensors[f"average.{key}"])
            prefix, suffix = "optimiser.", f".{key}"
            self._optimiser.state[tensor] = {
                name.removeprefix(prefix).removesuffix(suffix): value.to(
                    "cpu" if value.ndim == 0 else tensor.device
                )
                for name, value in tensors.items()
                if name.startswith(prefix) and name.removeprefix(prefix).partition(".")[2] == key
            }


def read_checkpoint(path: Path) -> tuple[dict[str, Any], int]:
    """Return the tensors of a checkpoint and its step."""
    from safetensors import safe_open

    with safe_open(str(path), "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return tensors, int(file.metadata()["step"])


def load_weights(path: Path, modules: Mapping[str, Any], *, averaged: bool) -> int:
    """Load the weights of a checkpoint, or their averages, into modules; return its step."""
    tensors, step = read_checkpoint(path)
    part = "average" if averaged else "weights"
    for name, module in modules.items():
        for key, parameter in module.named_parameters():
            parameter.data.copy_(tensors[f"{part}.{name}.{key}"])
    return step
