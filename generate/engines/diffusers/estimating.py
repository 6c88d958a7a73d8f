"""What a pipeline will need, read from its folder without loading it."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any, Final

from vidigree.generate.engines.diffusers.bounds import read_header
from vidigree.generate.engines.diffusers.families import family_of
from vidigree.generate.engines.diffusers.loading import (
    check_hub_id,
    check_installed,
    check_named,
    is_there,
    pick_device,
    quiet_libraries,
)
from vidigree.generate.engines.diffusers.options import DiffusersOptions
from vidigree.generate.estimate import Estimate
from vidigree.generate.request import ClipRequest
from vidigree.media.errors import EngineError

__all__ = ["estimate_call"]

# Bytes of one parameter by how the weights will be held.
_BYTES: Final = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0}
_QUANTISED: Final = {"bnb-4bit": 0.55, "bnb-8bit": 1.0, "torchao-int8": 1.0, "quanto-int8": 1.0}


def estimate_call(request: ClipRequest, options: DiffusersOptions) -> Estimate:
    """Return what ``request`` needs; a hub id is not looked up.

    Raises:
        UsageError: No model is named.
        MediaNotFoundError: There is no such folder, and it is not shaped like a hub id.
        EngineError: The folder is not a pipeline, or its weights are damaged.
    """
    check_installed()
    check_named(request.model)
    folder = Path(request.model).expanduser()
    index = folder / "model_index.json"
    if not is_there(index):
        if is_there(folder):
            raise EngineError(
                f"{folder} is not a diffusers pipeline: it has no model_index.json.",
                hint="Give the folder that save_pretrained wrote.",
            )
        check_hub_id(request.model)
        return Estimate(
            width=request.width,
            height=request.height,
            num_frames=request.num_frames,
            steps=options.steps,
            basis="the model is not on this machine, and a dry run downloads nothing",
        )
    name = _class_name(index)
    defaults = _defaults(name)
    return Estimate(
        width=request.width or _whole(defaults.get("width")),
        height=request.height or _whole(defaults.get("height")),
        num_frames=request.num_frames or _whole(defaults.get("num_frames")),
        steps=options.steps or _whole(defaults.get("num_inference_steps")),
        memory=_weight_bytes(folder, options),
        basis=f"{name}: weights only, activations come on top; usual models of this family need"
        f" {family_of(name).memory}",
    )


def _class_name(index: Path) -> str:
    try:
        name = json.loads(index.read_text(encoding="utf-8"))["_class_name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise EngineError(
            f"{index} is damaged.", hint="Save or download the model again."
        ) from error
    if not isinstance(name, str):  # a list names code in the folder
        raise EngineError(f"{index} names no pipeline of diffusers.")
    return name


def _defaults(name: str) -> dict[str, Any]:
    with quiet_libraries():
        import diffusers

        pipeline = getattr(diffusers, name, None)
    if pipeline is None:
        return {}
    parameters = inspect.signature(pipeline.__call__).parameters
    return {key: parameter.default for key, parameter in parameters.items()}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _weight_bytes(folder: Path, options: DiffusersOptions) -> int:
    dtype = options.dtype
    if dtype == "auto":
        dtype = "float32" if pick_device(options.device) == "cpu" else "bfloat16"
    total = 0.0
    for path in sorted(folder.glob("*/*.safetensors")):
        denoiser = path.parent.name.startswith(("transformer", "unet"))
        each = _QUANTISED.get(options.quantize, _BYTES[dtype]) if denoiser else _BYTES[dtype]
        total += each * sum(map(math.prod, read_header(path)))
    return round(total)
