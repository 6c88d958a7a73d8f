"""Whole files: claims in the hands of a listed signer, and a listed signer that was revoked."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from fixtures.chain_authority import ChainAuthority, trusting
from fixtures.issued import CLIP_ID, record
from fixtures.revocation import ocsp_answer, staple

from vidigree.detect.audit import audit
from vidigree.detect.look_up import ledger_evidence, look_up
from vidigree.detect.settings import AuditSettings
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import (
    ManifestRequest,
    TrustSettings,
    init_identity,
    manifest,
    sign_file,
)
from vidigree.watermark.fingerprint import fingerprint_video
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.method import MarkReading


def request(clip_id: int, parent: Path | None = None) -> ManifestRequest:
    return ManifestRequest(
        origin=Origin(),
        clip_id=clip_id,
        key_id="published-1",
        duration=Fraction(2),
        parent=parent,
    )


def recording(
    clip: Path, target: Path, authority: ChainAuthority, patch: pytest.MonkeyPatch
) -> object:
    """Sign a clip as a camera's recording; return what the authority issued for it."""
    issued = authority.issue()
    identity = issued.identity
    with patch.context() as patched:
        patched.setattr(manifest, "digital_source_type", lambda *_, **__: "digitalCapture")
        sign_file(clip, target, request=request(1), identity=identity)
    return issued


def settings(*authorities: ChainAuthority) -> AuditSettings:
    return AuditSettings(layers=("credentials",), trust=trusting(*authorities))


def test_anybodys_recording_stays_unverified_in_the_hands_of_a_listed_signer(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anybody, studio = ChainAuthority("Anybody"), ChainAuthority("Studio")
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    recording(clip, first, anybody, monkeypatch)
    assert audit(first, settings=settings(studio)).reason == "capture-unverified"
    issued = studio.issue()
    identity = issued.identity
    sign_file(clip, second, request=request(2, first), identity=identity, trust=TrustSettings())
    verdict = audit(second, settings=settings(studio))
    codes = {piece.code for piece in verdict.evidence}
    assert {"credentials.intact", "credentials.signer-trusted", "credentials.says-captured"} < codes
    assert "credentials.claim-passed-on" in codes
    assert verdict.reason == "capture-unverified"
    assert audit(second, settings=settings(studio, anybody)).reason == "captured-trusted-unchecked"


def test_a_revoked_camera_declares_nothing(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, path = ChainAuthority("Camera"), tmp_path / "clip.mp4"
    issued = recording(clip, path, camera, monkeypatch)
    assert audit(path, settings=settings(camera)).reason == "captured-trusted-unchecked"
    staple(path, ocsp_answer(camera, issued, revoked=True))  # type: ignore[arg-type]
    verdict = audit(path, settings=settings(camera))
    assert verdict.reason == "capture-unverified"
    assert "credentials.revoked" in {piece.code for piece in verdict.evidence}


def signed_generated(clip: Path, target: Path, authority: ChainAuthority) -> None:
    """Sign a clip as generated."""
    issued = authority.issue()
    identity = issued.identity
    wanted = replace(request(1), origin=Origin(engine="elsewhere", synthetic=True))
    sign_file(clip, target, request=wanted, identity=identity)


@pytest.mark.parametrize(
    ("as_parent", "listed", "passed_on"),
    [(True, False, True), (True, True, False), (False, False, True), (False, True, True)],
)
def test_the_ledger_tells_its_own_word_from_what_it_passes_on(
    clip: Path, tmp_path: Path, as_parent: bool, listed: bool, passed_on: bool
) -> None:
    """Of a clip that was only stamped, its material says what it says."""
    anybody, first = ChainAuthority("Anybody"), tmp_path / "first.mp4"
    signed_generated(clip, first, anybody)
    wanted = request(CLIP_ID, first if as_parent else None)
    if not as_parent:
        wanted = replace(wanted, origin=Origin(inputs=(first,)))
    path = tmp_path / "stamped.mp4"
    store = sign_file(clip, path, request=wanted, identity=init_identity(), trust=TrustSettings())
    record(store, fingerprint_video(clip).to_bytes(), engine="external")
    mark = MarkReading(method="robust", present=True, message=CLIP_ID, scale=1.0, rotation=0.0)
    with Ledger.open() as ledger:
        reading = look_up(
            clip,
            marks=[mark],
            fingerprint=fingerprint_video(clip),
            ledger=ledger,
            trust=trusting(anybody if listed else ChainAuthority("Studio")),
        )
    assert (reading.generated, reading.passed_on) == (True, passed_on)
    codes = {piece.code for piece in ledger_evidence(reading)}
    assert reading.vouched is listed
    assert ("ledger.says-generated" in codes) is listed
    assert ("ledger.generated-unvouched" in codes) is not listed
    assert ("ledger.claim-passed-on" in codes) is passed_on
