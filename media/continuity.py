"""Whether a track of a transport stream is whole (ISO/IEC 13818-1, 2.4.3): a pause from a loss.

Its packets are counted from 0 to 15 over and over, and each piece of the track (PES packet) says
how long it is. Where both hold throughout, times that leap tell of a pause of whoever made the
stream: a loss shows in the count, and one of 16 packets or a multiple in the length of a piece,
unless it took whole pieces only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vidigree.media.programme import PACKET, SYNC, packet_step

__all__ = ["is_unbroken"]

_BLOCK_PACKETS = 8_192
_COUNTS = 16
_DAMAGED, _BEGINS = 0x80, 0x40  # of the second byte of a packet
_ADAPTED, _HOLDS = 0x20, 0x10  # of the fourth
_MOST_BESIDE = 182  # bytes of an adaptation field beside a payload
_DISCONTINUOUS = 0x80  # of the first byte of an adaptation field
_PIECE = b"\0\0\1"
_HEAD = 6  # bytes of a piece that its length leaves out


def is_unbroken(path: Path, number: int) -> bool:
    """Return whether nothing of a track is missing, between its first and its last piece.

    What cannot be told counts as broken: pieces without a length, a stream that is out of step
    anywhere, a file that cannot be read, and parts that were joined.

    Args:
        path: The transport stream; it is read once.
        number: Number of the packets (PID) of the track.
    """
    count = _Count()
    try:
        with path.open("rb") as stream:
            head = np.frombuffer(stream.read(_BLOCK_PACKETS * PACKET), np.uint8)
            size, offset = packet_step(head)
            stream.seek(offset)
            while block := stream.read(_BLOCK_PACKETS * size):
                whole = len(block) // size * size
                rows = np.frombuffer(block[:whole], np.uint8).reshape(-1, size)
                if (rows[:, 0] != SYNC).any():
                    return False
                numbers = (rows[:, 1] & 0x1F).astype(int) << 8 | rows[:, 2]
                if not all(
                    count.goes_on(row.tobytes()) for row in rows[numbers == number, :PACKET]
                ):
                    return False
    except OSError:
        return False
    return count.begun


class _Count:
    """Follows the packets of one track.

    Attributes:
        begun: Whether a piece has begun.
    """

    def __init__(self) -> None:
        self._counter: int | None = None
        self._payload = b""
        self._repeated = False
        self._left = 0  # bytes of the piece that are to come
        self.begun = False

    def goes_on(self, packet: bytes) -> bool:
        """Take the next packet; return whether it follows the one before."""
        adapted, holds = packet[3] & _ADAPTED, packet[3] & _HOLDS
        if packet[1] & _DAMAGED:
            return False
        if adapted and packet[4] and packet[5] & _DISCONTINUOUS and self._counter is not None:
            return False
        if not holds:  # such as a time alone; it is not counted
            return True
        if adapted and packet[4] > _MOST_BESIDE:
            return False
        payload = packet[4 + (1 + packet[4] if adapted else 0) :]
        before, self._counter = self._counter, packet[3] % _COUNTS
        if self._counter == before and payload == self._payload and not self._repeated:
            self._repeated = True  # a packet may be sent twice
            return True
        self._repeated, self._payload = False, payload
        counted = before is None or self._counter == (before + 1) % _COUNTS
        return counted and self._fits(payload, begins=bool(packet[1] & _BEGINS))

    def _fits(self, payload: bytes, *, begins: bool) -> bool:
        """Return whether a payload goes on with its piece, or begins one after a whole one."""
        if begins:
            length = int.from_bytes(payload[4:_HEAD])
            if self._left or payload[:3] != _PIECE or not length:
                return False
            self._left, self.begun = _HEAD + length, True
        if self.begun:
            self._left -= len(payload)
        return self._left >= 0
