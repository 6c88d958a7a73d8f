"""Layers that could not look: told to the operator in full, to a stranger without our places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vidigree.detect.settings import CHECKED_LAYERS
from vidigree.detect.worker import renamed
from vidigree.media.home import home_folder

__all__ = ["gaps", "without_own_places"]

# Name of the reading -> layer.
_LAYERS = {layer: layer for layer in CHECKED_LAYERS if layer != "mark"} | {"marks": "mark"}
# That of the ledger's server, with host and user.
_DATABASE = re.compile(r"(?:postgres(?:ql)?|sqlite)(?:\+\w+)?://[^\s'\"]*[^\s'\".,:;]")


def gaps(row: Mapping[str, Any]) -> dict[str, str]:
    """Return why layers could not look, by layer.

    Args:
        row: A verdict or an error, in the published JSON form.
    """
    readings: Mapping[str, Any] = row.get("readings") or {}
    return {
        layer: str(readings[name]["why"])
        for name, layer in _LAYERS.items()
        if isinstance(readings.get(name), dict) and readings[name].get("status") == "not-checked"
    }


def without_own_places(row: dict[str, Any]) -> dict[str, Any]:
    """Return a verdict that does not say where our files and our ledger lie.

    A damaged key ring or trust list, or a ledger that went away, is named by the layer that needs
    it, for whoever runs the command. Whoever sends clips to a service has no business with it.
    """
    told: dict[str, Any] = row
    home = str(home_folder())
    for why in gaps(row).values():
        shown = _DATABASE.sub("(database)", why.replace(home, "(data folder)"))
        if shown != why:
            told = renamed(told, " ".join(why.split()), shown)
            told = renamed(told, why, shown)
    return told
