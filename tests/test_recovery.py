"""The whole path: generate, strip, re-encode, crop, audit; the signed manifest comes back.

Every step is the real one: the renderer, the mark, the signer, the ledger, the encoder, the audit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.detect.audit import audit
from vidigree.detect.settings import AuditSettings
from vidigree.detect.verdict import Verdict
from vidigree.generate import ClipRequest, generate
from vidigree.media.reading import open_video
from vidigree.media.writing import VideoWriter
from vidigree.watermark import StampReceipt, StampSettings
from vidigree.watermark.credentials import TrustSettings, init_identity, read_credentials
from vidigree.watermark.fingerprint import fingerprint_frames
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.robust import RobustMark

pytestmark = pytest.mark.slow

Frame = NDArray[np.uint8]
LAYERS = AuditSettings(layers=("credentials", "mark", "ledger"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDIGREE_HOME", str(folder))
        init_identity()
        yield folder


@pytest.fixture(scope="module")
def issued(home: Path) -> StampReceipt:
    """Return the receipt of a generated clip."""
    request = ClipRequest(
        prompt="two red balls bouncing on a wooden floor", seed=7, width=448, height=336
    )
    return generate(request, home / "clip.mp4", settings=StampSettings.load())


def _encode(frames: Iterator[Frame], out: Path, *, fps: Fraction, crf: float) -> Path:
    writer = None
    for frame in frames:
        if writer is None:
            height, width = frame.shape[:2]
            writer = VideoWriter(out, width=width, height=height, fps=fps, crf=crf)
            writer.__enter__()
        writer.write(np.ascontiguousarray(frame))
    assert writer is not None
    writer.__exit__(None, None, None)
    return out


def _again(
    source: Path, out: Path, *, crf: float, change: Callable[[Frame], Frame] | None = None
) -> Path:
    """Encode a clip again, as a platform does: new file, no metadata, frames changed."""
    with open_video(source) as video:
        frames = (change(image) if change else image for image in video.images())
        return _encode(frames, out, fps=video.info.fps, crf=crf)


def _crop(share: float) -> Callable[[Frame], Frame]:
    def change(frame: Frame) -> Frame:
        height, width = (round(side * share / 2) * 2 for side in frame.shape[:2])
        top, left = (frame.shape[0] - height) // 2, (frame.shape[1] - width) // 2
        return frame[top : top + height, left : left + width]

    return change


def _ledger_reading(verdict: Verdict) -> dict[str, Any]:
    return dict(verdict.to_dict()["readings"]["ledger"])


def test_issued_clip_is_declared(issued: StampReceipt) -> None:
    verdict = audit(issued.path, settings=LAYERS)
    assert verdict.finding.value == "declared-synthetic"
    reading = read_credentials(issued.path, trust=TrustSettings.load())
    assert (reading.integrity, reading.trusted_by) == ("intact", "own")
    assert reading.claimed_source == "generated-by-algorithm"


@pytest.mark.parametrize(
    ("share", "crf"), [(1.0, 30), (0.71, 30), (0.71, 23)], ids=["crf30", "crop-crf30", "crop-crf23"]
)
def test_stripped_clip_gets_its_manifest_back(
    issued: StampReceipt, tmp_path: Path, share: float, crf: int
) -> None:
    stripped = _again(issued.path, tmp_path / "x.mp4", crf=crf, change=_crop(share))
    assert read_credentials(stripped, trust=TrustSettings.load()).status == "absent"
    verdict = audit(stripped, settings=LAYERS)
    assert verdict.finding.value == "recovered"
    found = _ledger_reading(verdict)
    assert found["found_by"] == "mark"
    assert found["clip_id"] == f"{issued.clip_id:016x}"
    assert found["similarity"] > 0.8
    assert found["same_content"] is True
    manifest = found["credentials"]
    assert (manifest["recovered"], manifest["manifest_integrity"]) == (True, "intact")
    assert manifest["content_binding"] == "mismatch", "content changed since signing"
    assert (manifest["signer_trust"], manifest["trusted_by"]) == ("trusted", "own")
    assert manifest["codes"]["failure"] == ["assertion.bmffHash.mismatch"]
    assert "ledger.manifest-recovered" in {piece.code for piece in verdict.evidence}


def test_clip_whose_mark_is_gone_is_found_by_its_fingerprint(
    issued: StampReceipt, home: Path, tmp_path: Path
) -> None:
    # The same scene from the same engine, never marked: what a perfect mark remover would leave.
    from vidigree.generate.engine import engine_registry

    request = ClipRequest(
        prompt="two red balls bouncing on a wooden floor", seed=7, width=448, height=336
    )
    clip = engine_registry.get("render")().generate(request)
    unmarked = _encode(iter(clip.frames), tmp_path / "x.mp4", fps=clip.fps, crf=28)
    verdict = audit(unmarked, settings=LAYERS)
    found = _ledger_reading(verdict)
    assert (found["found_by"], found["clip_id"]) == ("fingerprint", f"{issued.clip_id:016x}")
    assert found["credentials"]["manifest_integrity"] == "intact"


def test_mark_on_other_content_is_told(issued: StampReceipt, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    coarse = random.integers(0, 255, (21, 28, 3), dtype=np.uint8)
    picture = np.kron(coarse, np.ones((16, 16, 1), np.uint8))
    frames = (np.roll(picture, 3 * shift, 1) for shift in range(48))
    marked = RobustMark().embed(frames, issued.clip_id, key=PUBLISHED_KEY, fps=Fraction(24))
    forged = _encode(marked, tmp_path / "x.mp4", fps=Fraction(24), crf=20)
    found = _ledger_reading(audit(forged, settings=LAYERS))
    assert found["found_by"] == "mark"
    assert found["same_content"] is False


@pytest.mark.parametrize(
    ("change", "same"),
    [(lambda frame: 255 - frame, True), (lambda frame: frame[:, :340], None)],
    ids=["negative", "cut-at-the-right"],
)
def test_changed_clip_is_not_taken_for_a_copied_mark(
    issued: StampReceipt, tmp_path: Path, change: Callable[[Frame], Frame], same: bool | None
) -> None:
    altered = _again(issued.path, tmp_path / "x.mp4", crf=23, change=change)
    verdict = audit(altered, settings=LAYERS)
    found = _ledger_reading(verdict)
    assert (verdict.finding.value, found["found_by"]) == ("recovered", "mark")
    assert found["same_content"] is same


def test_manifest_moved_to_another_clip_is_altered(issued: StampReceipt, tmp_path: Path) -> None:
    with Ledger.open() as ledger:
        entry = ledger.find_clip(issued.clip_id)
    assert entry is not None
    other = _again(issued.path, tmp_path / "x.mp4", crf=20, change=lambda frame: 255 - frame)
    reading = read_credentials(other, trust=TrustSettings.load(), store=entry.manifest_store)
    assert (reading.integrity, reading.content_binding) == ("altered", "mismatch")


def test_ledger_without_the_fingerprint_of_this_version_still_answers(
    issued: StampReceipt, home: Path
) -> None:
    with Ledger.open() as ledger:
        entry = ledger.find_clip(issued.clip_id)
        assert entry is not None
        older = replace(
            entry, clip_id=1, fingerprint=b"older", created_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        ledger.record(older)
        with open_video(issued.path) as video:
            fingerprint = fingerprint_frames(video.images(), video.info.fps)
        found = ledger.find_similar(fingerprint.to_bytes(), limit=1)
    assert found[0][0].clip_id == issued.clip_id
