"""The further arguments that the embedded model takes with a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from vidigree.media.errors import UsageError

__all__ = ["NanoOptions"]


@dataclass(frozen=True, kw_only=True)
class NanoOptions:
    """How the embedded model is run.

    Attributes:
        steps: Denoising steps, 1 to 1,000.
        guidance: Classifier-free guidance scale, 0 to 20; at 1 and below there is none.
        device: Torch device; empty takes the first accelerator, else the CPU.
    """

    steps: int = 20
    guidance: float = 3.0
    device: str = ""

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> NanoOptions:
        """Read the options of a request.

        Raises:
            UsageError: An option is unknown or its value cannot be meant.
        """
        known = {field.name for field in fields(cls)}
        for key in options:
            if key not in known:
                raise UsageError(
                    f"The nano engine has no option {key!r}.",
                    hint=f"Known: {', '.join(sorted(known))}.",
                )
        return cls(**options)

    def __post_init__(self) -> None:
        _check_number("steps", self.steps, 1, 1000, whole=True)
        _check_number("guidance", self.guidance, 0, 20, whole=False)
        if not isinstance(self.device, str):
            raise UsageError(f"The option device is {self.device!r}, not a name such as cpu.")


def _check_number(name: str, value: object, low: int, high: int, *, whole: bool) -> None:
    kinds = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "whole number" if whole else "number"
        raise UsageError(f"The option {name} is {value!r}; it must be a {kind}, {low} to {high}.")
