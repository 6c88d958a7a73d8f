"""The development chain has the shape that C2PA asks for, and only keys of C2PA sign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.certificates import (
    CLAIM_SIGNING,
    DEVELOPMENT_ORGANIZATION,
    SigningAlgorithm,
    generate_key,
    key_algorithm,
    make_development_chain,
)

NOW = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def _chain(
    algorithm: SigningAlgorithm = "es256",
) -> tuple[x509.Certificate, x509.Certificate, x509.Certificate]:
    made = make_development_chain(algorithm, now=NOW)
    leaf, issuing = x509.load_pem_x509_certificates(made.chain)
    (root,) = x509.load_pem_x509_certificates(made.root)
    return leaf, issuing, root


@pytest.mark.parametrize("algorithm", get_args(SigningAlgorithm))
def test_a_key_is_of_the_algorithm_that_it_was_made_for(algorithm: SigningAlgorithm) -> None:
    key = generate_key(algorithm)
    assert key_algorithm(key.public_key()) == algorithm
    if isinstance(key, rsa.RSAPrivateKey):
        assert (key.key_size, key.public_key().public_numbers().e) == (3072, 65537)


def test_rsa_of_2048_bits_signs() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert key_algorithm(key.public_key()) == "ps256"


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=2040),
        ec.generate_private_key(ec.SECP256K1()),
        ec.generate_private_key(ec.SECP224R1()),
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
        dsa.generate_private_key(1024),
    ],
    ids=["RSA 2040", "secp256k1", "P-224", "Ed448", "X25519", "DSA"],
)
def test_no_other_key_signs(key: Any) -> None:
    with pytest.raises(CredentialsError, match="cannot sign content credentials"):
        key_algorithm(key.public_key())


def test_every_certificate_says_that_it_names_nobody() -> None:
    chain = _chain()
    for certificate in chain:
        (name,) = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
        assert name.value == DEVELOPMENT_ORGANIZATION
        assert "not verified" in DEVELOPMENT_ORGANIZATION
    names = {certificate.subject for certificate in (*chain, *_chain())}
    assert len(names) == 6, "chains of two users must not be taken for each other"
    assert len({certificate.serial_number for certificate in chain}) == 3


def test_validity_begins_a_little_earlier_and_a_leaf_ends_within_the_policys_366_days() -> None:
    leaf, issuing, root = _chain()
    for certificate in (leaf, issuing, root):
        assert certificate.not_valid_before_utc == NOW - timedelta(minutes=5)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == 365 * DAY
    for authority in (issuing, root):
        assert authority.not_valid_after_utc - authority.not_valid_before_utc == 3650 * DAY


def test_validity_begins_now_unless_it_is_said_when() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    leaf = x509.load_pem_x509_certificates(make_development_chain().chain)[0]
    began = leaf.not_valid_before_utc + timedelta(minutes=5)
    assert before <= began <= datetime.now(UTC)


def test_the_leaf_may_sign_claims_and_nothing_else() -> None:
    leaf, issuing, _ = _chain()
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.critical) == (False, True)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert _allowed(usage.value) == {"digital_signature"}
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert set(purposes.value) == {ExtendedKeyUsageOID.EMAIL_PROTECTION, CLAIM_SIGNING}
    assert leaf.issuer == issuing.subject


def test_authorities_issue_certificates_and_no_further_authorities() -> None:
    _, issuing, root = _chain()
    for authority, below in ((issuing, 0), (root, 1)):
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (constraints.value.ca, constraints.value.path_length) == (True, below)
        usage = authority.extensions.get_extension_for_class(x509.KeyUsage)
        assert (constraints.critical, usage.critical) == (True, True)
        assert _allowed(usage.value) == {"key_cert_sign", "crl_sign"}


def test_each_names_the_key_that_issued_it() -> None:
    leaf, issuing, root = _chain()
    for lower, upper in ((leaf, issuing), (issuing, root), (root, root)):
        lower.verify_directly_issued_by(upper)
        named = lower.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        held = upper.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        assert named.key_identifier == held.digest


@pytest.mark.parametrize("algorithm", ["es384", "es512", "ed25519"])
def test_the_key_that_is_kept_is_the_leafs(algorithm: SigningAlgorithm) -> None:
    made = make_development_chain(algorithm)
    leaf = x509.load_pem_x509_certificates(made.chain)[0]
    assert load_pem_private_key(made.key, None).public_key() == leaf.public_key()
    assert key_algorithm(leaf.public_key()) == algorithm
    assert made.key.count(b"BEGIN PRIVATE KEY") == 1
    assert "PRIVATE" not in repr(made)


def _allowed(usage: x509.KeyUsage) -> set[str]:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign"
    )
    return {name for name in names.split() if getattr(usage, name)}
