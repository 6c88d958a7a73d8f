"""A request ends in one stamped file, or in an error and nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from fixtures.issued import disclosed
from numpy.typing import NDArray

from vidigree.generate import ClipRequest, EngineInfo, generate
from vidigree.generate.engine import RequestWarning
from vidigree.generate.estimate import estimate
from vidigree.generate.policy import TermPolicy
from vidigree.media import MediaError, OutputError, UsageError, open_video, probe
from vidigree.media.errors import EngineError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark import Clip, Origin, StampReceipt, StampSettings, stamp
from vidigree.watermark.credentials import TrustSettings, read_credentials

SMALL = {"width": 64, "height": 48, "num_frames": 5, "seed": 7}


class BreakingEngine:
    """Draws two frames, then stops as the parameters say."""

    info: ClassVar[EngineInfo] = EngineInfo(
        name="breaking", family="test", tasks=("text-to-video",), licence="none", description="-"
    )

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        def frames() -> Iterator[NDArray[np.uint8]]:
            for _ in range(2):
                yield np.zeros((48, 64, 3), np.uint8)
            raise self.error

        return Clip(frames=frames(), width=64, height=48, fps=Fraction(24), origin=Origin())


class Untouched(BreakingEngine):
    """Is never to be started."""

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        raise AssertionError("the engine was started")


def test_file_receipt_ledger_and_credentials_agree(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    request = ClipRequest(prompt="a red ball on grass", fps=Fraction(12), **SMALL)
    receipt = generate(request, outputs / "clip.mp4", settings=stamp_settings)
    assert [path.name for path in outputs.iterdir()] == ["clip.mp4"]
    info = probe(receipt.path)
    assert (info.width, info.height, info.num_frames, info.fps) == (64, 48, 5, 12)
    with open_video(receipt.path) as video:
        assert len(list(video)) == receipt.num_frames == 5
    entry = stamp_settings.ledger.find_clip(receipt.clip_id)
    assert entry is not None
    assert (entry.engine, entry.request_hash) == ("render", request.prompt_sha256)
    reading = read_credentials(receipt.path, trust=TrustSettings())
    assert (reading.status, reading.integrity) == ("present", "intact")
    assert reading.claimed_source == "generated-by-algorithm"
    assert b"red ball on grass" not in receipt.path.read_bytes()


def test_unknown_words_become_notes(stamp_settings: StampSettings, outputs: Path) -> None:
    request = ClipRequest(prompt="a fluffy red ball", **SMALL)
    receipt = generate(request, outputs / "clip.mp4", settings=stamp_settings)
    (note,) = receipt.notes
    assert "'fluffy'" in note


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt(), MemoryError()])
def test_an_engine_that_breaks_leaves_nothing(
    stamp_settings: StampSettings, outputs: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        generate(
            ClipRequest(prompt="a ball"),
            outputs / "clip.mp4",
            engine=BreakingEngine(error),
            settings=stamp_settings,
        )
    assert list(outputs.iterdir()) == []


def test_outputs_that_cannot_be_written_are_refused_before_work(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    def run(path: Path, settings: StampSettings = stamp_settings) -> None:
        generate(ClipRequest(prompt="a ball"), path, engine=Untouched(OSError()), settings=settings)

    taken = outputs / "taken.mp4"
    taken.write_bytes(b"")
    with pytest.raises(OutputError):
        run(taken)
    with pytest.raises(OutputError):
        run(outputs / "absent" / "clip.mp4")
    with pytest.raises(OutputError):
        run(Path("/proc/clip.mp4"))  # a folder in which nobody can write
    with pytest.raises(UsageError):
        run(outputs / "clip.avi")
    with pytest.raises(AssertionError, match="started"):
        run(taken, replace(stamp_settings, overwrite=True))


@pytest.mark.parametrize("field", ["image", "video"])
def test_what_no_clip_can_start_from_is_refused_before_work(
    stamp_settings: StampSettings, outputs: Path, field: str
) -> None:
    source = outputs / "in.png"
    source.write_bytes(b"neither")
    request = ClipRequest(prompt="a ball", **{field: source})
    engine = Untouched(OSError())
    with pytest.raises(MediaError, match=r"in.png"):
        generate(request, outputs / "clip.mp4", engine=engine, settings=stamp_settings)
    with pytest.raises(MediaError, match=r"in.png"):
        estimate(replace(request, engine="nano"))


@pytest.mark.parametrize("field", ["image", "video"])
def test_what_a_clip_starts_from_is_never_overwritten(
    stamp_settings: StampSettings, outputs: Path, field: str
) -> None:
    source, link = outputs / "in.mp4", outputs / "link.mp4"
    source.write_bytes(b"mine")
    link.symlink_to(source)
    settings = replace(stamp_settings, overwrite=True)
    for given, output in ((source, source), (link, source), (source, link)):
        with pytest.raises(UsageError, match="source itself"):
            request = ClipRequest(prompt="a ball", **{field: given})
            generate(request, output, settings=settings)
    assert source.read_bytes() == b"mine"


def test_unknown_engine_is_refused(stamp_settings: StampSettings, outputs: Path) -> None:
    with pytest.raises(UsageError, match="rendr"):
        generate(
            ClipRequest(prompt="a ball", engine="rendr"),
            outputs / "clip.mp4",
            settings=stamp_settings,
        )


@pytest.mark.parametrize(("width", "height"), [(65, 48), (64, 47)])
def test_odd_sizes_are_refused_before_anything_is_drawn(
    width: int, height: int, stamp_settings: StampSettings, outputs: Path
) -> None:
    request = ClipRequest(prompt="a red ball", width=width, height=height, num_frames=5)
    with pytest.raises(UsageError, match=f"{width} x {height}.*even"):
        generate(request, outputs / "clip.mp4", settings=stamp_settings)
    assert list(outputs.iterdir()) == []


class OddEngine(BreakingEngine):
    """Says 64 x 48, and draws what it is told."""

    def __init__(self, frames: list[Any]) -> None:
        self.frames = frames

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        return Clip(frames=iter(self.frames), width=64, height=48, fps=Fraction(24))


@pytest.mark.parametrize(
    "odd",
    [
        np.zeros((48, 64, 3)),
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
        np.zeros((40, 64, 3), np.uint8),
        np.zeros((48, 60, 3), np.uint8),
        None,
    ],
    ids=["floats", "grey", "alpha", "low", "narrow", "none"],
)
def test_frames_that_are_not_what_the_engine_says_are_not_issued(
    stamp_settings: StampSettings, outputs: Path, odd: Any
) -> None:
    engine = OddEngine([np.zeros((48, 64, 3), np.uint8), odd])
    with pytest.raises(EngineError, match=r"Frame 2 of the engine breaking .* 64 x 48"):
        generate(
            ClipRequest(prompt="a ball"),
            outputs / "clip.mp4",
            engine=engine,
            settings=stamp_settings,
        )
    assert list(outputs.iterdir()) == []


def test_an_engine_that_makes_no_frames_has_failed(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    with pytest.raises(EngineError, match="made no frames"):
        generate(
            ClipRequest(prompt="a ball"),
            outputs / "clip.mp4",
            engine=OddEngine([]),
            settings=stamp_settings,
        )
    assert list(outputs.iterdir()) == []


class SpeakingEngine(BreakingEngine):
    """Draws a short clip, and says something of the request and something else."""

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        warnings.warn("No such word.", RequestWarning, stacklevel=1)
        warnings.warn("A library is old.", FutureWarning, stacklevel=1)
        frames = iter([np.full((48, 64, 3), 90, np.uint8)] * 3)
        origin = Origin(parameters={"steps": 4})
        return Clip(frames=frames, width=64, height=48, fps=Fraction(24), origin=origin)


def test_what_is_not_said_of_the_request_stays_a_warning(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    with pytest.warns(FutureWarning, match="library is old"):
        receipt = generate(
            ClipRequest(prompt="a ball"),
            outputs / "clip.mp4",
            engine=SpeakingEngine(OSError()),
            settings=stamp_settings,
        )
    assert receipt.notes == ("No such word.",)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("asked", [False, True])
def test_policy_that_let_a_clip_pass_stands_in_its_credentials(
    stamp_settings: StampSettings, outputs: Path, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    seen: list[Clip] = []

    def stamped(clip: Clip, output: Path, **options: object) -> StampReceipt:
        seen.append(clip)
        return stamp(clip, output, **options)  # type: ignore[arg-type]

    class Willing:
        name = "house rules"

        def refusal(self, request: ClipRequest) -> str | None:
            return None

    monkeypatch.setitem(generate.__globals__, "stamp", stamped)
    generate(
        ClipRequest(prompt="a ball"),
        outputs / "clip.mp4",
        engine=SpeakingEngine(OSError()),
        settings=stamp_settings,
        policy=Willing() if asked else None,
    )
    (clip,) = seen
    recorded = {"steps": 4, "policy": "house rules"} if asked else {"steps": 4}
    assert dict(clip.origin.parameters) == recorded
    assert disclosed(outputs / "clip.mp4")["parameters"] == recorded


def test_a_policy_whose_name_cannot_be_signed_is_refused_before_any_work(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    policy = TermPolicy(name="\udcff.txt", terms=("bomb",))
    engine = BreakingEngine(AssertionError("it was asked to draw"))
    with pytest.raises(UsageError, match="policy's name is not valid Unicode"):
        generate(
            ClipRequest(prompt="a ball"),
            outputs / "clip.mp4",
            engine=engine,
            settings=stamp_settings,
            policy=policy,
        )
    assert list(outputs.iterdir()) == []
