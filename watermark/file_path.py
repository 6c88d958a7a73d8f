"""A path on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

__all__ = ["FILE_PATH", "FOLDER_PATH"]


class _FilePath(click.Path):
    """A path that is not empty, which would stand for the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty name, and convert others as usual."""
        if value == "":
            self.fail("The name is empty.", param, ctx)
        return super().convert(value, param, ctx)


FILE_PATH = _FilePath(path_type=Path)
"""Type of arguments and options that name a file; gives a :class:`~pathlib.Path`."""

FOLDER_PATH = _FilePath(path_type=Path, file_okay=False)
"""Likewise for folders."""
