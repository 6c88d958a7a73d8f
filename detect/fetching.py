"""Brings remote clips to a temporary local file, within limits of size and time.

HTTP is spoken here directly: the address is resolved once, checked, and connected to, so that a
name which resolves to something else a moment later (DNS rebinding) gains nothing; every redirect
is checked again. Buckets and other file systems come through fsspec.
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from vidigree.detect.inputs import is_url
from vidigree.detect.pace import Pace, PacedSocket
from vidigree.media.errors import (
    MediaError,
    OutputError,
    UnsupportedMediaError,
    UsageError,
    VidigreeError,
)

__all__ = ["FetchLimits", "as_sent", "bucket", "bucket_error", "http_parts", "local_copy"]

_CHUNK = 1 << 18
_REDIRECTS = 5
_DRIVERS = ("gcsfs", "s3fs", "aiobotocore", "botocore")
_AGENT = "vidigree-audit"
_SENT_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# Clouds answer some of these to their own machines, with secrets; Python calls them global, the
# first in some versions only.
_INSIDE_CLOUDS = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "192.0.0.0/24",  # set aside for protocols (RFC 6890); Oracle's metadata lay at .192
        "192.88.99.0/24",  # relays to IPv6, taken back (RFC 7526)
        "168.63.129.16/32",  # Azure's host, as its machines reach it
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, kw_only=True)
class FetchLimits:
    """Limits on one remote clip.

    Attributes:
        max_bytes: Largest file, in bytes.
        max_seconds: Longest time to fetch it, in seconds.
        public_only: Refuse addresses that are not on the public internet, other schemes than HTTP
            and HTTPS, and other ports than 80 and 443. A service that fetches what strangers name
            needs it; without it a stranger could read what only this machine can reach.
        idle_seconds: Longest time without a byte, by HTTP.
        min_rate: Fewest bytes a second by HTTP, over each such time; 0 for any.
        https_only: Refuse plain HTTP, in redirects too.
    """

    max_bytes: int = 2 << 30
    max_seconds: float = 300.0
    public_only: bool = False
    https_only: bool = False
    idle_seconds: float = 30.0
    min_rate: float = 0.0


@contextmanager
def local_copy(name: str, limits: FetchLimits) -> Iterator[Path]:
    """Give a local path for a clip; a remote one is deleted again afterwards.

    Args:
        name: Path or URL.
        limits: Limits on remote clips.

    Yields:
        The path itself, or that of a temporary copy.

    Raises:
        UsageError: The URL is not one.
        MediaError: The clip cannot be fetched.
        UnsupportedMediaError: It is too large, takes too long, or lies at a forbidden address.
        OutputError: There is no room for a copy.
    """
    if not is_url(name):
        yield Path(name)
        return
    suffix = PurePosixPath(_url_parts(name).path).suffix[:8]
    with _temporary_folder() as folder:
        path = Path(folder) / f"clip{suffix if suffix[1:].isalnum() else ''}"
        with path.open("xb") as target:
            _fetch(name, target, limits)
        with _told_of(name, path):
            yield path


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="vidigree-")
    except OSError as error:
        raise OutputError(
            "There is no folder for temporary files that can be written to.",
            hint="Make room there, or name another folder with TMPDIR.",
        ) from error


@contextmanager
def _told_of(name: str, path: Path) -> Iterator[None]:
    """Name the clip in errors as the caller knows it, and not its copy, which is gone by then."""
    try:
        yield
    except VidigreeError as error:
        error.message = error.message.replace(str(path), name)
        error.hint = error.hint.replace(str(path), name)
        raise


def http_parts(url: str) -> SplitResult:
    """Take an HTTP URL apart; nothing is resolved or connected to.

    Args:
        url: Begins with a scheme.

    Returns:
        The parts; host and port can be read without an error.

    Raises:
        UsageError: It is not a URL of a host.
    """
    parts = _url_parts(url)
    try:
        _ = parts.port
    except ValueError as error:  # no number, or too large
        raise _no_url(url, str(error)) from error
    if not parts.hostname:
        raise _no_url(url, "it names no host")
    # Some are stripped without a word by whoever splits it, others refused by whoever sends it.
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in url):
        raise _no_url(url, "it holds a control character")
    return parts


def _url_parts(url: str) -> SplitResult:
    try:
        url.encode()
        return urlsplit(url)
    except UnicodeEncodeError as error:  # half of a surrogate pair, or a byte that is not UTF-8
        raise _no_url(url, "it is not Unicode text") from error
    except ValueError as error:
        raise _no_url(url, str(error)) from error


def _no_url(url: str, why: str) -> UsageError:
    return UsageError(f"{url!r} is not a URL: {why}.", hint="Check the URL.")


def bucket(url: str) -> tuple[Any, str, str]:
    """Return fsspec's file system for a URL, the path in it, and its scheme.

    Raises:
        UsageError: fsspec or its driver for the scheme is not installed.
        MediaError: The host cannot be reached.
    """
    try:
        from fsspec.core import url_to_fs

        filesystem, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{url} cannot be opened: {error}.",
            hint="Install it with: pip install 'vidigree[cloud]'",
        ) from error
    except Exception as error:  # some drivers connect here: FTP, SSH
        raise bucket_error(url, "reached", error) from error
    for name in _DRIVERS:
        # What they log they raise as well; without a handler it would go to standard error.
        logging.getLogger(name).addHandler(logging.NullHandler())
    return filesystem, str(path), url.partition("://")[0]


def bucket_error(url: str, what: str, error: Exception) -> MediaError:
    """Return what to raise where a driver fails; each has exceptions of its own.

    Args:
        url: What was asked for.
        what: What could not be done, as in "cannot be listed".
        error: What the driver raised.
    """
    reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    return MediaError(
        f"{url} cannot be {what}: {reason.rstrip('.')}.",
        hint="Check the URL, the network, and your account with the service.",
    )


def _fetch(url: str, target: BinaryIO, limits: FetchLimits) -> None:
    if url.lower().startswith(("http://", "https://")):
        _fetch_http(url, target, limits)
        return
    if limits.public_only:
        raise UnsupportedMediaError(
            "Only http and https URLs are fetched.", hint="Upload the file instead."
        )
    pace = Pace(limits.max_seconds, limits.idle_seconds, 0)
    filesystem, path, _ = bucket(url)
    try:
        with filesystem.open(path, "rb") as source:

            def read(size: int) -> bytes:
                pace.wait(url)
                block: bytes = source.read(size)
                return block

            _copy(read, target, url, limits)
    except FileNotFoundError as error:
        raise MediaError(f"There is no {url}.", hint="Check the URL.") from error
    except MediaError:
        raise
    except Exception as error:
        raise bucket_error(url, "read", error) from error


def _fetch_http(url: str, target: BinaryIO, limits: FetchLimits) -> None:
    pace = Pace(limits.max_seconds, limits.idle_seconds, limits.min_rate)
    parts = _checked_parts(url, limits)
    for _ in range(_REDIRECTS + 1):
        connection = _connect(url, parts, limits, pace)
        try:
            headers = {"Host": _host(parts), "User-Agent": _AGENT}
            connection.request("GET", _target(parts), headers=headers)
            response = connection.getresponse()
            location = response.getheader("Location")
            if response.status in {301, 302, 303, 307, 308} and location:
                url, parts = _redirected(url, location, limits)
                continue
            if response.status != 200:
                raise MediaError(
                    f"{url} answers {response.status} {response.reason}.", hint="Check the URL."
                )
            _copy(response.read1, target, url, limits)
            if response.length:
                raise MediaError(
                    f"{url} ended {response.length} bytes early.", hint="Fetch it again."
                )
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise MediaError(
                f"{url} cannot be fetched: {error}.", hint="Check the URL, or try it again."
            ) from error
        else:
            return
        finally:
            connection.close()
    raise MediaError(f"{url} redirects too often.", hint="Give the final URL.")


def _target(parts: SplitResult) -> str:
    """Return path and query as they are sent: what ASCII has not, as UTF-8 (RFC 3987, 3.1)."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return as_sent(path)


def as_sent(part: str) -> str:
    """Return a part of a URL with what ASCII has not, and spaces, percent-encoded as UTF-8."""
    return quote(part, safe=_SENT_AS_IT_IS)


def _host(parts: SplitResult) -> str:
    """Return host and port as they are sent; names in other scripts as they were resolved."""
    host = parts.netloc.rpartition("@")[2]
    if host.isascii():
        return host
    name = (parts.hostname or "").encode("idna").decode("ascii")
    return name if parts.port is None else f"{name}:{parts.port}"


def _checked_parts(url: str, limits: FetchLimits) -> SplitResult:
    parts = http_parts(url)
    if parts.scheme not in {"http", "https"}:
        raise UnsupportedMediaError(f"{url} is not an http or https URL.")
    if limits.https_only and parts.scheme != "https":
        raise UnsupportedMediaError(f"{url} is not an https URL.")
    if limits.public_only and parts.port not in (None, 80, 443):
        raise UnsupportedMediaError(
            f"Port {parts.port} is not fetched from.",
            hint="Use port 80 or 443, or upload the file.",
        )
    return parts


def _redirected(url: str, location: str, limits: FetchLimits) -> tuple[str, SplitResult]:
    # A server may send bytes that are not ASCII; they are meant, whatever their encoding.
    location = "".join(sign if sign.isascii() else f"%{ord(sign):02X}" for sign in location)
    try:
        target = urljoin(url, location)
        return target, _checked_parts(target, limits)
    except ValueError as error:  # the server's mistake, not that of whoever gave the URL
        raise MediaError(
            f"{url} redirects to what is no URL.", hint="Give the final URL."
        ) from error


def _connect(
    url: str, parts: SplitResult, limits: FetchLimits, pace: Pace
) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolve(host, port, limits)
    timeout = max(0.1, pace.wait(url))
    try:
        raw = socket.create_connection((address, port), timeout=timeout)
        if parts.scheme == "https":
            raw = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
    except (OSError, ValueError) as error:  # ValueError: a host that no certificate can name
        raise MediaError(
            f"{host} cannot be reached: {error}.", hint="Check the URL and the network."
        ) from error
    connection = http.client.HTTPConnection(host, port)
    connection.sock = PacedSocket(raw, pace, url)
    return connection


def _resolve(host: str, port: int, limits: FetchLimits) -> str:
    """Return the first address of a host; refuse the host if any of its addresses is not public."""
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise MediaError(f"The host {host} is not known.", hint="Check the URL.") from error
    addresses = [str(row[4][0]) for row in rows]
    if limits.public_only and not all(_is_public(address) for address in addresses):
        raise UnsupportedMediaError(
            f"The host {host} is not on the public internet.", hint="Upload the file instead."
        )
    return addresses[0]


def _is_public(address: str) -> bool:
    """Say whether an address is one of the public internet, as a packet to it would travel."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        inside = any(parsed in network for network in _INSIDE_CLOUDS)
        return parsed.is_global and not parsed.is_multicast and not inside
    inner = parsed.ipv4_mapped or parsed.sixtofour
    # NAT64 reaches IPv4 hosts under this prefix, private ones too (RFC 6052).
    if parsed in _NAT64:
        inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    if inner is not None:
        return _is_public(str(inner))
    # Whatever lies elsewhere was never given out for the public, or no more: site-local addresses,
    # local NAT64 prefixes, IPv4 addresses with zeros in front. Python calls many of them global.
    return parsed in _GLOBAL_UNICAST and parsed.is_global


def _copy(read: Callable[[int], bytes], target: BinaryIO, url: str, limits: FetchLimits) -> None:
    size = 0
    while block := read(_CHUNK):
        size += len(block)
        if size > limits.max_bytes:
            raise UnsupportedMediaError(
                f"{url} is larger than {limits.max_bytes} bytes.", hint="Raise the limit."
            )
        target.write(block)
