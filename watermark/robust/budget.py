"""How the false alarms that one file may give are shared out among the looks at it.

A p-value counts what one look tries. A file is looked at in many ways, and every block of it again;
if each look alone kept to the limit, all of them together would not. So each gets a share, fixed
beforehand, of what may be spent, and its p-value is divided by that: the shares of all looks that
there can be add up to at most 1, however long the file, and whatever is tried after what
(a union bound; see :data:`.significance.PRESENT_BELOW`).
"""

from __future__ import annotations

import math
from enum import Enum

__all__ = ["Look", "share_of"]


class Look(Enum):
    """A way to look at a stretch of clip: its share, and what it is, in words.

    Cheap and likely ones get the most. Without the words, looks of one share would be one.

    Attributes:
        share: Of the false alarms of one search, in (0, 1); all add up to 1.
        what: What is looked at.
    """

    AS_IT_IS = 0.5, "laid down in eight ways, filtered in two, as a negative"
    LEARNED = 0.1, "the same by the learned front end, on a few stretches"
    LEARNED_MORE = 0.1, "and on many"
    INSIDE = 0.05, "inside an outline or borders"
    WIDE = 0.1, "over scale, rotation and aspect"
    WIDE_MORE = 0.05, "where that points to, by the learned front end on many stretches"
    COARSE = 0.03, "over scale, rotation and aspect at the coarse size"
    COARSE_MORE = 0.02, "where that points to, at the working size, as above"
    FINE = 0.05, "over scale, rotation and aspect at the fine size"

    def __init__(self, share: float, what: str) -> None:
        self.share = share
        self.what = what


def share_of(search: int, look: Look, turn: int | None = None) -> float:
    """Return the share of a file's false alarms that one look may give.

    Args:
        search: Which search of the file this is, from 1.
        look: How it looks.
        turn: Which one of that kind within the search, from 1; ``None`` where it is the only one.

    Returns:
        In (0, 1). Over all searches, looks and turns the shares add up to at most 1.
    """
    return _falling(search) * look.share * (1.0 if turn is None else _falling(turn))


def _falling(number: int) -> float:
    """Return weights for 1, 2, 3, ... that fall slowly and add up to at most 1.

    Three quarters for the first, as most files need no second; ``1 / (k (1 + log k)**2)`` from 2 on
    adds up to less than its integral from 1 on, which is 1.
    """
    if number == 1:
        return 0.75
    return 0.25 / (number * (1.0 + math.log(number)) ** 2)
