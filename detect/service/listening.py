"""Where a service listens, opened before anything else, and which proxies it believes."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

from vidigree.media.errors import UsageError

__all__ = ["address_of", "listening_sockets", "trusted_proxies"]

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


def trusted_proxies(text: str) -> list[str]:
    """Read whose ``X-Forwarded-For`` is believed.

    Args:
        text: Addresses and networks (``10.0.0.0/8``), separated by commas; ``*`` alone for all.

    Returns:
        The same, as uvicorn takes them. It would take everything else as well, as the name of a
        proxy that never comes, and count all clients as one.

    Raises:
        UsageError: An entry is neither an address nor a network.
    """
    entries = [entry.strip() for entry in text.split(",")]
    if entries == ["*"]:
        return entries
    for entry in entries:
        try:
            if "/" in entry:
                ipaddress.ip_network(entry)
            else:
                ipaddress.ip_address(entry)
        except ValueError as error:
            raise UsageError(
                f"{entry!r} is not the address of a proxy: {error}.",
                hint="Give addresses or networks, separated by commas, or * for all.",
            ) from error
    return entries
