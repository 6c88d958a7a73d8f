"""Whether a clip may be what is left of another one that was cut along one side only.

The views of a fingerprint keep the shape of the picture. What was cut at one side only shows none
of them, and where that was the right or the lower end of the long side, neither scale nor place of
its mark tells. But the signs of a hash tell roughly what the whole picture looked like, and so what
any part of it did; that is enough to doubt that a picture is another one, not to recognise it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.dct_signs import SIDE, coefficients_of, likely_picture
from vidigree.watermark.fingerprint import Fingerprint, similarity_to_parts

__all__ = ["cut_likeness"]

# Of the long side. Less is left only of pictures more than twice as long as wide: else the short
# side is another one then, and the scale of the mark tells.
_SHARES = tuple(np.arange(0.44, 0.97, 0.04).round(2).tolist())
# The picture is drawn at three times its size, so that cuts lie closer than its rows.
_FINER = 3


def cut_likeness(part: Fingerprint, whole: Fingerprint, *, anywhere: bool = False) -> float:
    """Say how alike a clip is to what is left of another one that was cut along one side.

    Args:
        part: What may be a part; usable.
        whole: What it may be a part of; usable.
        anywhere: Whether any end may have been cut; else the left or upper one is still there.

    Returns:
        0 (unrelated) to 1, like :func:`.fingerprint.similarity`, but lower: of copies of which 9/16
        are left half reach 0.45.
    """
    places = (0.0, 0.5, 1.0) if anywhere else (0.0,)
    bits = [
        [np.packbits(coefficients_of(cut) > 0) for cut in _cuts(likely_picture(signs), places)]
        for signs in whole.bits[:, 0]
    ]
    return similarity_to_parts(part, replace(whole, bits=np.array(bits, np.uint8)))


def _cuts(picture: NDArray[np.float32], places: tuple[float, ...]) -> Iterator[NDArray[np.float32]]:
    """Yield what is left of a picture after cuts along its width, and along its height."""
    side = _FINER * SIDE
    fine = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    for share in _SHARES:
        left = round(side * share)
        for place in places:
            start = round((side - left) * place)
            yield fine[:, start : start + left]
            yield fine[start : start + left]
