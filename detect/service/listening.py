"""The socket a service listens on, opened before anything else is started."""

from __future__ import annotations

import os
import socket

from vidigree.media.errors import UsageError

__all__ = ["address_of", "listening_socket"]


def listening_socket(host: str, port: int) -> socket.socket:
    """Open the socket.

    Args:
        host: Name or address, IPv4 or IPv6.
        port: Port; 0 lets the system choose one.

    Raises:
        UsageError: There is no such host here, or the port is taken or not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0
        # Python adds the address to the text of a number; that stands in the sentence already.
        why = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"The service cannot listen at {host}:{port}: {why}.",
            hint="Choose another --host or --port, or end the program that has it.",
        ) from error


def address_of(listener: socket.socket, host: str) -> str:
    """Return the URL of a listening socket, with the port it really has."""
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
