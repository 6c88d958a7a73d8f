"""A page whose name points at this machine reads no audits of the service at home here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from vidigree.detect.service.host_names import accepted_names, check_host, read_names
from vidigree.detect.service.listening import listening_sockets
from vidigree.detect.service.refusals import RefusalError

NAMES = frozenset({"localhost", "clips.example.org"})


@pytest.mark.parametrize(
    "header",
    [
        "localhost",
        "LocalHost:8400",
        "localhost.:8400",
        "127.0.0.1",
        "127.0.0.1:8400",
        "127.1.2.3",
        "[::1]",
        "[::1]:8400",
        "clips.example.org:443",
        "",
    ],
)
def test_a_name_of_its_own_is_accepted(header: str) -> None:
    check_host(header, NAMES)


def test_an_address_is_the_same_however_it_is_written() -> None:
    """Browsers shorten what the operator wrote at length; other clients do not."""
    names = accepted_names(
        read_names(["2001:db8::2"]), host="2001:db8:0:0::1", listeners=(), behind_proxy=False
    )
    check_host("[2001:db8::1]:8400", names)
    check_host("[2001:DB8:0::2]", names)


@pytest.mark.parametrize(
    "header",
    [
        ":8400",
        "evil.example",
        "evil.example:8400",
        "localhost.evil.example",
        "evil.clips.example.org",
        "localhost@evil.example",
        "localhost:8400:1",
        "192.0.2.1",
        "[::2]:8400",
        "::1",
        "[::1",
    ],
)
def test_another_name_is_not(header: str) -> None:
    with pytest.raises(RefusalError, match="name of its own"):
        check_host(header, NAMES)
    check_host(header, ())


@pytest.mark.parametrize("path", ["/", "/v1/audits/0", "/metrics", "/c2pa/v1/manifests/a"])
def test_a_page_from_elsewhere_is_told_nothing(
    start_service: Callable[..., Any], path: str
) -> None:
    """Once a name that its owner let point here got the answers as a page of the same origin."""
    service = start_service(host_names=NAMES)
    refused = service.http.get(path, headers={"Host": f"evil.example:{service.port}"})
    assert (refused.status_code, refused.json()["error"]["kind"]) == (400, "WrongHost")
    assert "allowed-host" in refused.json()["error"]["hint"]
    assert 'kind="WrongHost"' in service.http.get("/metrics").text
    assert service.http.get(path).status_code != 400
    assert service.http.get("/healthz", headers={"Host": "192.0.2.1"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "behind_proxy", "allowed", "names"),
    [
        ("127.0.0.1", False, [], {"localhost", "127.0.0.1"}),
        ("localhost", False, [], {"localhost"}),
        ("127.0.0.1", False, ["Clips.example.org"],
         {"clips.example.org", "localhost", "127.0.0.1"}),
        ("localhost", False, ["[2001:DB8::1]", "b."], {"2001:db8::1", "b", "localhost"}),
        ("127.0.0.1", True, [], set()),
        ("127.0.0.1", True, ["a"], {"a", "localhost", "127.0.0.1"}),
        ("0.0.0.0", False, [], set()),
        ("0.0.0.0", False, ["a"], {"a", "localhost", "0.0.0.0"}),
    ],
)  # fmt: skip
def test_which_names_are_its_own(
    host: str, behind_proxy: bool, allowed: list[str], names: set[str]
) -> None:
    with ExitStack() as opened:
        listeners = [opened.enter_context(one) for one in listening_sockets(host, 0)]
        found = accepted_names(
            read_names(allowed), host=host, listeners=listeners, behind_proxy=behind_proxy
        )
    assert found == names
