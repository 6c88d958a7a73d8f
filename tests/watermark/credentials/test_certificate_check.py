"""What is wrong with a certificate is said in words, and agrees with whether signing works."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from fixtures.authority import CLAIM_SIGNING, EMAIL, Authority, key_pem, pem, usage
from fixtures.chain_authority import ChainAuthority

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials import ManifestRequest, SigningIdentity, sign_file
from vidigree.watermark.credentials.certificate_check import (
    check_chain,
    check_identity,
)
from vidigree.watermark.credentials.chains import is_authority
from vidigree.watermark.credentials.commands import keys
from vidigree.watermark.credentials.identity import identity_from_chain
from vidigree.watermark.credentials.private_key import FileKey

AUTHORITY = Authority.make()
KEY = ec.generate_private_key(ec.SECP256R1())
DOCUMENT = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"days": (-300, -1)}, "ran out on"),
    "future": ({"days": (10, 300)}, "valid only from"),
    "no purpose": ({"purposes": ()}, "names no purpose"),
    "any purpose": ({"purposes": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)}, "any purpose"),
    "server only": (
        {"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)},
        "None of the leaf's purposes",
    ),
    "no signature": ({"key_usage": usage(key_encipherment=True)}, "may not make digital"),
    "no authority id": ({"authority_id": False}, "which key issued it"),
    "authority": (
        {"ca": True, "key_usage": usage(digital_signature=True)},
        "certificate authority",
    ),
}


def _problems(chain: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"error": [], "warning": []}
    for row in check_chain(chain):
        found[row.severity].append(row.problem)
        assert row.remedy
    return found


def _signs(chain: bytes, clip: Path, request: ManifestRequest, out: Path) -> bool:
    identity = identity_from_chain(chain, FileKey(KEY))
    try:
        sign_file(clip, out, request=request, identity=identity)
    except CredentialsError:
        return False
    return True


@pytest.mark.parametrize("fault", BROKEN)
def test_fault_is_named_and_signing_fails(
    fault: str, clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    changes, words = BROKEN[fault]
    chain = pem(AUTHORITY.issue(KEY.public_key(), **changes))
    assert any(words in problem for problem in _problems(chain)["error"])
    assert not _signs(chain, clip, request_for_clip, tmp_path / "x.mp4")


@pytest.mark.parametrize(
    ("purposes", "warning"),
    [
        ((EMAIL, CLAIM_SIGNING), ""),
        ((DOCUMENT, CLAIM_SIGNING), ""),
        ((EMAIL, DOCUMENT, CLAIM_SIGNING), ""),
        ((EMAIL,), "lacks the purpose"),
        ((DOCUMENT,), "lacks the purpose"),
        ((CLAIM_SIGNING,), "only purpose"),
    ],
)
def test_good_purposes_sign(
    purposes: tuple[x509.ObjectIdentifier, ...],
    warning: str,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    chain = pem(AUTHORITY.issue(KEY.public_key(), purposes=purposes))
    found = _problems(chain)
    assert found["error"] == []
    told = [row for row in found["warning"] if "purpose" in row]
    assert [warning in row for row in told] == ([True] if warning else [])
    assert _signs(chain, clip, request_for_clip, tmp_path / "x.mp4")


def test_chain_upside_down_is_named() -> None:
    issuer = AUTHORITY.issue(KEY.public_key(), common_name="Issuer", ca=True)
    chain = pem(issuer) + pem(AUTHORITY.issue(KEY.public_key()))
    assert any("upside down" in problem for problem in _problems(chain)["error"])


def test_self_signed_leaf_is_named() -> None:
    assert any("self-signed" in problem for problem in _problems(pem(AUTHORITY.root))["error"])


def test_wrong_issuer_is_named() -> None:
    chain = pem(AUTHORITY.issue(KEY.public_key())) + pem(Authority.make("Other Root").root)
    assert any("comes next" in problem for problem in _problems(chain)["error"])


def test_issuer_of_the_same_name_with_another_key_is_named() -> None:
    chain = pem(AUTHORITY.issue(KEY.public_key())) + pem(Authority.make().root)
    assert any("does not hold" in problem for problem in _problems(chain)["error"])


def test_short_rsa_key_is_named() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    chain = pem(AUTHORITY.issue(key.public_key()))
    assert any("1024 bits" in problem for problem in _problems(chain)["error"])


def _chain(**changes: Any) -> bytes:
    return pem(AUTHORITY.issue(KEY.public_key(), **changes))


def _at(chain: bytes, now: datetime, words: str) -> str:
    return next((row.severity for row in check_chain(chain, now=now) if words in row.problem), "")


def test_a_leaf_is_valid_from_its_first_second_to_its_last() -> None:
    chain, second = _chain(days=(-100, 100)), timedelta(seconds=1)
    leaf = x509.load_pem_x509_certificate(chain)
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    soon = end - timedelta(days=30)
    found = {
        name: [_at(chain, now, words) for now in (when - second, when, when + second)]
        for name, when, words in (
            ("start", start, "valid only from"),
            ("soon", soon, "runs out on"),
            ("end", end, "ran out on"),
        )
    }
    assert found == {
        "start": ["error", "", ""],
        "soon": ["", "", "warning"],
        "end": ["", "", "error"],
    }
    assert _at(chain, end, "runs out on") == "warning"


def test_a_leaf_is_valid_for_366_days_at_most() -> None:
    for days, said in ((366, []), (367, ["The leaf is valid for 367 days"])):
        found = [row.problem for row in check_chain(_chain(days=(0, days)))]
        assert [words for words in said if not any(words in row for row in found)] == []
        assert any("policy allows 366" in row for row in found) is bool(said)


def test_an_issuer_is_valid_from_its_first_second_to_its_last() -> None:
    issued, second = ChainAuthority().issue(), timedelta(seconds=1)
    start, end = issued.issuer.not_valid_before_utc, issued.issuer.not_valid_after_utc
    times = (start - second, start, end, end + second)
    assert [_at(issued.chain, now, "is not valid now") for now in times] == [
        *("error", "", "", "error")
    ]
    for now, words in (
        (times[0], f"from {start:%Y-%m-%d %H:%M}"),
        (times[3], f"until {end:%Y-%m-%d}"),
    ):
        assert _at(issued.chain, now, f"'Example issuing' is not valid now ({words}") == "error"


def test_errors_come_before_warnings() -> None:
    severities = [row.severity for row in check_chain(_chain(days=(-500, -1), organization=None))]
    assert severities == sorted(severities)
    assert set(severities) == {"error", "warning"}


def test_what_is_too_much_or_too_little_of_a_chain_is_told() -> None:
    issued = ChainAuthority().issue()
    alone, root = "There is only the leaf", "The root is part of the chain"
    for chain, told in (
        (pem(issued.leaf), [alone]),
        (issued.chain, []),
        (issued.chain + pem(issued.root), [root]),
        (pem(issued.root), [alone]),
    ):
        found = [words for words in (alone, root) if _at(chain, datetime.now(UTC), words)]
        assert found == ([] if chain == pem(issued.root) else told)


def test_a_gap_or_a_stranger_further_up_is_told() -> None:
    issued, other = ChainAuthority().issue(), ChainAuthority("Other")
    for upper in (other.issuer, other.root):
        found = _problems(issued.chain + pem(upper))["error"]
        assert any("comes next" in problem and "'Example root'" in problem for problem in found)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), ""),
        (ec.generate_private_key(ec.SECP384R1()), ""),
        (ec.generate_private_key(ec.SECP521R1()), ""),
        (ed25519.Ed25519PrivateKey.generate(), ""),
        (ec.generate_private_key(ec.SECP256K1()), "The curve secp256k1 is not one of"),
        (ed448.Ed448PrivateKey.generate(), "no algorithm for this kind of key"),
    ],
    ids=["RSA 2048", "P-384", "P-521", "Ed25519", "secp256k1", "Ed448"],
)
def test_keys_of_c2pa_pass_and_others_are_named(key: Any, words: str) -> None:
    found = _problems(pem(AUTHORITY.issue(key.public_key())))["error"]
    assert [words in problem for problem in found] == ([True] if words else [])


def test_a_leaf_that_names_nobody_is_told() -> None:
    assert any(
        "names no organization" in row for row in _problems(_chain(organization=None))["warning"]
    )
    assert not any("organization" in row for row in _problems(_chain())["warning"])


def test_development_chain_has_one_warning(identity: SigningIdentity) -> None:
    found = _problems(identity.chain)
    assert found["error"] == []
    assert len(found["warning"]) == 1
    assert "development certificate" in found["warning"][0]


# By the bytes that are damaged: what they become, and what is said of a leaf and of an issuer.
UNREADABLE: dict[str, tuple[str, str, str, str]] = {
    "organization in Latin-1": (
        "0c0b4578616d706c65204c7464",
        "0c0b45e9616d706c65204c7464",
        "The names of certificate 1 of the chain cannot be read",
        "The names of certificate 2 of the chain cannot be read",
    ),
    "extension twice": (
        "0603551d0e",
        "0603551d23",
        "The extensions of certificate 1 of the chain cannot be read",
        "The extensions of certificate 2 of the chain cannot be read",
    ),
    "unknown signature": (
        "06082a8648ce3d040303",
        "06082a8648ce3d04037f",
        "signed with an algorithm that is not known",
        "",
    ),
    "unknown curve": (
        "06052b81040022",
        "06052b8104007f",
        "no algorithm for this kind of key",
        "The signature of 'Example issuing' on 'Example signer' does not hold",
    ),
}


def _damaged(certificate: x509.Certificate, fault: str) -> bytes:
    right, wrong, *_ = UNREADABLE[fault]
    der = certificate.public_bytes(Encoding.DER)
    assert bytes.fromhex(right) in der
    body = base64.encodebytes(der.replace(bytes.fromhex(right), bytes.fromhex(wrong)))
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_certificate_of_which_parts_cannot_be_read_is_wrong(fault: str) -> None:
    issued = ChainAuthority().issue("es384")
    *_, of_leaf, of_issuer = UNREADABLE[fault]
    leaf = _problems(_damaged(issued.leaf, fault) + pem(issued.issuer))["error"]
    assert any(of_leaf in problem for problem in leaf)
    issuer = _problems(pem(issued.leaf) + _damaged(issued.issuer, fault))["error"]
    assert any(of_issuer in problem for problem in issuer) or not of_issuer


@pytest.mark.parametrize("which", ["issuer", "subject"])
def test_either_name_of_a_certificate_may_be_unreadable(which: str) -> None:
    right, wrong, *_ = UNREADABLE["organization in Latin-1"]
    der = ChainAuthority().issue().leaf.public_bytes(Encoding.DER).hex()
    assert der.count(right) == 2  # the issuer's, then the subject's
    place = der.index(right) if which == "issuer" else der.rindex(right)
    body = base64.encodebytes(bytes.fromhex(der[:place] + wrong + der[place + len(right) :]))
    chain = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
    assert _problems(chain)["error"] == ["The names of certificate 1 of the chain cannot be read."]


def test_a_name_of_a_kind_that_nobody_reads_is_told() -> None:
    x400 = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.5.29.17"), b"\x30\x04\xa3\x02\x05\x00"
    )
    issued = ChainAuthority().issue(extra=x400)
    assert _problems(issued.chain)["error"] == [
        "The extensions of certificate 1 of the chain cannot be read."
    ]
    assert not is_authority(issued.leaf)
    assert is_authority(issued.issuer)


def test_an_identity_has_a_name_and_a_key_that_can_be_read() -> None:
    issued = ChainAuthority().issue("es384")
    key, issuer = FileKey(issued.key), pem(issued.issuer)  # type: ignore[arg-type]
    for fault, words in (
        ("organization in Latin-1", "The names of the first certificate"),
        ("unknown curve", "a public key of an unknown kind"),
    ):
        with pytest.raises(CredentialsError, match=words):
            identity_from_chain(_damaged(issued.leaf, fault) + issuer, key)
    with pytest.raises(CredentialsError, match="does not belong to the first certificate"):
        identity_from_chain(
            pem(issued.leaf) + _damaged(issued.issuer, "unknown curve"), FileKey(KEY)
        )


class _Refusing:
    """A signer that does not sign."""

    kind = "token"

    def sign(self, data: bytes) -> bytes:
        raise CredentialsError("The token was pulled out.", hint="Put it back.")

    def public_key(self) -> None:
        return None


def test_a_signer_that_does_not_sign_is_told_before_what_is_wrong_with_its_chain() -> None:
    chain = _chain(organization=None)
    there = identity_from_chain(chain, FileKey(KEY))
    warned = check_identity(there)
    assert {row.severity for row in warned} == {"warning"}
    away, *others = check_identity(identity_from_chain(chain, _Refusing()))
    assert away.to_dict() == {
        "severity": "error",
        "problem": "The token was pulled out.",
        "remedy": "Put it back.",
    }
    assert tuple(others) == warned


def test_what_is_no_certificate_is_told() -> None:
    with pytest.raises(CredentialsError, match="holds no certificate: it is no PEM text"):
        check_chain(b"hello")


def test_command_says_it_and_exits_with_seven(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_bytes(pem(AUTHORITY.issue(KEY.public_key(), days=(-9, -1))))
    done = CliRunner().invoke(keys, ["check", "--chain", str(tmp_path / "bad.pem"), "--json"])
    assert done.exit_code == 7
    assert json.loads(done.output)["usable"] is False


def test_keys_use_remembers_a_signer(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.pem").write_bytes(pem(AUTHORITY.issue(KEY.public_key())))
    (tmp_path / "mine.key").write_bytes(key_pem(KEY))
    arguments = ["use", "pem", str(tmp_path / "mine.pem"), str(tmp_path / "mine.key")]
    done = CliRunner().invoke(keys, arguments, catch_exceptions=False)
    assert "signed as Example Studio" in done.output
    shown = CliRunner().invoke(keys, ["show"], catch_exceptions=False)
    assert "Example Studio" in shown.output


def test_keys_use_keeps_what_works_when_the_new_one_does_not(
    identity: SigningIdentity, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.pem").write_bytes(identity.chain)
    (tmp_path / "mine.key").write_bytes(key_pem(KEY))
    arguments = ["use", "pem", str(tmp_path / "mine.pem"), str(tmp_path / "mine.key")]
    assert isinstance(CliRunner().invoke(keys, arguments).exception, CredentialsError)
    assert not (home / "config.toml").exists()
