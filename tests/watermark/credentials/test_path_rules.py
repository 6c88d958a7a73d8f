"""What an authority may issue, and for whom: a chain that goes beyond it is told to be wrong."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from fixtures.authority import name, pem
from fixtures.chain_authority import ChainAuthority

from vidigree.watermark.credentials.certificate_check import check_chain

UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.77"), b"\x05\x00")
DNS, EMAIL, WEB = x509.DNSName, x509.RFC822Name, x509.UniformResourceIdentifier
STUDIO = [(NameOID.COUNTRY_NAME, "AT"), (NameOID.ORGANIZATION_NAME, "Example Studio")]


def _errors(*chain: x509.Certificate) -> list[str]:
    found = check_chain(b"".join(map(pem, chain)))
    return [row.problem for row in found if row.severity == "error"]


def _directory(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.DirectoryName:
    return x509.DirectoryName(x509.Name([x509.NameAttribute(*part) for part in parts]))


@dataclass
class Chain:
    """A leaf, two authorities and a root, the uppermost first made."""

    leaf: x509.Certificate
    lower: x509.Certificate
    upper: x509.Certificate
    root: x509.Certificate

    @classmethod
    def make(
        cls,
        *,
        lower: dict[str, Any] | None = None,
        leaf: dict[str, Any] | None = None,
        same_name: bool = False,
        **upper: Any,
    ) -> Chain:
        authority = ChainAuthority(**upper)
        key = ec.generate_private_key(ec.SECP256R1())
        title = authority.issuer.subject if same_name else name("Lower", "Example Ltd")
        below = authority._sign(
            title,
            authority.issuer.subject,
            key.public_key(),
            authority.issuer_key,
            **{"ca": True, **(lower or {})},
        )
        upper_authority, root = authority.issuer, authority.root
        authority.issuer, authority.issuer_key = below, key
        return cls(authority.issue(**(leaf or {})).leaf, below, upper_authority, root)


@pytest.mark.parametrize(
    ("upper", "lower", "below"),
    [(None, None, None), (2, 0, None), (1, 1, None), (1, 0, None), (0, None, 1), (0, 0, 1)],
)
def test_an_authority_allows_so_many_below_it(
    upper: int | None, lower: int | None, below: int | None
) -> None:
    chain = Chain.make(path_length=upper, lower={"path_length": lower})
    told = f"'Example issuing' allows {upper} authorities below it, and there are {below}"
    found = _errors(chain.leaf, chain.lower, chain.upper)
    assert found == ([] if below is None else [f"{told} (path length)."])
    # A leaf that may issue is no authority below another one, but is told for what it is.
    found = _errors(chain.lower, chain.upper)
    assert not any("path length" in problem for problem in found)


def test_an_authority_of_the_same_name_counts_as_readers_have_it() -> None:
    (found,) = (
        _errors(chain.leaf, chain.lower, chain.upper)
        for chain in [Chain.make(path_length=0, same_name=True)]
    )
    assert [problem[-14:] for problem in found] == ["(path length)."]


def test_a_root_that_comes_along_is_looked_at_too() -> None:
    authority = ChainAuthority()
    for length, told in ((0, ["'Example root' allows 0 authorities"]), (1, [])):
        root = authority._sign(
            authority.root.subject,
            authority.root.subject,
            authority.root_key.public_key(),
            authority.root_key,
            ca=True,
            path_length=length,
        )
        found = _errors(authority.issue().leaf, authority.issuer, root)
        assert [problem[:35] for problem in found] == told


@pytest.mark.parametrize("where", ["leaf", "lower", "upper"])
def test_what_is_critical_and_not_known_is_told_wherever_it_stands(where: str) -> None:
    titles = {"leaf": "Example signer", "lower": "Lower", "upper": "Example issuing"}
    for critical in (False, True):
        odd: dict[str, Any] = {"extra": UNKNOWN, "extra_critical": critical}
        chain = Chain.make(**(odd if where == "upper" else {where: odd}))
        told = f"'{titles[where]}' has a critical extension that is not known (2.25.77)."
        assert _errors(chain.leaf, chain.lower, chain.upper) == ([told] if critical else [])


def test_a_short_key_of_an_issuer_is_told() -> None:
    authority = ChainAuthority()
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    authority.issuer = authority._sign(
        authority.issuer.subject,
        authority.root.subject,
        key.public_key(),
        authority.root_key,
        ca=True,
    )
    authority.issuer_key = key  # type: ignore[assignment]
    found = _errors(authority.issue().leaf, authority.issuer)
    assert found == ["The RSA key of the issuer 'Example issuing' has 1024 bits."]


# A tree, a name that lies in it, and one of the same kind that does not.
NAMES: dict[str, tuple[x509.GeneralName, Any, Any]] = {
    "domain": (DNS("studio.example"), DNS("Studio.example"), DNS("studio.example.org")),
    "below a domain": (DNS("studio.example"), DNS("a.studio.example"), DNS("astudio.example")),
    "below alone": (DNS(".studio.example"), DNS("a.studio.example"), DNS("studio.example")),
    "any domain": (DNS(""), DNS("a.example"), None),
    "host of addresses": (EMAIL("studio.example"), EMAIL("a@STUDIO.example"), EMAIL("a@b.example")),
    "no host below": (
        EMAIL("studio.example"),
        EMAIL("a@studio.example"),
        EMAIL("a@b.studio.example"),
    ),
    "hosts below": (
        EMAIL(".studio.example"),
        EMAIL("a@b.studio.example"),
        EMAIL("a@studio.example"),
    ),
    "one address": (EMAIL("a@b.example"), EMAIL("a@b.example"), EMAIL("c@b.example")),
    "address without a host": (EMAIL("a@b.example"), EMAIL("a@b.example"), EMAIL("a")),
    "web": (WEB("b.example"), WEB("https://b.example:8443/x"), WEB("https://c.example/b.example")),
    "web below": (WEB(".b.example"), WEB("https://a.b.example"), WEB("https://b.example")),
    "network": (
        x509.IPAddress(ipaddress.ip_network("192.0.2.0/24")),
        x509.IPAddress(ipaddress.ip_address("192.0.2.9")),
        x509.IPAddress(ipaddress.ip_address("192.0.3.9")),
    ),
    "other network": (
        x509.IPAddress(ipaddress.ip_network("192.0.2.0/24")),
        x509.IPAddress(ipaddress.ip_address("192.0.2.9")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    ),
    "organization": (
        _directory(STUDIO[0]),
        _directory((NameOID.COUNTRY_NAME, "at"), (NameOID.COMMON_NAME, "x")),
        _directory((NameOID.COUNTRY_NAME, "DE"), (NameOID.COMMON_NAME, "AT")),
    ),
    "longer": (
        _directory(*STUDIO),
        _directory(STUDIO[0], (NameOID.ORGANIZATION_NAME, " example  studio")),
        _directory(STUDIO[0]),
    ),
}


def _told(alternative: Any, subject: x509.Name | None = None, **trees: Any) -> list[str]:
    constraints = x509.NameConstraints(
        **{"permitted_subtrees": None, "excluded_subtrees": None, **trees}
    )
    authority = ChainAuthority(extra=constraints, extra_critical=True)
    extra = None if alternative is None else x509.SubjectAlternativeName([alternative])
    issued = authority.issue(extra=extra, subject=subject)
    return _errors(issued.leaf, issued.issuer)


@pytest.mark.parametrize("case", NAMES)
def test_an_authority_vouches_for_names_in_its_trees_alone(case: str) -> None:
    tree, inside, outside = NAMES[case]
    # The leaf has a name of its own, too, which no tree of another kind says anything of.
    own = None if not isinstance(tree, x509.DirectoryName) else inside.value
    assert _told(inside, own, permitted_subtrees=[tree]) == []
    (found,) = _told(inside, own, excluded_subtrees=[tree])
    assert "'Example issuing' may not vouch for '" in found
    if outside is not None:
        own = None if not isinstance(tree, x509.DirectoryName) else outside.value
        (found,) = _told(outside, own, permitted_subtrees=[tree])
        assert "(name constraints)." in found
        # Of what an authority may not vouch for, what cannot be told apart is a part.
        assert bool(_told(outside, own, excluded_subtrees=[tree])) is (outside == EMAIL("a"))


def test_of_several_trees_one_is_enough_to_be_in_and_none_to_be_out() -> None:
    trees = [DNS("a.example"), DNS("b.example")]
    assert _told(DNS("b.example"), permitted_subtrees=trees) == []
    assert _told(DNS("b.example"), excluded_subtrees=trees) != []
    assert _told(DNS("b.a.example"), permitted_subtrees=trees, excluded_subtrees=[trees[1]]) == []
    both = [DNS("x.b.example")]
    assert _told(both[0], permitted_subtrees=trees, excluded_subtrees=both) != []


@pytest.mark.parametrize("kind", ["permitted_subtrees", "excluded_subtrees"])
def test_names_of_which_nothing_can_be_told_are_not_vouched_for(kind: str) -> None:
    for unclear in (x509.RegisteredID(x509.ObjectIdentifier("2.25.7")), WEB("urn:x"), WEB("//[")):
        tree = WEB("b.example") if isinstance(unclear, WEB) else unclear
        assert len(_told(unclear, **{kind: [tree]})) == 1


def test_an_address_in_the_subject_counts_where_there_is_none_beside_it() -> None:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Clips"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Studio"),
            x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@b.example"),
        ]
    )
    for alternative, told in (
        (None, True),
        (DNS("b.example"), True),
        (EMAIL("c@d.example"), False),
    ):
        trees = [EMAIL("d.example")]
        assert bool(_told(alternative, subject, permitted_subtrees=trees)) is told


def test_trees_hold_for_all_below_but_for_an_authority_of_the_same_name() -> None:
    studio = _directory((NameOID.ORGANIZATION_NAME, "Example Studio"))
    trees: dict[str, Any] = {
        "extra": x509.NameConstraints(permitted_subtrees=[studio], excluded_subtrees=None)
    }
    leaf = {"subject": name("Signer", "Example Studio")}
    between = Chain.make(leaf=leaf, **trees)
    (found,) = _errors(between.leaf, between.lower, between.upper)
    assert found.startswith("'Example issuing' may not vouch for 'CN=Lower,")
    renewed = Chain.make(leaf=leaf, same_name=True, **trees)
    assert _errors(renewed.leaf, renewed.lower, renewed.upper) == []
    lower = Chain.make(leaf=leaf, lower=trees)
    assert _errors(lower.leaf, lower.lower, lower.upper) == []
    both = Chain.make(lower=trees)
    assert len(_errors(both.leaf, both.lower, both.upper)) == 1


def test_nobody_asks_what_a_root_is_signed_with() -> None:
    authority = ChainAuthority()
    root = authority._sign(
        authority.root.subject,
        authority.root.subject,
        authority.root_key.public_key(),
        authority.root_key,
        ca=True,
        signature_hash=hashes.SHA224(),
    )
    assert _errors(authority.issue().leaf, authority.issuer, root) == []
