"""The sockets a service listens on, opened before anything else is started."""

from __future__ import annotations

import errno
import os
import socket

from vidigree.media.errors import UsageError

__all__ = ["address_of", "listening_sockets"]

# A name like localhost also stands for addresses of a family that is switched off here.
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def listening_sockets(host: str, port: int) -> list[socket.socket]:
    """Open a socket for every address of the host, all at one port.

    Args:
        host: Name or address, IPv4 or IPv6.
        port: Port; 0 lets the system choose one.

    Raises:
        UsageError: There is no such host here, or the port is taken or not allowed.
    """
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        absent: OSError | None = None
        for family, address in dict.fromkeys((family, place[0]) for family, *_, place in found):
            at = opened[0].getsockname()[1] if opened else port
            try:
                opened.append(socket.create_server((str(address), at), family=family))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                absent = error
        if not opened and absent is not None:
            raise absent
    except (OSError, UnicodeError) as error:
        for listener in opened:
            listener.close()
        number = getattr(error, "errno", None) or 0
        # Python adds the address to the text of a number; that stands in the sentence already.
        why = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"The service cannot listen at {host}:{port}: {why}.",
            hint="Choose another --host or --port, or end the program that has it.",
        ) from error
    return opened


def address_of(listener: socket.socket, host: str) -> str:
    """Return the URL of a listening socket, with the port it really has."""
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
