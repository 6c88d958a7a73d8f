"""The audit of real files: layers are wired, failures are told, files that cannot be read raise."""

from __future__ import annotations

import csv
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fixtures.issued import CLIP_ID, record

from vidigree.detect.audit import audit
from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.open_ledgers import OpenLedgers
from vidigree.detect.settings import AuditSettings
from vidigree.detect.verdict import Verdict
from vidigree.media import (
    MediaError,
    MediaNotFoundError,
    NotAVideoError,
    TruncatedMediaError,
    UnsupportedMediaError,
    UsageError,
    VideoWriter,
    open_video,
)
from vidigree.media.frame import Frame
from vidigree.media.reading import VideoReader
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import (
    ManifestRequest,
    TrustSettings,
    init_identity,
    load_identity,
    manifest,
    sign_file,
)
from vidigree.watermark.fingerprint import fingerprint_video
from vidigree.watermark.ledger import Ledger

CREDENTIALS = AuditSettings(layers=("credentials",))
LOOK_UP = AuditSettings(layers=("credentials", "ledger"))


def codes(verdict: Verdict) -> set[str]:
    return {piece.code for piece in verdict.evidence}


def test_signed_clip_is_declared_synthetic(signed: tuple[Path, bytes]) -> None:
    verdict = audit(signed[0], settings=CREDENTIALS)
    assert verdict.finding is Finding.DECLARED_SYNTHETIC
    assert verdict.confidence is Confidence.HIGH
    assert "credentials.signer-own" in codes(verdict)


def test_without_the_own_root_the_signer_is_unlisted(signed: tuple[Path, bytes]) -> None:
    settings = AuditSettings(layers=("credentials",), trust=TrustSettings())
    verdict = audit(signed[0], settings=settings)
    assert verdict.reason == "generated-unverified-signer"
    assert verdict.confidence is Confidence.MEDIUM


def test_plain_clip_has_no_evidence(clip: Path) -> None:
    verdict = audit(clip, settings=LOOK_UP)
    assert verdict.finding is Finding.NO_EVIDENCE
    assert {"credentials.absent", "ledger.empty", "mark.left-out"} <= codes(verdict)


def test_auditing_makes_no_ledger(clip: Path, home: Path) -> None:
    audit(clip, settings=LOOK_UP)
    assert not (home / "ledger.sqlite3").exists()


def test_altered_content_is_contradictory(signed: tuple[Path, bytes]) -> None:
    data = bytearray(signed[0].read_bytes())
    start = data.index(b"mdat") - 4
    data[start + int.from_bytes(data[start : start + 4], "big") - 1] ^= 1
    signed[0].write_bytes(data)
    verdict = audit(signed[0], settings=CREDENTIALS)
    assert (verdict.finding, verdict.reason) == (Finding.CONTRADICTORY, "content-altered")


def test_stripped_clip_is_found_again_by_its_fingerprint(clip: Path, issued: Path) -> None:
    verdict = audit(clip, settings=LOOK_UP)
    assert (verdict.finding, verdict.reason) == (Finding.RECOVERED, "recovered-by-fingerprint")
    ledger = verdict.to_dict()["readings"]["ledger"]
    assert ledger["clip_id"] == f"{CLIP_ID:016x}"
    assert ledger["claimed_source"] == "generated"
    assert ledger["credentials"]["recovered"] is True


def test_a_cameras_file_whose_stamped_copy_is_in_the_ledger_is_still_a_recording(
    clip: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The camera's signer is listed; who stamped the copy claimed nothing."""
    request = ManifestRequest(
        origin=Origin(), clip_id=CLIP_ID, key_id="published-1", duration=Fraction(2)
    )
    camera, original = init_identity(tmp_path / "camera"), tmp_path / "original.mp4"
    (home / "trust" / "claim").mkdir(parents=True)
    (home / "trust" / "claim" / "cameras.pem").write_bytes(camera.root)
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "digital_source_type", lambda *_, **__: "digitalCapture")
        sign_file(clip, original, request=request, identity=camera)
    assert audit(original, settings=LOOK_UP).reason == "captured-trusted-unchecked"
    store = sign_file(clip, tmp_path / "copy.mp4", request=request, identity=init_identity())
    record(store, fingerprint_video(clip).to_bytes(), engine="external")
    verdict = audit(original, settings=LOOK_UP)
    assert {"ledger.entry-by-fingerprint", "ledger.says-nothing"} <= codes(verdict)
    assert (verdict.reason, verdict.confidence) == ("captured-trusted-unchecked", Confidence.MEDIUM)
    assert audit(clip, settings=LOOK_UP).reason == "issued-source-unclaimed"


def test_another_clip_is_not_found_in_the_ledger(
    issued: Path, tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    other = make_clip(tmp_path / "other.mp4", seed=99)
    assert audit(other, settings=LOOK_UP).finding is Finding.NO_EVIDENCE


def test_broken_ledger_is_told_not_swallowed(clip: Path, home: Path) -> None:
    home.mkdir()
    (home / "ledger.sqlite3").write_bytes(b"not a database" * 100)
    verdict = audit(clip, settings=LOOK_UP)
    assert (verdict.finding, verdict.reason) == (Finding.INCONCLUSIVE, "layer-not-checked")
    assert "Ledger" in verdict.headline()


def test_broken_key_ring_is_told_not_swallowed(clip: Path, home: Path) -> None:
    home.mkdir()
    (home / "mark-keys.json").write_text("{", encoding="utf-8")
    verdict = audit(clip, settings=AuditSettings(layers=("mark",)))
    assert "mark.not-checked" in codes(verdict)
    assert verdict.finding is Finding.INCONCLUSIVE


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="palm"):
        AuditSettings(layers=("palm",))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="URL of the ledger is empty"):
        AuditSettings(ledger="")


def test_settings_travel_as_json() -> None:
    settings = AuditSettings(layers=("mark",), ledger="sqlite://", max_seconds=3.0)
    assert AuditSettings.from_dict(settings.to_dict()) == settings
    with pytest.raises(UsageError, match="data folder"):
        AuditSettings(trust=TrustSettings()).to_dict()


class TestBadInput:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(MediaNotFoundError):
            audit(tmp_path / "none.mp4")

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "empty.mp4").touch()
        with pytest.raises(NotAVideoError):
            audit(tmp_path / "empty.mp4")

    def test_text_named_mp4(self, tmp_path: Path) -> None:
        (tmp_path / "text.mp4").write_text("hello " * 200, encoding="utf-8")
        with pytest.raises(NotAVideoError):
            audit(tmp_path / "text.mp4")

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(MediaError, match="folder"):
            audit(tmp_path)

    def test_truncated(self, clip: Path, tmp_path: Path) -> None:
        cut = tmp_path / "cut.mp4"
        cut.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
        with pytest.raises(TruncatedMediaError):
            audit(cut, settings=LOOK_UP)

    def test_sixteen_pixels(self, tmp_path: Path, make_clip: Callable[..., Path]) -> None:
        path = make_clip(tmp_path / "small.mp4", width=16, height=16)
        with pytest.raises(UnsupportedMediaError, match="too small"):
            audit(path)

    def test_one_pixel(self, tmp_path: Path) -> None:
        with av.open(str(tmp_path / "one.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=5)
            stream.width = stream.height = 1
            stream.pix_fmt = "bgr0"
            frame = av.VideoFrame.from_ndarray(np.zeros((1, 1, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        with pytest.raises(UnsupportedMediaError, match="too small"):
            audit(tmp_path / "one.mkv")

    def test_too_large_for_the_settings(self, clip: Path) -> None:
        with pytest.raises(UnsupportedMediaError, match="limit"):
            audit(clip, settings=AuditSettings(max_pixels=1000))

    def test_too_long_for_the_settings(self, clip: Path) -> None:
        with pytest.raises(UnsupportedMediaError, match="limit is 1 s"):
            audit(clip, settings=AuditSettings(max_seconds=1.0))


@pytest.mark.shared_data
def test_files_signed_by_others_are_told_apart(shared_data: Path, home: Path) -> None:
    for role, name in (("claim", "C2PA-TRUST-LIST.pem"), ("tsa", "C2PA-TSA-TRUST-LIST.pem")):
        (home / "trust" / role).mkdir(parents=True)
        shutil.copy(shared_data / "c2pa" / name, home / "trust" / role)
    with (shared_data / "c2pa" / "files.csv").open(encoding="utf-8") as stream:
        names = [row["file"] for row in csv.DictReader(stream) if row["file"].endswith(".mp4")]
    found = {}
    for name in names:
        try:
            verdict = audit(shared_data / "c2pa" / name, settings=CREDENTIALS)
        except MediaError as error:
            found[name] = type(error).__name__
        else:
            found[name] = verdict.reason
    assert found == {
        "sora-00.mp4": "generated-unverified-signer",
        "sora-03.mp4": "generated-unverified-signer",
        "sora-06.mp4": "generated-unverified-signer",
        "veo-00.mp4": "generated-trusted",
        "veo-03.mp4": "generated-trusted",
        "veo-06.mp4": "generated-trusted",
        "sony-ebu-cawg.mp4": "capture-unverified",
        "invalid-ingredient.mp4": "nothing-found",
        "video1.mp4": "nothing-found",
        "nested_moov_1000.mp4": "NotAVideoError",
    }


def test_a_clip_is_decoded_once_for_all_layers(
    clip: Path, issued: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = VideoReader.__iter__

    def counted(reader: VideoReader) -> Iterator[Frame]:
        opened.append(reader)
        return real(reader)

    monkeypatch.setattr(VideoReader, "__iter__", counted)
    # Where a clip is likely synthetic is looked for in further readings, of that clip alone.
    monkeypatch.setattr("vidigree.detect.classifier.reading.locate", lambda *_, **__: None)
    verdict = audit(clip)
    assert verdict.to_dict()["readings"]["classifier"]["status"] == "scored"
    assert len(opened) == 1


def test_credentials_alone_decode_nothing(
    signed: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VideoReader, "_next_frame", None)
    assert audit(signed[0], settings=CREDENTIALS).finding is Finding.DECLARED_SYNTHETIC


def test_a_database_that_is_no_ledger_is_not_made_one(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite3"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE things (id INTEGER)")
    settings = replace(LOOK_UP, ledger=f"sqlite:///{path}")
    verdict = audit(clip, settings=settings)
    assert (verdict.finding, verdict.reason) == (Finding.INCONCLUSIVE, "layer-not-checked")
    assert "There is no ledger" in str(verdict.to_dict())
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("things",)]


def test_a_ledger_stays_open_until_its_file_is_another(
    clip: Path, issued: Path, home: Path
) -> None:
    with OpenLedgers() as ledgers:
        first = ledgers.get(None)
        assert ledgers.get(None) is first
        (home / "ledger.sqlite3").rename(home / "old.sqlite3")
        for name in ("ledger.sqlite3-wal", "ledger.sqlite3-shm"):
            (home / name).unlink(missing_ok=True)
        assert ledgers.get(None) is None
        with Ledger.open():
            pass
        assert ledgers.get(None) not in (None, first)


@pytest.fixture
def issued_clip(red_balls: Path, vidigree_environment: dict[str, str]) -> tuple[Path, Path]:
    """Return a generated clip, and the data folder of whoever generated it."""
    return Path(vidigree_environment["VIDIGREE_HOME"]), red_balls


class TestWholeAudit:
    """All four layers on one clip that the generator issued."""

    def test_as_it_was_issued(
        self, issued_clip: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VIDIGREE_HOME", str(issued_clip[0]))
        verdict = audit(issued_clip[1])
        assert verdict.finding is Finding.DECLARED_SYNTHETIC
        assert not any(code.endswith((".not-checked", ".left-out")) for code in codes(verdict))
        assert {"ledger.entry-by-mark", "consistency.binding-confirmed"} <= codes(verdict)
        # Stamp and audit fingerprint the same frames.
        assert verdict.to_dict()["readings"]["ledger"]["similarity"] == 1.0

    def test_after_the_credentials_are_lost(
        self, issued_clip: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("VIDIGREE_HOME", str(issued_clip[0]))
        copy = recode(issued_clip[1], tmp_path / "copy.mp4", crf=28)
        verdict = audit(copy)
        assert (verdict.finding, verdict.reason) == (Finding.RECOVERED, "recovered-by-mark")
        assert verdict.to_dict()["disclosure"]["system"]

    def test_elsewhere_it_is_marked(self, issued_clip: tuple[Path, Path], tmp_path: Path) -> None:
        copy = recode(issued_clip[1], tmp_path / "copy.mp4", crf=28)
        verdict = audit(copy)
        assert (verdict.finding, verdict.reason) == (Finding.MARKED_SYNTHETIC, "marked-weakly")

    def test_a_manifest_moved_to_another_clip_is_contradictory(
        self,
        issued_clip: tuple[Path, Path],
        tmp_path: Path,
        make_clip: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Sign another clip with a manifest that binds itself to the stamped clip's mark."""
        monkeypatch.setenv("VIDIGREE_HOME", str(issued_clip[0]))
        request = ManifestRequest(
            origin=Origin(synthetic=True), clip_id=1, key_id="published-1", duration=Fraction(2)
        )
        moved = tmp_path / "moved.mp4"
        bare = recode(issued_clip[1], tmp_path / "bare.mp4", crf=18)
        sign_file(bare, moved, request=request, identity=load_identity())
        verdict = audit(moved)
        assert (verdict.finding, verdict.reason) == (Finding.CONTRADICTORY, "binding-mismatch")


def recode(source: Path, target: Path, *, crf: float) -> Path:
    """Encode a clip again, as a platform does; credentials are lost on the way."""
    with open_video(source) as reader:
        info = reader.info
        with VideoWriter(
            target, width=info.width, height=info.height, fps=info.fps, crf=crf
        ) as writer:
            for image in reader.images():
                writer.write(image)
    return target
