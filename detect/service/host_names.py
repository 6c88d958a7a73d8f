"""By which names a service may be asked.

Whoever owns a name may let it point at this machine (DNS rebinding): a page from there could then
ask a service that listens at home only, as if it were its own. Its requests bear that name.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection, Iterable

from vidigree.detect.service.refusals import RefusalError
from vidigree.media.errors import UsageError

__all__ = ["accepted_names", "check_host", "read_names"]

_NAME = re.compile(r"(?!-)[a-z0-9_.-]+", re.ASCII)
_HOST = re.compile(r"(\[[^]]*\]|[^:]*)(:[0-9]*)?", re.ASCII)


def read_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Read names and addresses, as an operator writes them.

    Args:
        texts: Each one a name or an address, without a port.

    Raises:
        UsageError: One is neither.
    """
    return tuple(_read(text) for text in texts)


def accepted_names(
    allowed: Collection[str],
    *,
    host: str,
    listeners: Iterable[socket.socket],
    behind_proxy: bool,
) -> frozenset[str]:
    """Return the names that are accepted beside loopback addresses; empty for all.

    Args:
        allowed: From :func:`read_names`.
        host: Where the service listens, as the operator wrote it.
        listeners: Its sockets.
        behind_proxy: Whether a proxy asks, which may pass on the name that it was asked by.
    """
    at_home = all(_is_loopback(str(one.getsockname()[0])) for one in listeners)
    if not allowed and (behind_proxy or not at_home):
        return frozenset()
    return frozenset({*allowed, _plain(host), "localhost"})


def check_host(header: str, names: Collection[str]) -> None:
    """Let a request pass that asks by a name that is accepted, or by a loopback address.

    So does one that names nobody, as simple health checks of HTTP/1.0 do: browsers always name one.

    Args:
        header: ``Host`` of the request; empty without one.
        names: From :func:`accepted_names`.

    Raises:
        RefusalError: It asks by another one.
    """
    found = _HOST.fullmatch(header.strip())
    name = _plain(found[1]) if found else ""
    if not names or not header or name in names or _is_loopback(name):
        return
    raise RefusalError(
        400,
        "WrongHost",
        "The service is not asked by a name of its own.",
        hint="Ask by localhost, or have it served with --allowed-host NAME.",
    )


def _read(text: str) -> str:
    name = _plain(text)
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if _NAME.fullmatch(name):
            return name
    raise UsageError(
        f"{text!r} is not the name of a host.",
        hint="Give a name or an address without a port, as browsers send it: clips.example.org.",
    )


def _plain(host: str) -> str:
    """Return a host in the one form in which hosts are compared; addresses have several."""
    name = host.lower().removeprefix("[").removesuffix("]").removesuffix(".")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
