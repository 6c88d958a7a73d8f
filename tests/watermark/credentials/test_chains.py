"""Certificates are put in the order that leads to the root, and nobody else's come along."""

from __future__ import annotations

from itertools import permutations

import pytest
from fixtures.authority import pem
from fixtures.chain_authority import ChainAuthority

from vidigree.watermark.credentials.certificates import generate_key
from vidigree.watermark.credentials.chains import is_issued_by, is_self_signed, ordered_chain


@pytest.fixture(scope="module")
def authority() -> ChainAuthority:
    return ChainAuthority()


def test_issuer_is_known_by_its_name_and_its_key(authority: ChainAuthority) -> None:
    issued = authority.issue()
    assert is_issued_by(issued.leaf, issued.issuer)
    assert is_issued_by(issued.issuer, issued.root)
    assert not is_issued_by(issued.leaf, issued.root)
    assert not is_issued_by(issued.issuer, issued.leaf)
    assert not is_issued_by(issued.leaf, ChainAuthority("Other").issuer)


@pytest.mark.parametrize("algorithm", ["es256", "es384", "ed25519", "ps256"])
def test_name_of_an_issuer_alone_makes_none(authority: ChainAuthority, algorithm: str) -> None:
    """Whatever kind the other key is of."""
    leaf = authority.issue().leaf
    key = generate_key(algorithm)  # type: ignore[arg-type]
    sign = None if algorithm == "ed25519" else "default"
    other = ChainAuthority()._sign(
        authority.issuer.subject,
        authority.issuer.subject,
        key.public_key(),
        key,
        ca=True,
        signature_hash=sign,
    )
    assert is_self_signed(other)
    assert not is_issued_by(leaf, other)
    assert ordered_chain(leaf, [other, authority.issuer]) == pem(leaf) + pem(authority.issuer)


def test_only_a_root_vouches_for_itself(authority: ChainAuthority) -> None:
    issued = authority.issue()
    found = [is_self_signed(one) for one in (issued.root, issued.issuer, issued.leaf)]
    assert found == [True, False, False]
    assert is_self_signed(authority.issue(self_signed=True).leaf)


def test_chain_is_the_same_whatever_order_its_parts_come_in(authority: ChainAuthority) -> None:
    issued, stranger = authority.issue(), ChainAuthority("Stranger")
    parts = [issued.root, issued.issuer, stranger.issuer, stranger.root, stranger.issue().leaf]
    for others in permutations(parts, 4):
        below = [issued.issuer] if issued.issuer in others else []
        assert ordered_chain(issued.leaf, others) == b"".join(map(pem, [issued.leaf, *below]))
    assert ordered_chain(issued.leaf, []) == pem(issued.leaf)


def test_authorities_that_vouch_for_each_other_end_the_chain(authority: ChainAuthority) -> None:
    one, two = authority, ChainAuthority("Two")
    names = one.issuer.subject, two.issuer.subject
    first = one._sign(*names, one.issuer_key.public_key(), two.issuer_key, ca=True)
    second = two._sign(*names[::-1], two.issuer_key.public_key(), one.issuer_key, ca=True)
    leaf = one.issue().leaf
    assert ordered_chain(leaf, [second, first]) == b"".join(map(pem, [leaf, first, second]))
