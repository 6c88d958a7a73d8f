"""What a stamped clip carries by profile, as a stranger reads it, in the order that lasts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fixtures.top_row_mark import Frames, TopRowMark
from numpy.typing import NDArray

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark import Clip, MarkKey, Origin, StampSettings, stamp, watermark_methods
from vidigree.watermark.credentials import (
    TrustSettings,
    init_identity,
    read_credentials,
    read_foreign_labels,
)
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.profiles import Provider, find_profile

SEEN: list[NDArray[np.uint8]] = []


class ObservingMark(TopRowMark):
    """Keeps the frames that it was given to mark."""

    def embed(
        self, frames: Frames, message: int, *, key: MarkKey, fps: Fraction
    ) -> Iterator[NDArray[np.uint8]]:
        SEEN[:] = list(frames)
        yield from super().embed(iter(SEEN), message, key=key, fps=fps)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StampSettings:
    monkeypatch.setattr(watermark_methods, "get", lambda name: ObservingMark)
    home = tmp_path / "home"
    return StampSettings(
        identity=init_identity(home),
        ledger=Ledger.open(f"sqlite:///{home / 'ledger.sqlite3'}"),
        method="top-row",
        provider=Provider(name="Studio <&> 工作室", detector_url="https://example.org/audit"),
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "clip.mp4"


def clip(**changes: Any) -> Clip:
    origin = Origin(
        task="text-to-video", engine="nano", engine_version="2", model="a/nano", synthetic=True
    )
    frames = [np.full((192, 256, 3), 40, np.uint8) for _ in range(30)]
    values: dict[str, Any] = {"frames": iter(frames), "origin": replace(origin, **changes)}
    return Clip(width=256, height=192, fps=Fraction(10), num_frames=30, **values)


def whole_manifest(path: Path) -> dict[str, Any]:
    from c2pa import Reader

    with Reader(path) as reader:
        return json.loads(reader.crjson())["manifests"][0]


def manifest(path: Path) -> dict[str, Any]:
    return whole_manifest(path)["assertions"]


def test_eu(settings: StampSettings, out: Path) -> None:
    receipt = stamp(clip(), out, settings=replace(settings, profile=find_profile("eu")))
    assert (receipt.profile, receipt.label) == ("eu", "AI GENERATED")
    assert any("time stamp" in note for note in receipt.notes)
    assert all(image[:20, :60].max() > 200 for image in SEEN)  # in the frames that were marked
    reading = read_credentials(out, trust=TrustSettings())
    assert (reading.integrity, reading.claimed_source) == ("intact", "generated")
    assert [row.label for row in reading.actions] == [
        "c2pa.created",
        "c2pa.addedText",
        "c2pa.watermarked.bound",
    ]
    assert "'AI GENERATED'" in reading.actions[1].description
    labels = read_foreign_labels(out)
    assert labels.digital_source_type == "trainedAlgorithmicMedia"
    assert (labels.ai_system, labels.ai_system_version) == ("a/nano", "2")
    assert labels.aigc is None
    signed = manifest(out)["cawg.metadata"]
    assert signed["Iptc4xmpExt:AISystemUsed"] == "a/nano"
    assert signed["Iptc4xmpExt:DigitalSourceType"].endswith("/trainedAlgorithmicMedia")
    claim = whole_manifest(out)["claim.v2"]
    vouched_for = " ".join(row["url"] for row in claim["created_assertions"])
    assert "cawg.metadata" in vouched_for
    assert "c2pa.actions.v2" in vouched_for


def test_cn(settings: StampSettings, out: Path) -> None:
    receipt = stamp(clip(), out, settings=replace(settings, profile=find_profile("cn")))
    shown = [bool(image.max() > 200) for image in SEEN]
    assert shown == [True] * 20 + [False] * 10  # two seconds at ten frames a second
    with av.open(str(out)) as container:
        tag = json.loads(container.metadata["AIGC"])
    unique = f"{receipt.key_id}:{receipt.clip_id:016x}"
    assert tag == {
        "Label": "1",
        "ContentProducer": "Studio <&> 工作室",
        "ProduceID": unique,
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    labels = read_foreign_labels(out)
    assert labels.aigc is not None
    assert (labels.aigc.label, labels.aigc.produce_id) == ("1", unique)
    assert read_credentials(out, trust=TrustSettings()).integrity == "intact"


def test_producer_code_goes_before_the_name(settings: StampSettings, out: Path) -> None:
    provider = Provider(name="Studio", content_producer="001191110000000000000000000")
    changed = replace(settings, profile=find_profile("cn"), provider=provider)
    stamp(clip(), out, settings=changed)
    labels = read_foreign_labels(out)
    assert labels.aigc is not None
    assert labels.aigc.producer == provider.content_producer


def test_ca(settings: StampSettings, out: Path) -> None:
    receipt = stamp(clip(), out, settings=replace(settings, profile=find_profile("ca")))
    assert receipt.label == ""
    fields = manifest(out)["org.vidigree.disclosure"]
    assert fields["provider_name"] == "Studio <&> 工作室"
    assert fields["detector_url"] == "https://example.org/audit"
    assert (fields["system_name"], fields["system_version"]) == ("nano", "2")
    assert fields["unique_id"] == f"{receipt.key_id}:{receipt.clip_id:016x}"
    assert fields["created_at"].startswith("20")


def test_tags_are_under_the_signature(settings: StampSettings, out: Path) -> None:
    stamp(clip(), out, settings=replace(settings, profile=find_profile("cn")))
    data = out.read_bytes()
    for found, other in ((b'"Label":"1"', b'"Label":"3"'), (b"a/nano</", b"a/nono</")):
        assert data.count(found) == 1
        (out.parent / "edited.mp4").write_bytes(data.replace(found, other))
        reading = read_credentials(out.parent / "edited.mp4", trust=TrustSettings())
        assert reading.integrity == "altered"


def test_none_adds_nothing(settings: StampSettings, out: Path) -> None:
    receipt = stamp(clip(), out, settings=settings)
    assert (receipt.profile, receipt.label) == ("none", "")
    assert not read_foreign_labels(out).any
    assert "cawg.metadata" not in manifest(out)
    assert max(image.max() for image in SEEN) == 40


@pytest.mark.parametrize("step", ["write_metadata", "sign_file"])
def test_failing_step_leaves_nothing(
    step: str, settings: StampSettings, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise CredentialsError("No.")

    monkeypatch.setitem(stamp.__globals__, step, fail)
    with pytest.raises(CredentialsError, match=r"^No\.$"):
        stamp(clip(), out, settings=replace(settings, profile=find_profile("cn")))
    assert list(out.parent.iterdir()) == []
    assert settings.ledger.count() == 0


def test_clip_of_unknown_source_is_not_labelled(settings: StampSettings, out: Path) -> None:
    with pytest.raises(UsageError, match="nothing says so"):
        stamp(clip(synthetic=None), out, settings=replace(settings, profile=find_profile("eu")))
    assert list(out.parent.iterdir()) == []


def test_provider_is_asked_for_before_the_work(settings: StampSettings) -> None:
    with pytest.raises(UsageError, match="--provider"):
        replace(settings, profile=find_profile("ca"), provider=Provider())


@pytest.fixture
def labelled(settings: StampSettings, out: Path) -> Path:
    """A file that somebody else made and tagged."""
    theirs = Provider(name="Their studio")
    path = out.parent.parent / "theirs.mp4"
    stamp(
        clip(),
        path,
        settings=replace(settings, profile=find_profile("cn"), provider=theirs, label=""),
    )
    return path


def test_labels_of_the_input_are_passed_on(
    labelled: Path, settings: StampSettings, out: Path
) -> None:
    stamp(labelled, out, settings=settings)
    before, after = read_foreign_labels(labelled), read_foreign_labels(out)
    assert before.any
    assert after == before
    # What others wrote is not ours to sign as our own words.
    assert "cawg.metadata" not in manifest(out)


def test_whoever_passes_a_clip_on_enters_as_propagator(
    labelled: Path, settings: StampSettings, out: Path
) -> None:
    origin = Origin(synthetic=True, model="other")
    changed = replace(settings, profile=find_profile("cn"))
    receipt = stamp(labelled, out, settings=changed, origin=origin)
    before, after = read_foreign_labels(labelled).aigc, read_foreign_labels(out).aigc
    assert before is not None
    assert after is not None
    assert (after.producer, after.produce_id) == ("Their studio", before.produce_id)
    assert after.propagator == "Studio <&> 工作室"
    assert after.propagate_id == f"{receipt.key_id}:{receipt.clip_id:016x}"
    assert read_foreign_labels(out).ai_system == "other"
