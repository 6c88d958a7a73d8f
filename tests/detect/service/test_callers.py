"""Who counts as one caller."""

from __future__ import annotations

import pytest

from vidigree.detect.service.callers import _network


@pytest.mark.parametrize(
    ("addresses", "network"),
    [
        (("203.0.113.9", "203.0.113.9:1234", "::ffff:203.0.113.9", "[::ffff:203.0.113.9]:9"),
         "203.0.113.9"),
        (("2001:db8::1", "2001:db8::2%eth0", "[2001:db8::3]", "[2001:db8::4]:443"),
         "2001:db8::/64"),
        (("unknown",), "unknown"),
        (("_hidden:7",), "_hidden:7"),
    ],
)  # fmt: skip
def test_one_caller_is_counted_as_one_however_a_proxy_writes_it(
    addresses: tuple[str, ...], network: str
) -> None:
    assert {_network(address) for address in addresses} == {network}
