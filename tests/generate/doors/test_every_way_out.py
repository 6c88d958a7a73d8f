"""Every engine and every door: what comes out carries both layers, or nothing comes out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vidigree.generate
from vidigree.detect import AuditSettings, Finding, audit
from vidigree.generate import (
    ClipRequest,
    engine_registry,
    export_to_video,
    generate,
    generate_batch,
    stamp_frames,
    stamped,
)
from vidigree.generate.doors.comfyui import SaveStampedVideo
from vidigree.media.errors import StampError
from vidigree.watermark.robust import RobustMark

pytest.importorskip("diffusers")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

Way = Callable[[Path, "Tools"], None]
SIZE: dict[str, Any] = {"width": 192, "height": 192, "num_frames": 5}


class Tools:
    """What the ways out work with."""

    def __init__(self, drawn: NDArray[np.uint8], fake: Any, wan: Path) -> None:
        self.drawn = drawn
        self.fake = fake
        self.wan = wan

    def request(self, engine: str) -> ClipRequest:
        model = {"model": str(self.wan), "options": {"steps": 1, "device": "cpu"}}
        extra: dict[str, Any] = model if engine_registry.get(engine).info.needs_model else {}
        return ClipRequest(prompt="a red ball", engine=engine, **SIZE, **extra)


def _engine(name: str) -> Way:
    def go(path: Path, tools: Tools) -> None:
        generate(tools.request(name), path)

    return go


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


WAYS: dict[str, Way] = {f"engine {name}": _engine(name) for name in engine_registry}
WAYS |= {
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


def test_only_the_stamp_writes_videos() -> None:
    """No file of the room opens a video writer or signs by itself."""
    root = Path(vidigree.generate.__file__).resolve().parent
    forbidden = {"VideoWriter", "sign_file", "imwrite", "export_to_gif"}
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert names & forbidden == set(), path
