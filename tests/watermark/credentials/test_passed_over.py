"""What RFC 5280 asks of the authorities above a leaf: `keys check` looks, the library does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from fixtures.authority import pem
from fixtures.chain_authority import ChainAuthority, trusting

from vidigree.watermark.credentials import ManifestRequest, read_credentials, sign_file
from vidigree.watermark.credentials.certificate_check import check_chain

DOCS = Path(__file__).resolve().parent.parent.parent.parent / "docs"
ELSEWHERE = x509.DirectoryName(
    x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Somebody else")])
)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.77"), b"\x05\x00")

# By the words of docs/signing.md.
PASSED_OVER: dict[str, dict[str, Any]] = {
    "name constraints": {
        "extra": x509.NameConstraints(permitted_subtrees=[ELSEWHERE], excluded_subtrees=None),
        "extra_critical": True,
    },
    "unknown critical extensions": {"extra": UNKNOWN, "extra_critical": True},
    "path length of a root": {"root_length": 0},
}


@pytest.mark.parametrize("case", PASSED_OVER)
def test_a_chain_that_keys_check_refuses_may_be_trusted(
    case: str, clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    authority = ChainAuthority(**PASSED_OVER[case])
    issued = authority.issue()
    whole = issued.chain + pem(issued.root)
    errors: list[Any] = [row for row in check_chain(whole) if row.severity == "error"]
    assert len(errors) == 1
    out = tmp_path / "signed.mp4"
    sign_file(clip, out, request=request_for_clip, identity=issued.identity)
    reading = read_credentials(out, trust=trusting(authority))
    assert (reading.signer_trust, reading.integrity) == ("trusted", "intact")
    page = " ".join((DOCS / "signing.md").read_text(encoding="utf-8").lower().split())
    assert case in page
