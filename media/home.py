"""Where the user's keys, ledger and trust lists lie."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from vidigree.media.errors import UsageError

__all__ = ["home_folder"]


def home_folder() -> Path:
    """Return the data folder: ``$VIDIGREE_HOME``, else the platform's user data folder.

    Nothing is created; whoever writes there creates what it needs.

    Raises:
        UsageError: ``$VIDIGREE_HOME`` lies below something that is not a folder or not readable.
    """
    override = os.environ.get("VIDIGREE_HOME")
    if override:
        folder = Path(override).expanduser()
        try:
            there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        except OSError as error:
            raise UsageError(
                f"VIDIGREE_HOME is {override[:200]}, which cannot be looked at: {error.strerror}.",
                hint="Set it to a folder that can be made, or see to its permissions.",
            ) from error
        if not there.is_dir():
            raise UsageError(
                f"VIDIGREE_HOME is {override}, and {there} is not a folder.",
                hint="Set it to a folder that can be made.",
            )
        return folder
    return Path(platformdirs.user_data_dir("vidigree", appauthor=False))
