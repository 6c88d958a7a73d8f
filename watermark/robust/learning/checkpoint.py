"""How far a training is: weights, their running mean and the optimiser's moments, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidigree.media.errors import UsageError
from vidigree.media.output import output_file
from vidigree.watermark.robust.learning.archives import arrays_in
from vidigree.watermark.robust.learning.network import build_network

__all__ = ["State", "averaged", "load_checkpoint", "save_checkpoint"]


_KINDS = ("weights", "mean")
_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(kw_only=True)
class State:
    """How far the training is, besides the weights and the optimiser's moments.

    Attributes:
        step: Steps done.
        loss: Running mean of the loss.
        mean: Running mean of the weights, by name; tensors.
    """

    step: int = 0
    loss: float = 0.0
    mean: dict[str, Any]


def averaged(mean: dict[str, Any]) -> Any:
    """Return a network with the running mean of the weights, where that is."""
    import torch

    network = build_network().to(next(iter(mean.values())).device)
    with torch.no_grad():
        for name, value in network.named_parameters():
            value.copy_(mean[name])
    return network.eval()


def save_checkpoint(path: Path, network: Any, optimiser: Any, state: State) -> None:
    """Write a state whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    arrays: dict[str, Any] = {"step": np.array(state.step), "loss": np.array(state.loss)}
    for name, weights in network.named_parameters():
        arrays[f"weights/{name}"] = weights.detach().cpu().numpy()
        arrays[f"mean/{name}"] = state.mean[name].cpu().numpy()
        moments = optimiser.state.get(weights, {})
        for key in _MOMENTS:
            if key in moments:
                arrays[f"{key}/{name}"] = moments[key].cpu().numpy()
    with output_file(path, overwrite=True) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)


def load_checkpoint(path: Path, network: Any, optimiser: Any) -> State:
    """Read what :func:`save_checkpoint` wrote into a network and its optimiser.

    Args:
        path: The file.
        network: The network, on any device.
        optimiser: Its optimiser, or ``None`` to leave the moments.

    Raises:
        UsageError: The checkpoint is of another network.
    """
    import torch

    arrays = arrays_in(path)
    if not _fits(arrays, network):
        raise UsageError(
            f"{path} is no checkpoint of this network, or damaged.",
            hint="Name another file, or remove it to begin anew.",
        )
    state = State(step=int(arrays["step"]), loss=float(arrays["loss"]), mean={})
    for name, weights in network.named_parameters():
        there = {
            kind: torch.from_numpy(arrays[f"{kind}/{name}"]).to(weights.device)
            for kind in (*_KINDS, *_MOMENTS)
            if f"{kind}/{name}" in arrays
        }
        with torch.no_grad():
            weights.copy_(there["weights"])
        state.mean[name] = there["mean"]
        if optimiser is not None and set(_MOMENTS) <= set(there):
            step = torch.tensor(float(state.step), device=weights.device)
            optimiser.state[weights] = {"step": step, **{key: there[key] for key in _MOMENTS}}
    return state


def _fits(arrays: dict[str, Any], network: Any) -> bool:
    """Return whether a checkpoint holds all that there is to know of a network like this one."""
    return {"step", "loss"} <= set(arrays) and all(
        f"{kind}/{name}" in arrays and arrays[f"{kind}/{name}"].shape == tuple(weights.shape)
        for kind in _KINDS
        for name, weights in network.named_parameters()
    )
