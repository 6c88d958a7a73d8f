"""Reading archives of arrays that may be something else, or damaged."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

__all__ = ["arrays_in"]

# What NumPy says of a file that is no archive, or of one that is cut off, is any of these.
_DAMAGED = (OSError, EOFError, TypeError, ValueError, BadZipFile)


def arrays_in(path: Path) -> dict[str, Any]:
    """Return the arrays of an ``.npz`` file by name; none where it is no such file, or damaged."""
    with (
        contextlib.suppress(*_DAMAGED),
        path.open("rb") as stream,
        np.load(stream, allow_pickle=False) as arrays,
    ):
        return dict(arrays)
    return {}
