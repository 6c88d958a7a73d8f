"""What a service fetches for strangers: it lies on the public net, after every redirect too."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from fixtures.clip_server import BODY, serving

from vidigree.detect.fetching import FetchLimits, local_copy
from vidigree.media import MediaError, UnsupportedMediaError


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as port:
        yield f"http://127.0.0.1:{port}"


def fetch(url: str) -> bytes:
    with local_copy(url, FetchLimits(public_only=True)) as path:
        return path.read_bytes()


def _unreachable(*_: object, **__: object) -> socket.socket:
    raise OSError("unreachable")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.192",
        "192.88.99.1",
        "168.63.129.16",
        "[64:ff9b::a83f:8110]",
        "224.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
    ],
)
def test_addresses_inside_are_refused(host: str) -> None:
    with pytest.raises(MediaError, match=r"public internet|not known"):
        fetch(f"http://{host}/clip.mp4")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("64:ff9b::5db8:d822", True),  # 93.184.216.34 where there is no IPv4
        ("2002:5db8:d822::1", True),
        ("::ffff:93.184.216.34", True),
        ("fec0::1", False),  # site-local
        ("64:ff9b:1::5db8:d822", False),  # NAT64 within a network
        ("64:ff9b:1::a00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::e000:1", False),
        ("::127.0.0.1", False),
        ("::93.184.216.34", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:0:10.0.0.1", False),
        ("2002:a00:1::1", False),
        ("2001:0:5db8:d822::a247:27dd", False),  # Teredo, public at both ends
        ("2001:0:a00:1::a247:27dd", False),
        ("2001:db8::1", False),
        ("4000::1", False),
        ("5f00::1", False),
        ("100::1", False),
        ("ff0e::1", False),
        ("fe80::1%eth0", False),
        ("::", False),
    ],
)
def test_an_ipv6_address_is_public_only_where_they_are_given_out(
    address: str, public: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 80, 0, 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [row])
    # Nothing is connected to: an address that passes is refused here.
    monkeypatch.setattr(socket, "create_connection", _unreachable)
    with pytest.raises(MediaError, match="unreachable" if public else "public internet"):
        fetch("http://clips.test/clip.mp4")


@pytest.mark.parametrize("inside", ["127.0.0.1", "::1"])
def test_a_host_with_one_address_inside_is_refused(
    inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        (socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", (address, 80))
        for address in ("93.184.216.34", inside)
    ]
    monkeypatch.setattr(socket, "create_connection", _unreachable)
    for order in (rows, rows[::-1]):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, order=order, **__: order)
        with pytest.raises(UnsupportedMediaError, match="is not on the public internet"):
            fetch("http://clips.test/clip.mp4")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "memory://b/x", "s3://b/x", "ftp://h/x"])
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(UnsupportedMediaError, match="Only http and https"):
        fetch(url)


def test_other_ports_are_refused() -> None:
    with pytest.raises(UnsupportedMediaError, match="Port 6379"):
        fetch("http://example.test:6379/")


def test_a_redirect_inside_is_refused(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first hop resolves to a public address (faked); the second must be checked too."""
    real, port = socket.create_connection, int(server.rpartition(":")[2])

    def resolve(host: str, port: int, *_: object, **__: object) -> list[object]:
        address = "93.184.216.34" if host == "public.test" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: tuple[str, int], **settings: float) -> socket.socket:
        assert address == ("93.184.216.34", 80)
        return real(("127.0.0.1", port), **settings)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert fetch("http://public.test/clip.mp4") == BODY
    with pytest.raises(UnsupportedMediaError, match=r"169\.254\.169\.254 is not on the public"):
        fetch("http://public.test/inside")
    with pytest.raises(UnsupportedMediaError, match="Port 6379 is not fetched from"):
        fetch("http://public.test/port")
    with pytest.raises(UnsupportedMediaError, match=r"ftp://.* is not an http or https URL"):
        fetch("http://public.test/elsewhere")
