"""How fast a download must come in: whoever lets it trickle holds up what waits for it."""

from __future__ import annotations

import io
import socket
import time
from typing import TYPE_CHECKING, Literal

from vidigree.media.errors import MediaError, UnsupportedMediaError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Pace", "PacedSocket"]


class Pace:
    """The limits on the time of one download, redirects and heads of answers included.

    Args:
        max_seconds: Longest time for all of it.
        idle_seconds: Longest time without a byte.
        min_rate: Fewest bytes a second over each such time that is over; 0 for any.
    """

    def __init__(self, max_seconds: float, idle_seconds: float, min_rate: float) -> None:
        self._max_seconds = max_seconds
        self._idle_seconds = idle_seconds
        self._min_rate = min_rate
        self._begun = time.monotonic()
        self._deadline = self._begun + max_seconds
        self._size = 0

    def wait(self, url: str) -> float:
        """Return how long the next byte may be waited for, in seconds.

        Args:
            url: What is fetched, for the error.

        Raises:
            UnsupportedMediaError: It takes too long.
            MediaError: It comes in too slowly.
        """
        now = time.monotonic()
        if now >= self._deadline:
            raise UnsupportedMediaError(
                f"{url} takes longer than {self._max_seconds:.0f} s to fetch.",
                hint="Raise the limit, or fetch it first.",
            )
        if now >= self._begun + self._idle_seconds:
            if self._size < self._min_rate * (now - self._begun):
                raise MediaError(
                    f"{url} brings less than {self._min_rate:.0f} bytes a second.",
                    hint="Try it again later, or upload the file instead.",
                )
            self._begun, self._size = now, 0
        return min(self._idle_seconds, self._deadline - now)

    def count(self, size: int) -> None:
        """Take note of bytes that came in."""
        self._size += size


class PacedSocket:
    """A connected socket whose reader keeps to a pace; what :mod:`http.client` needs of one.

    Args:
        connected: The socket.
        pace: Its limits.
        url: What is fetched, for the errors.
    """

    def __init__(self, connected: socket.socket, pace: Pace, url: str) -> None:
        self._socket = connected
        self._pace = pace
        self._url = url

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        self._socket.settimeout(self._pace.wait(self._url))
        self._socket.sendall(data)

    def makefile(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Return a reader."""
        raw = self._socket.makefile(mode, buffering=0)
        return io.BufferedReader(_PacedReader(raw, self._socket, self._pace, self._url))

    def close(self) -> None:
        """Close the socket, once its readers are closed."""
        self._socket.close()


class _PacedReader(io.RawIOBase):
    def __init__(
        self, raw: socket.SocketIO, connected: socket.socket, pace: Pace, url: str
    ) -> None:
        super().__init__()
        self._raw = raw
        self._socket = connected
        self._pace = pace
        self._url = url

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        self._socket.settimeout(self._pace.wait(self._url))
        try:
            size = self._raw.readinto(buffer)
        except TimeoutError:
            self._pace.wait(self._url)  # the time for all of it may be over
            raise
        self._pace.count(size or 0)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()
