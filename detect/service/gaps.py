"""Layers that could not look: told to the operator in full, to a stranger without our places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidigree.detect.settings import CHECKED_LAYERS
from vidigree.detect.worker import renamed
from vidigree.media.home import home_folder

__all__ = ["gaps", "without_own_places"]

# Name of the reading -> layer.
_LAYERS = {layer: layer for layer in CHECKED_LAYERS if layer != "mark"} | {"marks": "mark"}
# A database's driver says in its own words where the database lies, so none of them are repeated.
_LEDGER = "The ledger cannot be read just now."


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


def without_own_places(row: dict[str, Any], weights: Path | None = None) -> dict[str, Any]:
    """Return a verdict that does not say where our files and our ledger lie.

    A damaged key ring, trust list or file of weights, or a ledger that went away, is named by the
    layer that needs it, for whoever runs the command. Whoever sends clips to a service has no
    business with it.

    Args:
        row: A verdict or an error, in the published JSON form.
        weights: The classifier's weights, if the operator named some.
    """
    told: dict[str, Any] = row
    places = {str(home_folder()): "(data folder)"}
    if weights is not None:
        places = {str(weights.absolute()): "(file)"} | places
    for layer, why in gaps(row).items():
        shown = why
        for place, name in places.items():
            shown = shown.replace(place, name)
        if layer == "ledger" and not row["readings"]["ledger"].get("by_clip"):
            shown = _LEDGER
        if shown != why:
            told = renamed(told, " ".join(why.split()), shown)
            told = renamed(told, why, shown)
    return told
