"""Where the service listens, and what is said when it cannot."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest

from vidigree.detect.service.listening import address_of, listening_sockets, trusted_proxies
from vidigree.media import UsageError


@contextlib.contextmanager
def _listening(host: str) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as opened:
        yield [opened.enter_context(one) for one in listening_sockets(host, 0)]


def test_the_system_chooses_a_port_and_it_is_told() -> None:
    with _listening("127.0.0.1") as (listener,):
        url = address_of(listener, "127.0.0.1")
        port = int(url.removesuffix("/").rpartition(":")[2])
        assert port > 0
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_port_that_is_taken_is_told() -> None:
    with _listening("127.0.0.1") as (listener,):
        port = listener.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: .*in use"):
            listening_sockets("127.0.0.1", port)


def test_a_host_that_is_not_here_is_told() -> None:
    with pytest.raises(UsageError, match=r"cannot listen at no\.such\.host\.invalid:80"):
        listening_sockets("no.such.host.invalid", 80)


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_an_ipv6_address_is_written_in_brackets() -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("IPv6 is off")
    with _listening("::1") as (listener,):
        assert address_of(listener, "::1").startswith("http://[::1]:")


def _two_addresses(*known: str) -> Callable[..., list[tuple[object, ...]]]:
    kinds = {False: socket.AF_INET, True: socket.AF_INET6}
    return lambda host, port, **_: [
        (kinds[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in known
    ]


def test_a_name_with_several_addresses_is_served_at_all_of_them(monkeypatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _two_addresses("127.0.0.1", "127.0.0.2"))
    with _listening("localhost") as listeners:
        assert [one.getsockname()[0] for one in listeners] == ["127.0.0.1", "127.0.0.2"]
        assert len({one.getsockname()[1] for one in listeners}) == 1


def test_an_address_that_is_not_here_does_not_stop_the_others(monkeypatch) -> None:
    # 192.0.2.0/24 is for documentation: no machine has it.
    monkeypatch.setattr(socket, "getaddrinfo", _two_addresses("192.0.2.1", "127.0.0.1"))
    with _listening("localhost") as listeners:
        assert [one.getsockname()[0] for one in listeners] == ["127.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", _two_addresses("192.0.2.1"))
    with pytest.raises(UsageError, match="cannot listen at localhost"):
        listening_sockets("localhost", 0)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "10.0.0.0/8, 192.0.2.1", "::1,fd00::/8", "*", "fe80::1%eth0"]
)
def test_proxies_are_addresses_and_networks(text: str) -> None:
    assert ", ".join(trusted_proxies(text)).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "text", ["", "zzz", "localhost", "127.0.0.1,", "*,10.0.0.1", "10.0.0.1/8", "10.0.0.0/40", "a/b"]
)
def test_what_is_no_proxy_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a proxy"):
        trusted_proxies(text)
