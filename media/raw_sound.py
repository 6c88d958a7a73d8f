"""How many bytes samples of sound have (QuickTime File Format, sound sample descriptions).

QuickTime lets a table of sizes say 1 for uncompressed sound, whatever the size is, and players take
it from the description of the samples whatever the table says. Of sound that is compressed to
packets of one size, such as IMA 4:1, it counts what a packet holds as samples of one byte, too.
"""

from __future__ import annotations

import struct

__all__ = ["packet_of_sound", "raw_sound_bytes"]

_BITS = {b"in24": 24, b"in32": 32, b"fl32": 32, b"fl64": 64, b"ulaw": 8, b"alaw": 8}
"""Codes of formats to bits a sample and channel."""

_AS_DESCRIBED = frozenset({b"sowt", b"twos", b"raw ", b"NONE", b"lpcm"})
_ENTRY = struct.Struct(">4x4s8xH6xHH")  # format, version, channels, bits
_VERSION_1 = struct.Struct(">16xH18xI4xI")  # version, samples a packet, bytes of all channels
_VERSION_2 = struct.Struct(">48xI4xI")  # channels, bits


def raw_sound_bytes(description: bytes) -> int:
    """Return the bytes of one sample of all channels.

    Args:
        description: Payload of a ``stsd`` box; its first entry counts.

    Returns:
        The bytes, 0 if the samples are something else than uncompressed sound.
    """
    try:
        kind, version, channels, bits = _ENTRY.unpack_from(description, 8)
        if version == 2:
            channels, bits = _VERSION_2.unpack_from(description, 8)
    except struct.error:
        return 0
    if kind not in _AS_DESCRIBED:
        bits = _BITS.get(kind, 0)
    return int(channels * bits // 8)


def packet_of_sound(description: bytes) -> tuple[int, int]:
    """Return how many samples a packet of compressed sound has, and its bytes in all channels.

    Args:
        description: Payload of a ``stsd`` box; its first entry counts.

    Returns:
        Both numbers; ``(1, 0)`` if the description does not say them.
    """
    try:
        version, samples, size = _VERSION_1.unpack_from(description, 8)
    except struct.error:
        return 1, 0
    return (samples, size) if version == 1 and samples > 1 and size else (1, 0)
