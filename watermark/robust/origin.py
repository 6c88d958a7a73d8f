"""Where a message's tile starts: in a picture that was not cut, so much more of a checksum.

Key and message choose the tile's place (:func:`.payload.nonce_of`), so that clips of one issuer do
not add up. A picture that was scaled, turned upside down or compressed, but not cut, still begins
where it began; of all messages only one in :data:`PLACES` has its tile at the place that is seen.
A weak mark needs to stand out of so many fewer.
"""

from __future__ import annotations

from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.robust.carrier import TILE
from vidigree.watermark.robust.payload import nonce_of

__all__ = ["PLACES", "at_its_place"]

# Carrier pixels along x and y. Codecs, scaling and the grid of shifts move what is found by 0.7.
_NEAR = 1.0

PLACES = (TILE / (2.0 * _NEAR)) ** 2
"""One message in so many has its tile near a given place."""


def at_its_place(message: int, key: MarkKey, shift: tuple[float, float]) -> bool:
    """Return whether a tile that starts there may be this message's, the picture being whole.

    Args:
        message: The message, 64 bits.
        key: The key it is written with.
        shift: Where the tile was found to start, carrier pixels along x and y.
    """
    expected = nonce_of(message, key)
    return all(
        abs((seen - fraction * TILE + TILE / 2) % TILE - TILE / 2) <= _NEAR
        for seen, fraction in zip(shift, expected, strict=True)
    )
