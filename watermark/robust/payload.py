"""The payload: 64 message bits and a short checksum.

The checksum is there to choose among the decoder's candidates: of a message's nearest neighbours
in the code, the likeliest to be taken for it, 255 of 256 fail. It is short because every bit costs
energy. What keeps a message that was never written from being reported is the test of the whole
codeword, and a neighbour of the one that was, the comparison with its rivals (:mod:`.rivals`).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError
from vidigree.watermark.keyring import MarkKey

__all__ = [
    "CHECK_BITS",
    "MESSAGE_BITS",
    "PAYLOAD_BITS",
    "agrees",
    "message_of",
    "nonce_of",
    "payload_bits",
    "syndromes",
]

MESSAGE_BITS = 64
CHECK_BITS = 8
PAYLOAD_BITS = MESSAGE_BITS + CHECK_BITS

# CRC-8H2F: no error of up to three bits passes unseen at this length.
_POLYNOMIAL = 0x2F
_START = 0xFF


def payload_bits(message: int) -> NDArray[np.uint8]:
    """Return the message followed by its checksum, most significant bit first, uint8 (72,).

    Raises:
        UsageError: The message does not fit 64 bits.
    """
    if not 0 <= message < 1 << MESSAGE_BITS:
        raise UsageError(f"A message is an unsigned number of {MESSAGE_BITS} bits, not {message}.")
    value = (message << CHECK_BITS) | _checksum(message)
    return np.array([value >> shift & 1 for shift in range(PAYLOAD_BITS - 1, -1, -1)], np.uint8)


def message_of(bits: NDArray[np.uint8]) -> int | None:
    """Return the message of 72 payload bits, or ``None`` when the checksum does not agree."""
    value = int("".join("1" if bit else "0" for bit in bits), 2)
    message = value >> CHECK_BITS
    return message if _checksum(message) == value & ((1 << CHECK_BITS) - 1) else None


def syndromes() -> NDArray[np.uint8]:
    """Return what a change of each payload bit does to the checksum's agreement, uint8 (72,).

    The checksum is linear: it sees a change of several bits unless theirs cancel by exclusive or.
    """
    of_message = [_checksum(1 << bit) ^ _checksum(0) for bit in range(MESSAGE_BITS - 1, -1, -1)]
    return np.array([*of_message, *(1 << bit for bit in range(CHECK_BITS - 1, -1, -1))], np.uint8)


def agrees(blocks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which payloads' checksums agree, bool (n,), for uint8 (n, 72)."""
    seen = np.bitwise_xor.reduce(blocks * syndromes(), axis=1)
    # The checksum of nothing is not nothing: it starts from ones.
    return np.asarray(seen == np.bitwise_xor.reduce(payload_bits(0) * syndromes()))


def nonce_of(message: int, key: MarkKey) -> tuple[float, float]:
    """Return where this clip's tile starts, as a keyed fraction of the tile along x and y.

    Two clips of one issuer hold the tile at unrelated places, so that averaging many of them
    averages it away. A detector finds any place at no extra cost.
    """
    seed = b"vidigree robust mark 3 nonce " + key.secret + message.to_bytes(8, "big")
    digest = hashlib.sha256(seed).digest()
    x, y = int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big")
    return x / 2.0**32, y / 2.0**32


def _checksum(message: int) -> int:
    """Return the CRC-8 of the 8 message bytes."""
    register = _START
    for byte in message.to_bytes(8, "big"):
        register ^= byte
        for _ in range(8):
            register = (register << 1 ^ (_POLYNOMIAL if register & 0x80 else 0)) & 0xFF
    return register
