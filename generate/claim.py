"""One thing that a prompt says about a clip, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Claim", "side_of"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One thing that the prompt says about the clip.

    Attributes:
        about: ``"colour"``, ``"object"``, ``"count"``, ``"direction"`` or ``"place"``.
        expected: What the prompt says.
        found: What the clip shows; ``None`` if it was not checked.
        holds: Whether they agree; ``None`` if it was not checked.
        reason: Why it was not checked; empty if it was.
    """

    about: str
    expected: str
    found: str | None = None
    holds: bool | None = None
    reason: str = ""


def side_of(shift: float, least: float, *, otherwise: str) -> str:
    """Return ``"left"`` or ``"right"``, or ``otherwise`` where it is not clearly either.

    Args:
        shift: How far to the right, as a share of the picture's width; to the left below 0.
        least: What it has to exceed to count, of the same.
        otherwise: What to say of less.
    """
    if abs(shift) <= least:
        return otherwise
    return "left" if shift < 0 else "right"
