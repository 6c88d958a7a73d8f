"""Code points of colour (ITU-T H.273): what numbers in a file say of its red, green and blue."""

from __future__ import annotations

__all__ = ["BT709", "known_primaries", "known_transfer", "shown_as_bt709"]

BT709 = 1
"""Number of ITU-R BT.709 in the tables of primaries, of transfer and of matrices alike."""

# Those that are reserved, or unspecified (2), say nothing.
_PRIMARIES = frozenset({1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22})
_TRANSFERS = frozenset({1, *range(4, 19)})

_UNSPECIFIED = 2
# Of standard definition in columns and in lines (ITU-R BT.601); what is larger is not.
_WIDEST, _HIGHEST = 1279, 576


def known_primaries(code: int | None) -> int:
    """Return a code of table 2, BT.709 for one that says nothing."""
    return code if code is not None and code in _PRIMARIES else BT709


def known_transfer(code: int | None) -> int:
    """Return a code of table 3, BT.709 for one that says nothing."""
    return code if code is not None and code in _TRANSFERS else BT709


def shown_as_bt709(matrix: int, width: int, height: int) -> bool:
    """Return whether players show a picture by BT.709's matrix although its file names none.

    Players go by the size, as a file that says nothing is most often of a camera or an encoder
    that did; FFmpeg's own conversion takes BT.601 for all sizes.

    Args:
        matrix: Code of table 4.
        width: Pixels as coded.
        height: Pixels as coded.
    """
    return matrix == _UNSPECIFIED and (width > _WIDEST or height > _HIGHEST)
