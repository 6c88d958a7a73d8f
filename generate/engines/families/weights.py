"""Reads and writes the weights of the families: safetensors with their facts, never pickles.

What is shipped is narrow: matrices and kernels as whole numbers of 8 bits with one float16 scale a
row (largest value to 127), everything else as float16.
"""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vidigree.media.errors import EngineError, UsageError
from vidigree.media.output import output_file

if TYPE_CHECKING:
    import torch

__all__ = ["Weights", "read_weights", "shipped_facts", "shipped_weights", "write_weights"]


# Smaller tensors are not worth a scale.
_FEWEST: Final = 1024


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Trained networks and how they came about.

    Attributes:
        networks: Their tensors, float32, by the name of the network.
        facts: Family, seed, steps, CPU seconds, losses, notes; JSON values.
    """

    networks: dict[str, dict[str, torch.Tensor]]
    facts: dict[str, Any]

    def load(self, name: str, network: torch.nn.Module) -> Any:
        """Put the tensors into ``network`` and return it, ready to be used.

        Raises:
            EngineError: The weights are not those of this network.
        """
        try:
            network.load_state_dict(self.networks[name])
        except (KeyError, RuntimeError) as error:
            raise EngineError(
                f"The weights of {self.facts.get('family', name)!r} do not fit: {error}",
                hint="Install vidigree again, or train them again.",
            ) from error
        return network.eval().requires_grad_(requires_grad=False)


def shipped_weights(family: str) -> Weights:
    """Return the weights that come with the package.

    Raises:
        EngineError: They are missing, or torch is.
    """
    resource = importlib.resources.files("vidigree.generate.engines.families") / "weights"
    with importlib.resources.as_file(resource / f"{family}.safetensors") as path:
        return read_weights(path)


def shipped_facts(family: str) -> dict[str, Any]:
    """Return the facts of the weights that come with the package, read without torch.

    Raises:
        EngineError: They are missing or damaged.
    """
    resource = importlib.resources.files("vidigree.generate.engines.families") / "weights"
    name = f"{family}.safetensors"
    try:
        with (resource / name).open("rb") as stored:
            # A file begins with the length of its header, in 8 bytes, and the header as JSON.
            header = stored.read(int.from_bytes(stored.read(8), "little"))
        facts: dict[str, Any] = json.loads(json.loads(header)["__metadata__"]["facts"])
    except (OSError, ValueError, KeyError, OverflowError, MemoryError) as error:
        raise _unreadable(name, error) from error
    return facts


def _unreadable(name: str, error: Exception) -> EngineError:
    return EngineError(
        f"The weights {name} cannot be read: {error}.", hint="Install vidigree again."
    )


def read_weights(path: Path) -> Weights:
    """Return what :func:`write_weights` wrote; of a checkpoint, its moving averages.

    Raises:
        EngineError: The file is missing or damaged, or torch is not installed.
    """
    try:
        import torch  # noqa: F401 -- safetensors needs it to hand out tensors
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise EngineError(
            f"This engine needs {error.name}, which is not installed.",
            hint="Install it with: pip install 'vidigree[families]'",
        ) from error
    networks: dict[str, dict[str, torch.Tensor]] = {}
    try:
        with safe_open(str(path), framework="pt") as stored:
            facts = json.loads((stored.metadata() or {}).get("facts", "{}"))
            keys = set(stored.keys())
            for key in sorted(keys):
                kind, _, rest = key.partition("/")
                name, _, tensor = rest.partition("/")
                if kind == "average":
                    scale = f"scale/{rest}"
                    networks.setdefault(name, {})[tensor] = _widened(
                        stored.get_tensor(key), stored.get_tensor(scale) if scale in keys else None
                    )
    except (OSError, SafetensorError, ValueError) as error:
        raise _unreadable(path.name, error) from error
    return Weights(networks=networks, facts=facts)


def write_weights(checkpoint: Path, target: Path, *, overwrite: bool = False) -> Path:
    """Write the moving averages of a checkpoint, narrow, and return the path.

    Raises:
        EngineError: The checkpoint cannot be read.
        UsageError: It holds no weights.
        OutputError: The target cannot be written.
    """
    weights = read_weights(checkpoint)
    if not weights.networks:
        raise UsageError(f"{checkpoint} holds no weights.")
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    for name, state in weights.networks.items():
        for key, value in state.items():
            tensors |= _narrowed(f"{name}/{key}", value)
    with output_file(target, overwrite=overwrite) as temporary:
        save_file(tensors, str(temporary), {"facts": json.dumps(weights.facts)})
    return target


def _narrowed(name: str, value: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return what is stored of one tensor."""
    import torch

    if value.dtype != torch.float32:
        return {f"average/{name}": value.contiguous()}
    if value.ndim < 2 or value.numel() < _FEWEST:
        return {f"average/{name}": value.half().contiguous()}
    rows = value.flatten(1)
    scale = (rows.abs().amax(1) / 127).clamp(min=1e-7).half()
    whole = (rows / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
    return {f"average/{name}": whole.view_as(value).contiguous(), f"scale/{name}": scale}


def _widened(tensor: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor:
    if scale is not None:
        return tensor.float() * scale.float().view(-1, *[1] * (tensor.ndim - 1))
    return tensor.float() if tensor.dtype.is_floating_point else tensor
