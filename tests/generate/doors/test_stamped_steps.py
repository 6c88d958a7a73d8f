"""Each step from a pipeline to a file, with a quick mark: marked, read back, signed, or nothing.

The same with the real mark, at its pace: test_stamped.py, test_export.py, test_every_way_out.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.faulty_marks import MARKS
from fixtures.top_row_mark import Frames, TopRowMark
from numpy.typing import NDArray

from vidigree.generate import RequestWarning, export_to_video, stamp_frames, stamped
from vidigree.generate.frames import to_uint8
from vidigree.media import open_video, probe
from vidigree.media.errors import EngineError, LedgerError, OutputError, StampError, UsageError
from vidigree.watermark import MarkKey, MarkReading, StampSettings, watermark_methods
from vidigree.watermark import stamp as _stamp_function
from vidigree.watermark.credentials import TrustSettings, init_identity, read_credentials
from vidigree.watermark.keyring import KeyRing
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.method import MarkSegment

torch = pytest.importorskip("torch")
their_outputs = pytest.importorskip("diffusers.utils.outputs")

STAMP = _stamp_function.__globals__
FPS = Fraction(8)


class HonestMark(TopRowMark):
    """Says so where there is no mark, and that a mark that is there is in the whole clip."""

    def detect(self, frames: Frames, *, keys: Sequence[MarkKey], fps: Fraction) -> MarkReading:
        images = list(frames)
        readings = [super(HonestMark, self).detect([one], keys=keys, fps=fps) for one in images]
        inner = [
            image[8 * row + 2 : 8 * row + 6, 8 * column + 2 : 8 * column + 6].mean()
            for image in images
            for row in range(4)
            for column in range(16)
        ]
        flat = all(min(abs(value - 20), abs(value - 230)) < 20 for value in inner)
        if not flat or len({reading.message for reading in readings}) != 1:
            return MarkReading(method=self.name, present=False)
        segment = MarkSegment(
            start=0.0, end=len(images) / float(fps), p_value=1e-9, message=readings[0].message
        )
        return replace(readings[0], segments=(segment,))


class NoMark(HonestMark):
    """Leaves the pixels alone."""

    def embed(self, frames: Frames, message: int, *, key: MarkKey, fps: Fraction) -> Any:
        yield from frames


@dataclass
class FramesOutput(their_outputs.BaseOutput):  # type: ignore[misc, name-defined]
    """What pipelines return now."""

    frames: Any


@dataclass
class VideosOutput(their_outputs.BaseOutput):  # type: ignore[misc, name-defined]
    """What some older ones return."""

    videos: Any
    sound: Any = None


def plain(count: int = 4) -> NDArray[np.uint8]:
    x, y = np.meshgrid(np.arange(144), np.arange(96))
    frames = [np.stack([60 + x // 2, 60 + y, 70 + 5 * i + 0 * x], -1) for i in range(count)]
    return np.stack(frames).astype(np.uint8)


class Pipe:
    """A pipeline in the shape of diffusers' own; counts how often it is run."""

    kind: Any = FramesOutput

    def __init__(self, frames: NDArray[Any] | None = None) -> None:
        self.frames = plain() if frames is None else frames
        self.runs = 0

    def __call__(
        self, prompt: str, output_type: str = "pil", return_dict: bool = True, batch: int = 1
    ) -> Any:
        self.runs += 1
        if output_type == "latent":
            return self.kind(torch.zeros(1, 16, 2, 8, 8))
        assert output_type == "pt"
        floats = torch.from_numpy(self.frames.astype(np.float32) / 255)
        return self.kind(floats.permute(0, 3, 1, 2)[None].repeat(batch, 1, 1, 1, 1))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path / "home"))
    known, marks = watermark_methods.get, MARKS | {"honest": HonestMark, "none": NoMark}
    monkeypatch.setattr(watermark_methods, "get", lambda name: marks.get(name) or known(name))
    return tmp_path / "home"


@pytest.fixture
def settings(home: Path) -> StampSettings:
    ledger = Ledger.open(f"sqlite:///{home / 'ledger.sqlite3'}")
    return StampSettings(identity=init_identity(home), ledger=ledger, method="honest", crf=10)


def message_of(frames: Any) -> int | None:
    keys = [KeyRing.load().active]
    reading = HonestMark().detect(list(to_uint8(frames)), keys=keys, fps=FPS)
    return reading.message if reading.present else None


def marked_pipe(frames: NDArray[Any] | None = None, method: str = "honest") -> Any:
    return stamped(Pipe(frames), method=method)


def test_the_quick_mark_is_read_where_it_is_and_nowhere_else(home: Path) -> None:
    assert message_of(plain()) is None
    key = KeyRing.load().active
    assert message_of(list(HonestMark().embed(plain(), 77, key=key, fps=FPS))) == 77


@pytest.mark.parametrize("wanted", ["pil", "np", "pt"])
def test_every_clip_of_every_type_carries_its_own_mark(home: Path, wanted: str) -> None:
    result = marked_pipe()("a ball", wanted, batch=2)
    ids = [mark.clip_id for mark in result.provenance]
    assert len(set(ids)) == 2
    for frames in (result.frames, result["frames"], result[0], result.to_tuple()[0]):
        assert [message_of(clip) for clip in frames] == ids
    (tuple_only,) = marked_pipe()("a ball", output_type=wanted, return_dict=False)
    assert message_of(tuple_only[0]) is not None


def test_frames_by_another_name_are_marked_where_they_are(home: Path) -> None:
    class Older(Pipe):
        kind = VideosOutput

    result = stamped(Older(), method="honest")("a ball")
    (mark,) = result.provenance
    for frames in (result.videos, result["videos"], result[0]):
        assert [message_of(clip) for clip in frames] == [mark.clip_id]
    (frames,) = stamped(Older(), method="honest")("a ball", return_dict=False)
    assert message_of(frames[0]) is not None


@pytest.mark.parametrize("method", ["none", "lying", "absent", "doubtful", "dropping"])
def test_without_a_mark_that_reads_back_no_frames_come_out(home: Path, method: str) -> None:
    with pytest.raises(StampError):
        marked_pipe(method=method)("a ball")


def test_what_cannot_be_marked_is_refused_before_the_pipeline_runs(home: Path) -> None:
    class Untyped:
        def __call__(self, prompt: str) -> Any:
            raise AssertionError("it was run")

    class Passing:
        def __call__(self, prompt: str, **options: Any) -> Any:
            raise AssertionError("it was run")

    for pipe in (Untyped(), Passing()):
        with pytest.raises(UsageError, match="output_type"):
            stamped(pipe, method="honest")("a ball")
    pipe = Pipe()
    with pytest.raises(UsageError, match="32 bits"):
        stamped(pipe, method="short")("a ball")
    for wanted in ("latent", "raw", None):
        with pytest.raises(UsageError):
            stamped(pipe, method="honest")("a ball", output_type=wanted)
    assert pipe.runs == 0
    with pytest.warns(RequestWarning, match="Unmarked latents"):
        stamped(pipe, method="honest")("a ball", output_type="latent", allow_unstamped=True)
    assert pipe.runs == 1


def test_alpha_is_left_away_and_grey_becomes_colour(home: Path) -> None:
    for channels in ([0, 1, 2, 0], [0]):
        frames = marked_pipe(plain()[..., channels])("a ball", "np").frames[0]
        assert frames.shape == (4, 96, 144, 3)
        assert message_of(frames) is not None


def test_a_pipeline_that_keeps_to_its_own_kind_of_frames_is_marked_too(home: Path) -> None:
    class Stubborn(Pipe):
        def __call__(self, prompt: str, output_type: str = "pil", **options: Any) -> Any:
            return FramesOutput([self.frames])

    for wanted in ("pil", "np"):
        frames = stamped(Stubborn(), method="honest")("a ball", wanted).frames[0]
        assert message_of(frames) is not None


def test_a_plain_tuple_comes_back_as_one(home: Path) -> None:
    class Bare(Pipe):
        def __call__(self, prompt: str, output_type: str = "pil", **options: Any) -> Any:
            return (super().__call__(prompt, output_type).frames, "unmarked extras")

    (frames,) = stamped(Bare(), method="honest")("a ball")
    assert message_of(frames[0]) is not None


def test_no_frames_are_an_error_of_the_model(home: Path) -> None:
    with pytest.raises(EngineError, match="no frames"):
        marked_pipe(plain()[:0])("a ball")
    with pytest.raises(EngineError, match="no frames"):
        marked_pipe()("a ball", batch=0)


def test_an_exported_file_carries_mark_signature_and_record(
    settings: StampSettings, tmp_path: Path
) -> None:
    result = marked_pipe()("a ball")
    (mark,) = result.provenance
    receipt = stamp_frames(result.frames[0], tmp_path / "clip.mp4", fps=FPS, settings=settings)
    assert receipt.clip_id == mark.clip_id
    with open_video(receipt.path) as video:
        assert message_of(list(video.images())) == mark.clip_id
    reading = read_credentials(receipt.path, trust=TrustSettings())
    assert (reading.status, reading.integrity) == ("present", "intact")
    assert reading.claimed_source == "generated"
    assert settings.ledger.find_clip(mark.clip_id) is not None
    with pytest.raises(UsageError, match="issued already"):
        stamp_frames(result.frames[0], tmp_path / "again.mp4", fps=FPS, settings=settings)
    assert [path.name for path in tmp_path.glob("*.mp4")] == ["clip.mp4"]


def test_frames_that_nobody_marked_are_marked_on_the_way_out(
    settings: StampSettings, tmp_path: Path
) -> None:
    path = export_to_video(plain(), str(tmp_path / "clip.mp4"), 8, 9.0, settings=settings)
    with open_video(Path(path)) as video:
        message = message_of(list(video.images()))
    assert message is not None
    assert settings.ledger.find_clip(message) is not None


def test_frames_of_different_sizes_are_refused_not_filled_up(
    settings: StampSettings, tmp_path: Path
) -> None:
    frames = [*plain()[:3], plain()[3, :80]]
    with pytest.raises(EngineError, match="different sizes: 144 x 80, 144 x 96"):
        stamp_frames(frames, tmp_path / "clip.mp4", fps=FPS, settings=settings)
    assert list(tmp_path.glob("*.mp4")) == []


def test_a_rate_as_text_is_read_or_refused_at_once(settings: StampSettings, tmp_path: Path) -> None:
    for rate in ("1e999999999", "fast", "1/0", ""):
        with pytest.raises(UsageError, match="frame rate"):
            stamp_frames(plain(), tmp_path / "clip.mp4", fps=rate, settings=settings)  # type: ignore[arg-type]
    assert list(tmp_path.glob("*.mp4")) == []


def test_values_out_of_range_are_refused_and_those_at_its_ends_are_not(
    settings: StampSettings, tmp_path: Path
) -> None:
    path = str(tmp_path / "clip.mp4")
    for quality in (-0.1, 10.1, float("nan")):
        with pytest.raises(UsageError, match="quality"):
            export_to_video(plain(), path, 8, quality, settings=settings)
    for rate in (0.99, 240.1):
        with pytest.raises(UsageError, match="1 to 240"):
            export_to_video(plain(), path, rate, settings=settings)
    for rate in (1, 240):
        with pytest.warns(RequestWarning, match="bitrate is not used"):
            export_to_video(plain(), path, rate, 10, bitrate=1000, settings=settings)
        assert probe(Path(path)).fps == rate


def test_a_temporary_file_that_is_not_made_leaves_no_folder(
    settings: StampSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = Path(export_to_video(plain(), settings=settings))
    assert (made.name, made.parent.parent) == ("video.mp4", tmp_path)
    before = set(tmp_path.iterdir())
    with pytest.raises(UsageError, match="no frames"):
        export_to_video([], settings=settings)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("method", ["none", "lying", "absent", "doubtful", "dropping", "short"])
def test_a_mark_that_fails_on_the_way_out_leaves_no_file(
    settings: StampSettings, tmp_path: Path, method: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    unmarkable = replace(settings, method=method)
    for write in (
        lambda: stamp_frames(plain(), out / "clip.mp4", fps=FPS, settings=unmarkable),
        lambda: export_to_video(plain(), str(out / "clip.mp4"), settings=unmarkable),
    ):
        with pytest.raises((StampError, UsageError)):
            write()
        assert list(out.iterdir()) == []
    assert settings.ledger.count() == 0


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("VideoWriter", OutputError("The disk is full.")),
        ("VideoWriter", KeyboardInterrupt()),
        ("fingerprint_video", KeyboardInterrupt()),
        ("sign_file", KeyboardInterrupt()),
        ("sign_file", OSError(28, "No space left on device")),
        ("read_credentials", RuntimeError("bug")),
    ],
)
def test_a_step_that_breaks_off_leaves_no_file(
    settings: StampSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: BaseException,
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setitem(STAMP, step, fail)
    with pytest.raises((type(error), OutputError)):
        stamp_frames(plain(), out / "clip.mp4", fps=FPS, settings=settings)
    assert list(out.iterdir()) == []
    assert settings.ledger.count() == 0


def test_a_signature_that_does_not_hold_leaves_no_file(
    settings: StampSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signer is told to sign, and copies instead."""

    def copy(source: Path, target: Path, **options: Any) -> bytes:
        target.write_bytes(source.read_bytes())
        return b""

    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setitem(STAMP, "sign_file", copy)
    with pytest.raises(StampError, match="credentials do not validate"):
        stamp_frames(plain(), out / "clip.mp4", fps=FPS, settings=settings)
    assert list(out.iterdir()) == []


def test_a_clip_that_cannot_be_recorded_leaves_no_file(
    settings: StampSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise LedgerError("The ledger is locked.")

    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(Ledger, "record", fail)
    with pytest.raises(LedgerError):
        stamp_frames(plain(), out / "clip.mp4", fps=FPS, settings=settings)
    assert list(out.iterdir()) == []
