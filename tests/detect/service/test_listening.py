"""Where the service listens, and what is said when it cannot."""

from __future__ import annotations

import socket

import pytest

from vidigree.detect.service.listening import address_of, listening_socket
from vidigree.media import UsageError


def test_the_system_chooses_a_port_and_it_is_told() -> None:
    with listening_socket("127.0.0.1", 0) as listener:
        url = address_of(listener, "127.0.0.1")
        port = int(url.removesuffix("/").rpartition(":")[2])
        assert port > 0
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_port_that_is_taken_is_told() -> None:
    with listening_socket("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: .*in use"):
            listening_socket("127.0.0.1", port)


def test_a_host_that_is_not_here_is_told() -> None:
    with pytest.raises(UsageError, match=r"cannot listen at no\.such\.host\.invalid:80"):
        listening_socket("no.such.host.invalid", 80)


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_an_ipv6_address_is_written_in_brackets() -> None:
    try:
        listener = listening_socket("::1", 0)
    except UsageError:
        pytest.skip("IPv6 is off")
    with listener:
        assert address_of(listener, "::1").startswith("http://[::1]:")
