"""Words for where one thing stands beside another, as the camera sees it."""

from __future__ import annotations

from typing import Final

__all__ = ["PLACES"]

PLACES: Final = {
    "left of": "left",
    "to the left of": "left",
    "on the left of": "left",
    "on the left side of": "left",
    "right of": "right",
    "to the right of": "right",
    "on the right of": "right",
    "on the right side of": "right",
    "next to": "beside",
    "beside": "beside",
    "behind": "behind",
    "in front of": "front",
}
