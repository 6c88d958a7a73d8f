"""Where the user's keys, ledger and trust lists lie."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["home_folder"]


def home_folder() -> Path:
    """Return the data folder: ``$VIDIGREE_HOME``, else the platform's user data folder.

    Nothing is created; whoever writes there creates what it needs.
    """
    override = os.environ.get("VIDIGREE_HOME")
    if override:
        return Path(override).expanduser()
    return Path(platformdirs.user_data_dir("vidigree", appauthor=False))
