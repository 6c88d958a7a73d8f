"""A certificate that was taken back vouches for nothing, where the signer's own answer says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.authority import pem
from fixtures.chain_authority import ChainAuthority
from fixtures.revocation import ocsp_answer, staple

from vidigree.watermark.credentials import (
    ManifestRequest,
    TrustList,
    TrustSettings,
    identity_from_chain,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.private_key import FileKey


@pytest.mark.parametrize(
    ("revoked", "validity", "code"),
    [
        (True, "revoked", "signingCredential.ocsp.revoked"),
        (False, "valid", "signingCredential.ocsp.notRevoked"),
    ],
)
def test_a_stapled_answer_is_believed(
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
    revoked: bool,
    validity: str,
    code: str,
) -> None:
    authority = ChainAuthority()
    issued = authority.issue()
    identity = identity_from_chain(issued.chain, FileKey(issued.key))  # type: ignore[arg-type]
    path = tmp_path / "signed.mp4"
    sign_file(clip, path, request=request_for_clip, identity=identity)
    lists = (TrustList(name="x", role="claim", anchors=pem(issued.root)),)
    trust = TrustSettings(lists=lists)
    assert read_credentials(path, trust=trust).validity == "valid"
    staple(path, ocsp_answer(authority, issued, revoked=revoked))
    reading = read_credentials(path, trust=trust)
    assert (reading.integrity, reading.signer_trust) == ("intact", "trusted")
    assert reading.validity == validity
    assert code in (*reading.codes.failure, *reading.codes.success)
