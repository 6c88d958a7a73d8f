"""Holds the shape that a model's configuration asks for against what its weights can fill.

diffusers builds a model before it opens the weights: a configuration of a thousand million layers
takes days, or all memory, and fails then.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vidigree.media.errors import EngineError

__all__ = ["Held", "check_folder", "check_part", "held_in_gguf", "read_header"]

_LONGEST_HEADER: Final = 100 * 2**20
_WIDTHS: Final = re.compile(r"channels|dim|heads|(?<!vocab_)size|^d_|features")
_COUNTS: Final = re.compile(r"^(?!max_|.*(?:index|indices)).*(?:layer|block|depth|stages|experts)")
# Some widths are products of others, and a model may tell of parts that no pipeline needs.
_TIMES_WIDER: Final = 8
_NUMBERS_IN_A_BYTE: Final = 8
_ALWAYS_WIDE: Final = 2**15
_ALWAYS_DEEP: Final = 256
_ALWAYS_LARGE: Final = 2**22
"""Lengths of tables, bases of frequencies and numbers of tokens need no weights."""


@dataclass(frozen=True)
class Held:
    """What files of weights hold.

    Attributes:
        tensors: How many tensors.
        widest: The longest side of one.
        numbers: How many numbers in all.
    """

    tensors: int
    widest: int
    numbers: int


def read_header(path: Path) -> list[tuple[int, ...]]:
    """Return the shapes of the tensors in a safetensors file (safetensors format, 2023).

    Raises:
        EngineError: It is not such a file.
    """
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LONGEST_HEADER:
                raise ValueError("header too long")
            header = json.loads(stream.read(length))
        shapes = [tensor["shape"] for name, tensor in header.items() if name != "__metadata__"]
        if not all(type(side) is int for shape in shapes for side in shape):
            raise ValueError("a side is no number")
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        struct.error,
    ) as error:
        raise EngineError(
            f"{path} is not a safetensors file.", hint="Save or download the model again."
        ) from error
    return [tuple(shape) for shape in shapes]


def check_folder(folder: Path) -> None:
    """Refuse a pipeline with a part that its weights cannot fill; diffusers finds other damage.

    Raises:
        EngineError: A number in a ``config.json`` is beyond the safetensors files beside it.
    """
    for part in sorted(path.parent for path in folder.glob("*/config.json")):
        files = sorted(part.glob("*.safetensors"))
        try:
            shapes = [shape for path in files for shape in read_header(path)]
            most = _NUMBERS_IN_A_BYTE * sum(path.stat().st_size for path in files)
        except (EngineError, OSError):  # nor can diffusers read it
            continue
        if shapes:
            numbers = sum(map(math.prod, shapes))
            widest = max(max(shape, default=1) for shape in shapes)
            # A header may tell of more than is in the file.
            check_part(part, Held(len(shapes), min(widest, most), min(numbers, most)))


def check_part(part: Path, held: Held) -> None:
    """Refuse the configuration of one part of a pipeline that its weights cannot fill.

    Raises:
        EngineError: A number in its ``config.json`` is beyond them.
    """
    path = part / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # nor can diffusers read it
        return
    for name, number in _numbers(config):
        if _WIDTHS.search(name):
            most = max(_ALWAYS_WIDE, _TIMES_WIDER * held.widest)
        elif _COUNTS.search(name):
            most = max(_ALWAYS_DEEP, held.tensors)
        else:
            most = max(_ALWAYS_LARGE, held.numbers)
        if number > most:
            raise EngineError(
                f"{path} asks for {name} = {str(number)[:40]}, more than the weights can fill.",
                hint="Save or download the model again.",
            )


def held_in_gguf(path: Path) -> Held:
    """Return the most that a GGUF file of this header and size can hold (GGUF version 3, 2023)."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(16)
    # A name, the number of sides, one of them, a kind and a place come before each tensor.
    most = size // 32
    tensors = int.from_bytes(head[8:16], "little")
    return Held(min(tensors, most), size, _NUMBERS_IN_A_BYTE * size)


def _numbers(config: Any) -> Iterator[tuple[str, int]]:
    """Yield the whole numbers of a configuration, each by the name that it stands under."""
    waiting: list[tuple[str, Any]] = [("", config)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, one) for one in value]
        elif isinstance(value, int):
            yield name, value
