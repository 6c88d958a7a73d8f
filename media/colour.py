"""Code points of colour (ITU-T H.273): what numbers in a file say of its red, green and blue."""

from __future__ import annotations

__all__ = ["BT709", "known_primaries", "known_transfer"]

BT709 = 1
"""Number of ITU-R BT.709 in the tables of primaries, of transfer and of matrices alike."""

# Those that are reserved, or unspecified (2), say nothing.
_PRIMARIES = frozenset({1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22})
_TRANSFERS = frozenset({1, *range(4, 19)})


def known_primaries(code: int | None) -> int:
    """Return a code of table 2, BT.709 for one that says nothing."""
    return code if code is not None and code in _PRIMARIES else BT709


def known_transfer(code: int | None) -> int:
    """Return a code of table 3, BT.709 for one that says nothing."""
    return code if code is not None and code in _TRANSFERS else BT709
