"""A certificate that was taken back vouches for nothing, where the signer's own answer says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.chain_authority import ChainAuthority, trusting
from fixtures.revocation import ocsp_answer, staple

from vidigree.watermark.credentials import (
    ManifestRequest,
    read_credentials,
    sign_file,
)


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
    identity = issued.identity
    path = tmp_path / "signed.mp4"
    sign_file(clip, path, request=request_for_clip, identity=identity)
    trust = trusting(authority)
    assert read_credentials(path, trust=trust).validity == "valid"
    staple(path, ocsp_answer(authority, issued, revoked=revoked))
    reading = read_credentials(path, trust=trust)
    assert (reading.integrity, reading.signer_trust) == ("intact", "trusted")
    assert reading.validity == validity
    assert code in (*reading.codes.failure, *reading.codes.success)
