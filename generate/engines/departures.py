"""Where the small trained engines do not follow a request to the letter.

Each function returns sentences without their subject, none where the request is followed.
"""

from __future__ import annotations

from fractions import Fraction

from vidigree.generate.engines.render.vocabulary import listed, not_drawn
from vidigree.generate.engines.wording import Wording
from vidigree.generate.request import ClipRequest
from vidigree.media.errors import EngineError

__all__ = [
    "length_notes",
    "rate_notes",
    "refuse_nothing",
    "size_notes",
    "strength_notes",
    "word_notes",
]


def refuse_nothing(subject: str, wording: Wording, page: str) -> None:
    """Refuse a prompt of which nothing can be drawn.

    Args:
        subject: Who refuses: "The gan engine".
        wording: The prompt.
        page: Documentation that lists the words.

    Raises:
        EngineError: It names no thing, ground or sky that the model knows.
    """
    if not wording.says_something:
        words = listed(wording.unknown)
        raise EngineError(
            f"{subject} knows no thing, ground or sky of the prompt"
            + (f" (unknown words: {words})." if words else "."),
            hint=f"Try 'a red ball rolling to the right on grass'; {page} lists the words.",
        )


def word_notes(wording: Wording, longest: int) -> list[str]:
    """Tell of words that are not drawn, or not surely.

    Args:
        wording: The prompt.
        longest: Words that the model reads.
    """
    notes = not_drawn(wording.unknown)
    beyond = wording.text.split()[longest:]
    if beyond:
        notes.append(f"reads {longest} words; left out: {listed(beyond)}.")
    if wording.several:
        notes.append(
            "was trained on one kind of thing at a time, with one motion, direction, ground and"
            f" sky: {listed(wording.several)} may mix."
        )
    return notes


def size_notes(size: tuple[int, int], usual: tuple[int, int], drawn: int) -> list[str]:
    """Tell what was done for a size.

    Args:
        size: Width and height of the clip in pixels.
        usual: What they are unless a request says more, of which the documentation tells.
        drawn: Pixels of a side of the squares that the model makes.
    """
    if size == usual:
        return []
    width, height = size
    how = "resized" if width == height else "cut and resized"
    more = ", which adds no detail" if max(size) > drawn else ""
    return [f"makes {drawn} x {drawn} pixels; they were {how} to {width} x {height}{more}."]


def length_notes(asked: int | None, made: int) -> list[str]:
    """Tell of frames that were asked for and are not made."""
    if asked is None or asked <= made:
        return []
    return [f"makes {made} frames here and no more; {asked} were asked for."]


def rate_notes(asked: Fraction | None, rate: Fraction) -> list[str]:
    """Tell of a clip that plays at another rate, in frames a second, than it was made for."""
    if asked in (None, rate):
        return []
    rates = f"draws {_rounded(rate)} frames a second; at {_rounded(asked)}"
    return [f"{rates} things move faster or slower than they should."]


def _rounded(rate: Fraction | None) -> str:
    return f"{float(rate or 0):.2f}".rstrip("0").rstrip(".")


def strength_notes(request: ClipRequest) -> list[str]:
    """Tell of a strength without a clip to start from."""
    if request.strength is None or request.video is not None:
        return []
    return ["takes a strength with --video only; it was left out."]
