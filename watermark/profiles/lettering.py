"""Draw the few letters that labels need: OpenCV's stroke font, and our own strokes for 生成.

OpenCV's fonts end at ASCII, and a font file would be somebody else's work to ship.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError

__all__ = ["draw_text"]

Stroke = tuple[tuple[int, int], ...]

# Corners of pen strokes in a square of 100 x 100, x to the right, y down.
_HAN: dict[str, tuple[Stroke, ...]] = {
    "生": (
        ((28, 8), (20, 28), (8, 44)),
        ((22, 30), (86, 30)),
        ((18, 60), (84, 60)),
        ((51, 4), (51, 92)),
        ((4, 92), (96, 92)),
    ),
    "成": (
        ((18, 26), (92, 26)),
        ((18, 26), (18, 56), (14, 78), (4, 94)),
        ((18, 52), (48, 52), (46, 72), (40, 80), (32, 76)),
        ((58, 4), (62, 40), (72, 74), (86, 92), (94, 90), (95, 74)),
        ((86, 40), (76, 66), (54, 92)),
        ((72, 6), (84, 17)),
    ),
}
_OVERSAMPLING = 4


def draw_text(text: str, height: int) -> NDArray[np.float32]:
    """Return the coverage of a line of text.

    Args:
        text: ASCII letters, drawn as capitals, and the characters 生 and 成.
        height: Height of a capital letter, and of a Chinese character, in pixels.

    Returns:
        float32 of shape (height, width), 0 (nothing) to 1 (ink).

    Raises:
        UsageError: There is a character that cannot be drawn.
    """
    import cv2

    for character in text:
        if not (" " <= character <= "~" or character in _HAN):
            raise UsageError(
                f"The label {text!r} has the character {character!r}, which cannot be drawn.",
                hint=f"Use ASCII letters, digits and {''.join(_HAN)}.",
            )
    scale = height * _OVERSAMPLING
    parts = [_letter(character, scale) for character in text.upper()]
    gap = np.zeros((scale, round(scale / 8)), np.uint8)
    drawn = np.concatenate([part for letter in parts for part in (gap, letter)][1:], axis=1)
    width = -(-drawn.shape[1] // _OVERSAMPLING)
    small = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _letter(character: str, scale: int) -> NDArray[np.uint8]:
    """Return one character, uint8 of shape (scale, its width)."""
    import cv2

    if character in _HAN:
        return _han(character, scale)
    if character == " ":
        return np.zeros((scale, round(scale / 3)), np.uint8)
    # OpenCV 4 draws strokes and OpenCV 5 a typeface, and neither says how high a capital is; so
    # the height is that of an H, whatever it turns out to be.
    tall = _ascii("H", scale)
    rows = np.flatnonzero(tall.any(axis=1))
    ink = _ascii(character, scale)
    columns = np.flatnonzero(ink.any(axis=0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = max(1, round(cut.shape[1] * scale / cut.shape[0]))
    return np.asarray(cv2.resize(cut, (width, scale), interpolation=cv2.INTER_AREA), np.uint8)


def _ascii(character: str, scale: int) -> NDArray[np.uint8]:
    """Return an ASCII character in bold on a canvas with room around it."""
    import cv2

    font, size, pen = cv2.FONT_HERSHEY_SIMPLEX, scale / 20, max(2, scale // 7)
    canvas = np.zeros((3 * scale, 3 * scale), np.uint8)
    cv2.putText(canvas, character, (scale, 2 * scale), font, size, 255, pen, cv2.LINE_8)
    return canvas


def _han(character: str, scale: int) -> NDArray[np.uint8]:
    import cv2

    pen = max(2, scale // 11)
    canvas = np.zeros((scale, scale), np.uint8)
    for stroke in _HAN[character]:
        points = np.array(stroke) * (scale - pen) / 100 + pen / 2
        cv2.polylines(canvas, [points.round().astype(np.int32)], False, 255, pen)
    return canvas
