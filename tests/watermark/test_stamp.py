"""The one door: what comes out carries everything, and every failing step leaves nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.stamping import clip, foreign, images
from fixtures.top_row_mark import TopRowMark
from numpy.typing import NDArray

from vidigree.media import (
    CredentialsError,
    LedgerError,
    MediaError,
    OutputError,
    StampError,
    UnsupportedMediaError,
    UsageError,
    open_video,
)
from vidigree.watermark import (
    Origin,
    StampSettings,
    stamp,
)
from vidigree.watermark import stamp as _stamp_function
from vidigree.watermark.credentials import (
    Timestamping,
    TrustSettings,
    read_credentials,
)
from vidigree.watermark.keyring import PUBLISHED_KEY, KeyRing, MarkKey
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.ledger.schema import entries
from vidigree.watermark.profiles import Provider


def test_stamped_clip_carries_everything(settings: StampSettings, folder: Path) -> None:
    receipt = stamp(clip(), folder / "a.mp4", settings=settings)
    assert [p.name for p in folder.iterdir()] == ["a.mp4"]
    with open_video(receipt.path) as video:
        frames = list(video.images())
    assert len(frames) == receipt.num_frames == 12
    assert receipt.duration == 0.5
    reading = TopRowMark().detect(iter(frames), keys=settings.keys.keys, fps=Fraction(24))
    assert reading.message == receipt.clip_id
    credentials = read_credentials(receipt.path, trust=TrustSettings())
    assert (credentials.status, credentials.integrity) == ("present", "intact")
    assert f"{receipt.clip_id:016x}" in " ".join(b.value for b in credentials.soft_bindings)
    entry = settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    assert entry.engine == "render"
    assert entry.manifest_store in receipt.path.read_bytes()


def test_every_clip_gets_its_own_id(settings: StampSettings, folder: Path) -> None:
    ids = {stamp(clip(), folder / f"{i}.mp4", settings=settings).clip_id for i in range(3)}
    assert len(ids) == 3


def test_an_id_is_neither_zero_nor_that_of_another_clip(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [7, 0, 7, 8]
    monkeypatch.setattr(secrets, "randbits", lambda _: drawn.pop(0))
    for name, clip_id in (("a", 7), ("b", 8)):
        assert stamp(clip(), folder / f"{name}.mp4", settings=settings).clip_id == clip_id


def test_odd_sizes_are_padded_only_when_asked(settings: StampSettings, folder: Path) -> None:
    odd = [image[:95, :127] for image in images()]
    shape = {"width": 127, "height": 95}
    for width, height in ((127, 95), (127, 96), (128, 95)):
        made = clip([image[:height, :width] for image in images()], width=width, height=height)
        with pytest.raises(UnsupportedMediaError, match=rf"{width} x {height}.*--pad-odd"):
            stamp(made, folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []
    padded = replace(settings, pad_odd=True)
    receipt = stamp(clip(odd, **shape), folder / "a.mp4", settings=padded)
    assert (receipt.width, receipt.height) == (128, 96)


@pytest.mark.parametrize("method", ["lying", "absent", "doubtful", "dropping"])
def test_mark_that_cannot_be_read_back_is_not_issued(
    settings: StampSettings, folder: Path, method: str
) -> None:
    with pytest.raises(StampError):
        stamp(clip(), folder / "a.mp4", settings=replace(settings, method=method))
    assert list(folder.iterdir()) == []
    assert settings.ledger.count() == 0


def test_what_is_read_back_is_a_mark_of_the_active_key(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark of an older key would be found, too, and is not the one that the manifest names."""
    asked: list[tuple[MarkKey, ...]] = []
    detect = TopRowMark.detect

    def noted(self: TopRowMark, frames: Any, *, keys: Any, fps: Fraction) -> Any:
        asked.append(tuple(keys))
        return detect(self, frames, keys=keys, fps=fps)

    monkeypatch.setattr(TopRowMark, "detect", noted)
    ring = KeyRing(keys=(MarkKey(key_id="second", secret=b"2" * 32), PUBLISHED_KEY))
    receipt = stamp(clip(), folder / "a.mp4", settings=replace(settings, keys=ring))
    assert asked == [(ring.active,)]
    assert receipt.key_id == "second"


def test_clip_that_cannot_be_read_back_is_not_issued(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MediaError("It is damaged.")

    monkeypatch.setitem(_stamp_function.__globals__, "open_video", fail)
    with pytest.raises(StampError, match=r"cannot be read back: It is damaged\."):
        stamp(clip(), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_progress_is_told_frame_by_frame(settings: StampSettings, folder: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    stamp(
        clip(), folder / "a.mp4", settings=settings, progress=lambda *what: told.append(tuple(what))
    )
    assert told == [("Marking and encoding", done, 12) for done in range(1, 13)]


def test_method_with_too_few_bits_is_refused(settings: StampSettings, folder: Path) -> None:
    with pytest.raises(UsageError, match="64"):
        stamp(clip(), folder / "a.mp4", settings=replace(settings, method="short"))
    assert list(folder.iterdir()) == []


def test_a_method_that_credentials_cannot_name_is_refused(
    settings: StampSettings, folder: Path
) -> None:
    with pytest.raises(UsageError, match="no soft binding algorithm"):
        stamp(clip(), folder / "a.mp4", settings=replace(settings, method="nameless"))
    assert list(folder.iterdir()) == []


def test_credentials_name_the_method_that_marked(settings: StampSettings, folder: Path) -> None:
    stamp(clip(), folder / "a.mp4", settings=replace(settings, method="other"))
    (binding,) = read_credentials(folder / "a.mp4", trust=TrustSettings()).soft_bindings
    assert binding.alg == "org.example.other.1"


@pytest.mark.parametrize("step", ["sign_file", "read_credentials"])
def test_failed_signing_leaves_nothing(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise CredentialsError("The signer is away.")

    monkeypatch.setitem(_stamp_function.__globals__, step, fail)
    with pytest.raises(CredentialsError, match="away"):
        stamp(clip(), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []
    assert settings.ledger.count() == 0


def test_altered_credentials_are_not_issued(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sign_and_damage(source: Path, target: Path, **options: Any) -> bytes:
        store = sign(source, target, **options)
        data = bytearray(target.read_bytes())
        data[data.rindex(b"mdat") + 200] ^= 1
        target.write_bytes(data)
        return store

    sign = _stamp_function.__globals__["sign_file"]
    monkeypatch.setitem(_stamp_function.__globals__, "sign_file", sign_and_damage)
    with pytest.raises(StampError, match="do not validate"):
        stamp(clip(), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_failed_ledger_leaves_nothing(
    settings: StampSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Ledger, entry: object) -> None:
        raise LedgerError("The ledger is locked.")

    monkeypatch.setattr(Ledger, "record", fail)
    with pytest.raises(LedgerError, match="locked"):
        stamp(clip(), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_failing_generator_leaves_nothing(settings: StampSettings, folder: Path) -> None:
    def breaking() -> Iterator[NDArray[np.uint8]]:
        yield from images(5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stamp(clip(breaking()), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_empty_generator_leaves_nothing(settings: StampSettings, folder: Path) -> None:
    with pytest.raises(OutputError, match=r"^No video was written: there were no frames\.$"):
        stamp(clip([]), folder / "a.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_names_that_credentials_cannot_bear_are_refused(
    settings: StampSettings, folder: Path
) -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        stamp(clip(), folder / "a\udcff.mp4", settings=settings)
    assert list(folder.iterdir()) == []


def test_names_that_are_too_long_are_refused(settings: StampSettings, folder: Path) -> None:
    source = foreign(folder / "in.mp4", [Fraction(0)])
    for made in (clip(), source):
        with pytest.raises(OutputError, match="too long"):
            stamp(made, folder / f"{'x' * 252}.mp4", settings=settings)
    assert [path.name for path in folder.iterdir()] == ["in.mp4"]


def test_names_steer_no_terminal(settings: StampSettings, folder: Path) -> None:
    receipt = stamp(clip(), folder / "a\nb\x1b[31m.mp4", settings=settings)
    assert receipt.path.exists()
    first = receipt.summary().splitlines()[0]
    assert first.startswith(f"{folder}/a b\\x1b[31m.mp4  128 x 96")


def test_what_is_said_of_a_clip_is_utf8(settings: StampSettings) -> None:
    with pytest.raises(UsageError, match="model's name is not valid Unicode"):
        Origin(model="\udcff")
    with pytest.raises(UsageError, match="provider is not valid Unicode"):
        replace(settings, provider=Provider(name="\udcff"))
    with pytest.raises(UsageError, match="label is not valid Unicode"):
        replace(settings, label="\udcff")
    with pytest.raises(UsageError, match="title is not valid Unicode"):
        replace(settings, title="\udcff")
    with pytest.raises(UsageError, match="name of a parameter is not valid Unicode"):
        Origin(parameters={"\udcff": 1})
    with pytest.raises(UsageError, match="parameter policy is not valid Unicode"):
        Origin(parameters={"policy": "\udcff"})


@pytest.mark.parametrize("name", ["engine", "model"])
def test_a_name_that_not_every_ledger_holds_is_refused_before_any_work(name: str) -> None:
    longest = entries.c[name].type.length
    assert Origin(**{name: "x" * longest})
    with pytest.raises(UsageError, match=f"{name}'s name has over {longest} characters"):
        Origin(**{name: "x" * (longest + 1)})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, [1], np.float32(1)], ids=str)
def test_what_a_manifest_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="parameter steps of a clip's origin is"):
        Origin(parameters={"steps": value})


def test_only_mp4_is_written(settings: StampSettings, folder: Path) -> None:
    with pytest.raises(UsageError, match=r"\.mp4"):
        stamp(clip(), folder / "a.webm", settings=settings)


def test_receipt_is_json_and_text(settings: StampSettings, folder: Path) -> None:
    import json

    receipt = stamp(clip(), folder / "a.mp4", settings=settings)
    row = json.loads(json.dumps(receipt.to_dict()))
    assert int(row["clip_id"], 16) == receipt.clip_id
    assert row["mark"]["message"] == row["clip_id"]
    assert f"{receipt.clip_id:016x}" in receipt.summary()


def test_stamp_that_was_only_tried_is_noted(settings: StampSettings, folder: Path) -> None:
    tried = replace(settings, timestamping=Timestamping(policy="try", url="http://127.0.0.1:9/"))
    receipt = stamp(clip(), folder / "a.mp4", settings=tried)
    assert receipt.path.exists()
    assert not receipt.timestamped
    (note,) = receipt.notes
    assert "http://127.0.0.1:9/ gave no time stamp" in note
    assert "issued without one" in note


def test_stamp_that_is_required_and_does_not_come(settings: StampSettings, folder: Path) -> None:
    url = "http://127.0.0.1:9/"
    required = replace(settings, timestamping=Timestamping(policy="require", url=url))
    with pytest.raises(CredentialsError, match="Nothing was issued"):
        stamp(clip(), folder / "a.mp4", settings=required)
    assert list(folder.iterdir()) == []
    assert settings.ledger.count() == 0
