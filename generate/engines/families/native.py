"""What the families draw natively, before it is brought to the size that was asked for."""

from __future__ import annotations

from typing import Final

__all__ = ["FPS", "FRAMES", "SIDE"]

SIDE: Final = 64
"""Side of a frame, pixels."""
FRAMES: Final = 24
"""Frames of a clip."""
FPS: Final = 12
"""Frames per second that the clips were learned at."""
