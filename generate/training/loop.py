"""The training loop of everything that is trained here.

Budgets, learning rates, moving averages, and checkpoints that go on exactly.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from vidigree.media.errors import UsageError
from vidigree.media.output import check_target, output_file
from vidigree.media.progress import Progress, no_progress

__all__ = ["Budget", "Run", "follow", "load_averages", "read_facts", "train"]

_SAVE_EVERY: Final = 60.0  # CPU seconds
_WARM_UP: Final = 100  # steps
_LAST_RATE: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Budget:
    """When to stop, counted over all runs that a checkpoint went through.

    Attributes:
        minutes: CPU minutes of the process; ``None`` counts steps only.
        steps: Steps; ``None`` counts minutes only.
        pause_after: Seconds by the clock after which this run stops, to be gone on with; the
            learning rates follow the other two only.
        pause_steps: Steps after which this run stops likewise.
    """

    minutes: float | None = None
    steps: int | None = None
    pause_after: float | None = None
    pause_steps: int | None = None

    def used(self, run: Run) -> float:
        """Return the share of the budget that is used up, 0 to 1."""
        shares = [0.0]
        if self.minutes is not None:
            shares.append(run.seconds / (60 * self.minutes))
        if self.steps is not None:
            shares.append(run.step / self.steps)
        return min(max(shares), 1.0)

    def pauses(self, steps: int, seconds: float) -> bool:
        """Whether a run that made ``steps`` in ``seconds`` stops, to be gone on with."""
        enough = self.pause_steps is not None and steps >= self.pause_steps
        return enough or (self.pause_after is not None and seconds >= self.pause_after)


@dataclass
class Run:
    """Everything that changes while a family trains; what a checkpoint holds.

    Attributes:
        family: What is trained, e.g. ``"gan"`` or ``"nano denoiser"``.
        networks: Networks by name.
        optimisers: Optimisers by name.
        shipped: Names of the networks whose moving average is what is shipped.
        seed: What ``random`` and the first weights came from.
        rate: Highest learning rate, by optimiser.
        random: The only source of randomness that is not drawn anew from seed and step.
        falls: Whether the rates fall to a twentieth over the budget (a cosine).
        decay: Decay of the moving average.
        notes: Facts for whoever loads the weights; JSON values.
        step: Steps done.
        seconds: CPU seconds used.
        losses: Moving averages of the losses, by name.
        averages: Moving averages of the weights of what is shipped, by network and name.
    """

    family: str
    networks: dict[str, nn.Module]
    optimisers: dict[str, torch.optim.Optimizer]
    shipped: tuple[str, ...]
    seed: int
    rate: dict[str, float]
    random: torch.Generator = field(default_factory=torch.Generator)
    falls: bool = True
    decay: float = 0.999
    notes: dict[str, Any] = field(default_factory=dict)
    step: int = 0
    seconds: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)
    averages: dict[str, dict[str, torch.Tensor]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.shipped:
            state = self.networks[name].state_dict()
            self.averages[name] = {key: value.detach().clone() for key, value in state.items()}

    def set_rates(self, used: float) -> None:
        """Set the learning rates for the next step."""
        fall = _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * used))
        factor = min(1.0, (self.step + 1) / _WARM_UP) * (fall if self.falls else 1.0)
        for name, optimiser in self.optimisers.items():
            for group in optimiser.param_groups:
                group["lr"] = self.rate[name] * factor

    def update_averages(self) -> None:
        """Move the averages towards the networks; early on they follow closely."""
        decay = min(self.decay, (1 + self.step) / (10 + self.step))
        for name, average in self.averages.items():
            for key, value in self.networks[name].state_dict().items():
                if value.dtype.is_floating_point:
                    average[key].lerp_(value.detach(), 1 - decay)
                else:
                    average[key].copy_(value)

    def note(self, losses: Mapping[str, float]) -> None:
        """Take the losses of one step into the moving averages."""
        for name, value in losses.items():
            known = self.losses.get(name, value)
            self.losses[name] = 0.98 * known + 0.02 * value

    def save(self, path: Path) -> None:
        """Write the checkpoint whole or not at all."""
        tensors = {"random": self.random.get_state()}
        for name, network in self.networks.items():
            tensors |= {f"network/{name}/{k}": v for k, v in network.state_dict().items()}
        for name, average in self.averages.items():
            tensors |= {f"average/{name}/{k}": v for k, v in average.items()}
        for name, optimiser in self.optimisers.items():
            for index, state in optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser/{name}/{index}/{k}": v for k, v in state.items()}
        facts = {
            "family": self.family,
            "seed": self.seed,
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
            "notes": self.notes,
        }
        with output_file(path, overwrite=True) as temporary:
            save_file(
                {key: value.detach().contiguous().clone() for key, value in tensors.items()},
                str(temporary),
                {"facts": json.dumps(facts)},
            )

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            UsageError: It is no checkpoint of this family, or damaged.
        """
        facts, tensors = _read(path)
        if facts.get("family") != self.family or facts.get("seed") != self.seed:
            raise UsageError(
                f"{path} is a checkpoint of {facts.get('family', 'something else')!r} with seed"
                f" {facts.get('seed')}, not of {self.family!r} with seed {self.seed}."
            )
        try:
            self._take(facts, tensors)
        except (RuntimeError, LookupError, ValueError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{path} is a damaged checkpoint, or one of other networks.",
                hint="Choose another file to begin anew.",
            ) from error

    def _take(self, facts: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        for name, network in self.networks.items():
            network.load_state_dict(_under(tensors, f"network/{name}/"))
        for name, average in self.averages.items():
            for key, value in _under(tensors, f"average/{name}/").items():
                average[key].copy_(value)
        for name, optimiser in self.optimisers.items():
            _restore_optimiser(optimiser, _under(tensors, f"optimiser/{name}/"))
        self.random.set_state(tensors["random"])
        self.step, self.seconds = facts["step"], facts["seconds"]
        self.losses, self.notes = facts["losses"], facts["notes"]


def train(
    run: Run,
    step: Callable[[], Mapping[str, float]],
    checkpoint: Path,
    budget: Budget,
    progress: Progress = no_progress,
) -> Run:
    """Train until the budget is used up, from the checkpoint on if there is one.

    The same seed, set and number of steps give the same weights, however often the training was
    interrupted, as long as the budget counts steps: rates that follow the clock follow the machine.

    Args:
        run: What to train.
        step: Does one step: losses, gradients, optimisers. Returns the losses.
        checkpoint: State to go on from and to write, a safetensors file.
        budget: When to stop.
        progress: Told of the share of the budget in per mille.

    Returns:
        ``run``, trained; its checkpoint is written.

    Raises:
        UsageError: The checkpoint is one of something else, or damaged.
        OutputError: It cannot be written.
    """
    check_target(checkpoint, overwrite=True)
    if checkpoint.exists():
        run.restore(checkpoint)
    clock = saved = time.process_time()
    begun, first = time.monotonic(), run.step
    while (used := budget.used(run)) < 1:
        if budget.pauses(run.step - first, time.monotonic() - begun):
            break
        run.set_rates(used)
        run.note(step())
        run.step += 1
        run.update_averages()
        now = time.process_time()
        run.seconds += now - clock
        clock = now
        if now - saved > _SAVE_EVERY:
            run.save(checkpoint)
            saved = now
        losses = ", ".join(f"{name} {value:.3f}" for name, value in run.losses.items())
        progress(f"{run.family} step {run.step} ({losses})", round(1000 * used), 1000)
    run.save(checkpoint)
    return run


def follow(loss: torch.Tensor, optimiser: torch.optim.Optimizer, longest: float = 1.0) -> None:
    """Follow the gradient of ``loss`` once, cut to the length ``longest``."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(parameters, longest)
    optimiser.step()


def read_facts(path: Path) -> dict[str, Any]:
    """Return family, seed, step, seconds, losses and notes of a checkpoint.

    Raises:
        UsageError: It is no checkpoint.
    """
    return _read(path)[0]


def load_averages(path: Path, networks: Mapping[str, nn.Module]) -> None:
    """Load the moving averages of a checkpoint into networks.

    Raises:
        UsageError: It is no checkpoint, or one of other networks.
    """
    facts, tensors = _read(path)
    try:
        for name, network in networks.items():
            network.load_state_dict(_under(tensors, f"average/{name}/"))
    except RuntimeError as error:
        raise UsageError(
            f"{path} is a checkpoint of {facts.get('family', 'something else')!r}, whose networks"
            " are others.",
            hint="Choose another file.",
        ) from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    try:
        with safe_open(str(path), framework="pt") as stored:
            facts = json.loads((stored.metadata() or {}).get("facts", "{}"))
            if not isinstance(facts, dict):
                raise ValueError("its facts are none")
            return facts, {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise UsageError(f"{path} is no checkpoint: {error}.") from error


def _under(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _restore_optimiser(
    optimiser: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]
) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition("/")
        state.setdefault(int(index), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
