"""Every engine and every door: what comes out carries both layers, or nothing comes out."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

import vidigree.generate
from vidigree.detect import AuditSettings, Finding, audit
from vidigree.generate import (
    ClipRequest,
    EngineInfo,
    engine_registry,
    export_to_video,
    generate,
    generate_batch,
    stamp_frames,
    stamped,
)
from vidigree.generate.doors.comfyui import SaveStampedVideo
from vidigree.media import VideoWriter
from vidigree.media.errors import EngineError, StampError, VidigreeError
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark import Clip, Origin, StampSettings, stamp
from vidigree.watermark.robust import RobustMark

pytest.importorskip("diffusers")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

Way = Callable[[Path, "Tools"], None]
# What engines say whose extra or whose weights are not there.
MISSING = re.compile(r"pip install|not installed|weights")
SIZE: dict[str, Any] = {"width": 192, "height": 192, "num_frames": 5}


class Tools:
    """What the ways out work with."""

    def __init__(self, drawn: NDArray[np.uint8], fake: Any, wan: Path) -> None:
        self.drawn = drawn
        self.fake = fake
        self.wan = wan

    def request(self, engine: str) -> ClipRequest:
        """A small request that the engine can do; engines of one size get their own."""
        info = engine_registry.get(engine).info
        values: dict[str, Any] = {"prompt": "a red ball on grass", "engine": engine, "seed": 3}
        if info.needs_model:
            values |= SIZE | {"model": str(self.wan), "options": {"steps": 1, "device": "cpu"}}
        elif engine == "render":
            values |= SIZE
        return ClipRequest(**values)


def _engine(name: str) -> Way:
    def go(path: Path, tools: Tools) -> None:
        try:
            generate(tools.request(name), path)
        except EngineError as error:
            if MISSING.search(error.message + error.hint):
                pytest.skip(f"engine {name}: {error}")
            raise

    return go


def _command_line(*arguments: str) -> Way:
    def go(path: Path, tools: Tools) -> None:
        name = arguments[0]
        module = "generate.commands" if name == "generate" else "watermark.commands"
        command = getattr(importlib.import_module(f"vidigree.{module}"), name)
        CliRunner().invoke(
            command,
            [*arguments[1:], "-o", str(path)],
            catch_exceptions=False,
            standalone_mode=False,
        )

    return go


def _stamp_command(path: Path, tools: Tools) -> None:
    """A clip of other software: what is refused is refused for the mark, not for the input."""
    source = path.parent.parent / "source.mp4"
    with VideoWriter(source, width=192, height=192, fps=Fraction(8)) as video:
        for frame in tools.drawn:
            video.write(frame)
    _command_line("stamp", str(source), "--synthetic")(path, tools)


def _batch(path: Path, tools: Tools) -> None:
    for row in generate_batch([tools.request("render")], path.parent):
        if row.error is not None:
            raise row.error
        row.path.rename(path)


def _comfy(path: Path, tools: Tools) -> None:
    import torch

    images = torch.from_numpy(tools.drawn.astype(np.float32) / 255)
    (made,) = SaveStampedVideo().save(images, 8.0, "clip")["result"]
    Path(made).rename(path)


def _stamp(path: Path, tools: Tools) -> None:
    """The door behind all doors, called by hand."""
    origin = Origin(synthetic=True)
    clip = Clip(frames=list(tools.drawn), width=192, height=192, fps=Fraction(8), origin=origin)
    stamp(clip, path, settings=StampSettings.load())


_SMALL = [text for key in SIZE for text in (f"--{key.removeprefix('num_')}", str(SIZE[key]))]

WAYS: dict[str, Way] = {f"engine {name}": _engine(name) for name in engine_registry}
WAYS |= {
    "command line": _command_line("generate", "a red ball", *_SMALL),
    "stamp command": _stamp_command,
    "stamp": _stamp,
    "generate_batch": _batch,
    "stamp_frames": lambda path, tools: stamp_frames(tools.drawn, path, fps=8) and None,
    "export_to_video": lambda path, tools: export_to_video(tools.drawn, str(path)) and None,
    "comfyui": _comfy,
    "stamped": lambda path, tools: (
        export_to_video(stamped(tools.fake)("a ball").frames[0], str(path)) and None
    ),
}


@pytest.fixture
def tools(
    drawn: NDArray[np.uint8],
    fake: Any,
    tiny_pipeline: Callable[[str], Path],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Tools:
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Tools(drawn, fake, tiny_pipeline("wan"))


@pytest.mark.parametrize("way", sorted(WAYS))
def test_what_comes_out_carries_both_layers(way: str, tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / "out" / "clip.mp4"
    WAYS[way](path, tools)
    findings = {
        layer: audit(path, settings=AuditSettings(layers=(layer,))).finding
        for layer in ("credentials", "mark")
    }
    assert findings == {
        "credentials": Finding.DECLARED_SYNTHETIC,
        "mark": Finding.MARKED_SYNTHETIC,
    }


@pytest.mark.parametrize("way", sorted(WAYS))
def test_without_a_mark_nothing_comes_out(
    way: str, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_alone(
        self: RobustMark, frames: Iterable[NDArray[np.uint8]], *rest: Any, **options: Any
    ) -> Iterator[NDArray[np.uint8]]:
        yield from frames

    monkeypatch.setattr(RobustMark, "embed", leave_alone)
    with pytest.raises(StampError):
        WAYS[way](tmp_path / "out" / "clip.mp4", tools)
    assert list((tmp_path / "out").iterdir()) == []


# What every public name of the room has to do with clips. A new one without a rule fails below.
WAY_OUT = {"export_to_video", "generate", "generate_batch", "stamp_frames", "stamped"}
NO_CLIP = {
    "BatchRow": "a record",
    "CheckReport": "a record",
    "Claim": "a record",
    "ClipRequest": "a record",
    "EngineInfo": "a record",
    "Estimate": "a record",
    "Policy": "a contract",
    "RequestWarning": "a warning",
    "check_clip": "reads a clip",
    "estimate": "returns numbers",
    "load_policy": "reads a policy",
    "read_requests": "reads requests",
}
# The raw material: frames in memory, before any door. They write nothing, as the test below says
# for the whole room; who takes them away leaves this library.
FRAMES_ONLY = {"Engine", "engine_registry"}


def test_every_public_name_has_a_rule() -> None:
    public = set(vidigree.generate.__all__)
    assert public == WAY_OUT | set(NO_CLIP) | FRAMES_ONLY
    tried = " ".join(WAYS) + " generate"
    assert all(name in tried for name in WAY_OUT), "and every way out is tried above"


@pytest.mark.parametrize("name", sorted(WAY_OUT))
def test_no_public_function_gives_an_unmarked_clip(name: str, tools: Tools, tmp_path: Path) -> None:
    """Each is asked for one in the ways it could be talked into it."""
    out = tmp_path / "out" / "clip.mp4"
    settings = StampSettings.load()
    nothing = replace(settings, method="nothing")
    request = tools.request("render")
    lying = _Lying(tools.drawn)
    attempts: dict[str, list[Callable[[], Any]]] = {
        "generate": [
            lambda: generate(request, out, settings=nothing),
            lambda: generate(request, out, engine=lying),
            lambda: generate(request, out.with_suffix(".gif")),
        ],
        "generate_batch": [
            lambda: _raise(generate_batch([request], out.parent, settings=nothing)),
        ],
        "stamp_frames": [
            lambda: stamp_frames(tools.drawn, out, fps=8, settings=nothing),
            lambda: stamp_frames(tools.drawn, out.with_suffix(".avi"), fps=8),
            lambda: stamp_frames(tools.drawn[:, :64, :64], out, fps=8),
            lambda: stamp_frames([], out, fps=8),
        ],
        "export_to_video": [
            lambda: export_to_video(tools.drawn, str(out), settings=nothing),
            lambda: export_to_video(tools.drawn, str(out.with_suffix(".webm"))),
        ],
        "stamped": [
            lambda: stamped(tools.fake)("a ball", output_type="latent"),
            lambda: stamped(tools.fake)("a ball", output_type="raw"),
            lambda: stamped(tools.fake, method="nothing")("a ball"),
            lambda: stamped(tools.fake).to("cpu")("a ball", output_type="latent"),
        ],
    }
    for attempt in attempts[name]:
        with pytest.raises(VidigreeError):
            attempt()
        assert list(out.parent.iterdir()) == []


class _Lying:
    """An engine that says its frames carry a mark already, which they do not."""

    info = EngineInfo(
        name="lying", family="test", tasks=("text-to-video",), licence="none", description="-"
    )

    def __init__(self, frames: NDArray[np.uint8]) -> None:
        self.frames = frames

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        frames = list(self.frames)
        return Clip(frames=frames, width=192, height=192, fps=Fraction(8), clip_id=12345)


def _raise(rows: Iterable[Any]) -> None:
    for row in rows:
        assert row.error is not None
        raise row.error


def test_only_the_stamp_writes_videos() -> None:
    """No file of the room opens a video writer or signs by itself."""
    root = Path(vidigree.generate.__file__).resolve().parent
    forbidden = {"VideoWriter", "sign_file", "imwrite", "export_to_gif"}
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert names & forbidden == set(), path
