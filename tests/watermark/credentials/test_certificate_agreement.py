"""`keys check` calls wrong what the library or a reader refuses, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from fixtures.authority import EMAIL, usage
from fixtures.chain_authority import DAY, ChainAuthority, trusting

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials import (
    ManifestRequest,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.certificate_check import check_chain

NOW = datetime.now(UTC)
PAST = {"not_before": NOW - 9 * DAY, "not_after": NOW - DAY}
SIGNS_CERTIFICATES = usage(digital_signature=True, key_cert_sign=True)
ENCRYPTS = usage(key_encipherment=True)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.77"), b"\x05\x00")
ALSO = x509.SubjectAlternativeName([x509.RFC822Name("clips@studio.example")])

# What is odd about the issuer, what is odd about the leaf, and whether the chain works.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "good": ({}, {}, True),
    "P-521": ({}, {"algorithm": "es512"}, True),
    "long-lived": ({}, {"not_after": NOW + 1500 * DAY}, True),
    "purposes critical": ({}, {"usages_critical": True}, True),
    "TLS server as well": ({}, {"usages": [EMAIL, ExtendedKeyUsageOID.SERVER_AUTH]}, True),
    "signed with SHA-512": ({}, {"signature_hash": hashes.SHA512()}, True),
    "issuer without key usage": ({"key_usage_extension": None}, {}, True),
    "issuer is no authority": ({"ca": False}, {}, False),
    "issuer may not sign": ({"key_usage_extension": usage(digital_signature=True)}, {}, False),
    "issuer expired": (PAST, {}, False),
    "issuer signed with SHA-224": ({"signature_hash": hashes.SHA224()}, {}, False),
    "issuer may have none below": ({"path_length": 0}, {}, True),
    "unknown": ({}, {"extra": UNKNOWN}, True),
    "unknown and critical": ({}, {"extra": UNKNOWN, "extra_critical": True}, False),
    "known and critical": ({}, {"extra": ALSO, "extra_critical": True}, True),
    "expired": ({}, PAST, False),
    "signed with SHA-224": ({}, {"signature_hash": hashes.SHA224()}, False),
    "no key usage": ({}, {"key_usage_extension": None}, False),
    "key usage encrypts": ({}, {"key_usage_extension": ENCRYPTS}, False),
    "signs certificates": ({}, {"key_usage_extension": SIGNS_CERTIFICATES}, False),
    "stamps time": ({}, {"usages": [EMAIL, ExtendedKeyUsageOID.TIME_STAMPING]}, False),
    "answers OCSP": ({}, {"usages": [EMAIL, ExtendedKeyUsageOID.OCSP_SIGNING]}, False),
    "any purpose": ({}, {"usages": [EMAIL, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]}, False),
    "TLS server": ({}, {"usages": [ExtendedKeyUsageOID.SERVER_AUTH]}, False),
    "no purpose": ({}, {"usages": None}, False),
    "self-signed": ({}, {"self_signed": True}, False),
    "no authority key id": ({}, {"authority_key_id": False}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_check_agrees_with_what_happens(
    case: str, clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    issuer, leaf, works = CASES[case]
    authority = ChainAuthority(**issuer)
    issued = authority.issue(**leaf)
    found = [row for row in check_chain(issued.chain) if row.severity == "error"]
    assert (found == []) is works
    identity = issued.identity
    out = tmp_path / "signed.mp4"
    refusal = ""
    try:
        sign_file(clip, out, request=request_for_clip, identity=identity)
    except CredentialsError as error:
        refusal = error.message
    if refusal:
        assert not works
        assert "invalid" not in refusal  # the library's only word for it
        assert not out.exists()
    else:
        reading = read_credentials(out, trust=trusting(authority))
        assert (reading.signer_trust == "trusted") is works
