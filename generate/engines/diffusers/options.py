"""The further arguments that the diffusers engine takes with a request."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import Any, Final, Literal, get_args, get_type_hints

from vidigree.media.errors import UsageError

__all__ = ["DiffusersOptions"]

Offload = Literal["none", "model", "sequential", "group"]
Quantisation = Literal["none", "bnb-4bit", "bnb-8bit", "torchao-int8", "quanto-int8"]

_CALL, _LOAD = "call.", "load."
_DTYPES: Final = ("auto", "float32", "float16", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class DiffusersOptions:
    """How a pipeline is loaded and called.

    Attributes:
        steps: Denoising steps; ``None`` leaves it to the pipeline.
        guidance: Classifier-free guidance scale; ``None`` leaves it to the pipeline.
        device: Torch device; empty takes the first accelerator, else the CPU.
        dtype: ``auto`` (bfloat16 on an accelerator, float32 on a CPU), ``float32``, ``float16`` or
            ``bfloat16``.
        offload: Moves parts to the CPU while they are idle: ``model``, ``sequential``, ``group``.
        quantize: Quantises the denoiser on loading.
        gguf: GGUF file to take the denoiser from.
        tiling: Decode in tiles, which takes less memory.
        lora: Folder, file or hub id of LoRA weights.
        lora_scale: Strength of the LoRA.
        noise_mark: Mark the noise that the clip starts from as well.
        call: Further arguments of the pipeline's call, untouched.
        load: Further arguments of ``from_pretrained``, untouched.
    """

    steps: int | None = None
    guidance: float | None = None
    device: str = ""
    dtype: str = "auto"
    offload: Offload = "none"
    quantize: Quantisation = "none"
    gguf: str = ""
    tiling: bool = False
    lora: str = ""
    lora_scale: float = 1.0
    noise_mark: bool = False
    call: Mapping[str, Any] = field(default_factory=dict)
    load: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> DiffusersOptions:
        """Read the options of a request; ``call.NAME`` and ``load.NAME`` are passed through.

        Raises:
            UsageError: An option is unknown or its value cannot be meant.
        """
        own = {f.name for f in fields(cls)} - {"call", "load"}
        values: dict[str, Any] = {"call": {}, "load": {}}
        for key, value in options.items():
            if key.startswith(_CALL):
                values["call"][key.removeprefix(_CALL)] = value
            elif key.startswith(_LOAD):
                values["load"][key.removeprefix(_LOAD)] = value
            elif key in own:
                values[key] = value
            else:
                raise UsageError(
                    f"The diffusers engine has no option {key!r}.",
                    hint=f"Known: {', '.join(sorted(own))}, call.NAME, load.NAME.",
                )
        if "prompt" in values["call"]:
            # Policies ask about the request's own prompt, and the credentials record its hash.
            raise UsageError(
                "The option call.prompt would replace the prompt.", hint="Give it as the prompt."
            )
        return cls(**values)

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for name in ("offload", "quantize"):
            _check_choice(name, getattr(self, name), get_args(hints[name]))
        _check_choice("dtype", self.dtype, _DTYPES)
        _check_kind("steps", self.steps, int, "a whole number", optional=True)
        _check_kind("guidance", self.guidance, Real, "a number", optional=True)
        _check_kind("lora_scale", self.lora_scale, Real, "a number")
        for name in ("device", "gguf", "lora"):
            _check_kind(name, getattr(self, name), str, "text")
        for name in ("tiling", "noise_mark"):
            _check_kind(name, getattr(self, name), bool, "true or false")
        if self.steps is not None and self.steps < 1:
            raise UsageError(f"The option steps is {self.steps!r}; it must be 1 or more.")


def _check_kind(
    name: str, value: object, kind: type, words: str, *, optional: bool = False
) -> None:
    if value is None and optional:
        return
    is_kind = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not is_kind or (isinstance(value, float) and not math.isfinite(value)):
        raise UsageError(f"The option {name} is {str(value)[:80]!r}; it must be {words}.")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"The option {name} is {value!r}.", hint=f"Known: {', '.join(choices)}.")
