"""The embedded model: three tasks from the command line, offline, honest about what it left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.cli import main
from vidigree.detect import AuditSettings, Finding, audit
from vidigree.generate import ClipRequest
from vidigree.generate.engines.nano import NanoEngine
from vidigree.generate.engines.nano.weights import load_nano, model_folder
from vidigree.generate.training.nano.export import folder_digest
from vidigree.media.errors import EngineError, UsageError

pytest.importorskip("diffusers")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
ROOT = Path(__file__).resolve().parents[4]
QUICK: dict[str, Any] = {"steps": 2}


@pytest.fixture(scope="module")
def engine() -> NanoEngine:
    return NanoEngine()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a picture and a clip of 48 frames at 24 a second, 96 x 64."""
    import av
    from PIL import Image

    from vidigree.generate.training import ClipSettings, draw_clip

    frames, _ = draw_clip(3, ClipSettings(size=64, num_frames=48, fps=24))
    wide = np.concatenate([frames, frames[:, :, :32]], axis=2)
    folder = tmp_path_factory.mktemp("drawn")
    Image.fromarray(frames[0]).save(folder / "picture.png")
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height = 96, 64
        for frame in wide:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return folder


def make(engine: NanoEngine, **values: Any) -> tuple[NDArray[np.uint8], Any, list[str]]:
    request = ClipRequest(
        **({"prompt": "a red ball on grass", "engine": "nano", "options": QUICK} | values)
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clip = engine.generate(request)
        frames = np.stack(list(clip.frames))
    notes = [str(w.message) for w in caught if w.category.__name__ == "RequestWarning"]
    return frames, clip, notes


def test_the_stock_class_loads_the_folder_offline() -> None:
    """By itself: no code of ours, no network, no pickle."""
    code = (
        "import sys; from diffusers import DiffusionPipeline\n"
        "pipe = DiffusionPipeline.from_pretrained(sys.argv[1], use_safetensors=True)\n"
        "frames = pipe('a red ball', height=64, width=64, num_frames=25, max_sequence_length=32,"
        " num_inference_steps=1).frames\n"
        "print(type(pipe).__name__, frames.shape, 'vidigree' in sys.modules)"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(model_folder())],
        capture_output=True, text=True, env=environment, check=False, cwd=model_folder(),
    )  # fmt: skip
    assert done.stdout.split("\n")[-2] == "WanPipeline (1, 25, 64, 64, 3) False", done.stderr
    files = [path for path in model_folder().rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".safetensors", ".onnx"}
    assert sum(path.stat().st_size for path in files) < 16e6


def test_the_card_is_of_these_weights() -> None:
    assert folder_digest(model_folder()) in (ROOT / "docs" / "nano.md").read_text()


def test_text_makes_a_clip_of_the_usual_size(engine: NanoEngine) -> None:
    frames, clip, notes = make(engine)
    assert frames.shape == (25, 256, 256, 3)
    assert frames.dtype == np.uint8
    assert clip.fps == 12
    assert clip.origin.trained_model is True
    assert notes == []


def test_same_seed_same_bytes(engine: NanoEngine) -> None:
    first, _, _ = make(engine, seed=5)
    again, _, _ = make(NanoEngine(), seed=5)
    other, _, _ = make(engine, seed=6)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_guidance_and_steps_change_the_clip(engine: NanoEngine) -> None:
    plain, _, _ = make(engine)
    for options in ({"steps": 3}, {"steps": 2, "guidance": 1}):
        assert not np.array_equal(plain, make(engine, options=options)[0])


def test_picture_to_clip_begins_with_the_picture(engine: NanoEngine, drawn: Path) -> None:
    from PIL import Image

    frames, clip, notes = make(engine, image=drawn / "picture.png", options={"steps": 6})
    picture = np.asarray(Image.open(drawn / "picture.png").resize((256, 256)), np.float64)
    error = np.abs(frames[0] - picture).mean()
    assert error < 20
    assert error < np.abs(make(engine, seed=1)[0][0] - picture).mean()
    assert clip.origin.task == "image-to-video"
    assert clip.origin.inputs == (drawn / "picture.png",)
    assert notes == []


def test_clip_to_clip_follows_the_clip_as_far_as_the_strength_says(
    engine: NanoEngine, drawn: Path
) -> None:
    def far(strength: float) -> tuple[float, Any, list[str]]:
        frames, clip, notes = make(
            engine, video=drawn / "clip.mp4", strength=strength, options={"steps": 10}
        )
        return float(np.abs(frames.astype(float) - near).mean()), clip, notes

    near, clip, notes = make(engine, video=drawn / "clip.mp4", strength=0.1, options={"steps": 10})
    assert near.shape == (24, 256, 256, 3), "every second of 48 frames"
    assert clip.fps == 12
    assert any("One in 2 frames" in note for note in notes)
    assert any("middle square" in note for note in notes)
    assert far(0.3)[0] < far(1.0)[0]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"prompt": "a red dragon ball on grass"}, "'dragon'"),
        ({"prompt": "a red ball and a blue cube"}, "one kind of thing"),
        ({"num_frames": 40}, "25 frames here and no more; 40"),
        ({"width": 128, "height": 64}, "128 x 64"),
        ({"fps": 24}, "12 frames a second"),
        ({"strength": 0.5}, "--video only"),
        ({"prompt": "a red ball on grass " * 8}, "31 words"),
    ],
)
def test_what_is_not_followed_is_told(
    values: dict[str, Any], word: str, engine: NanoEngine
) -> None:
    frames, clip, notes = make(engine, **values)
    assert any(word in note for note in notes), notes
    assert frames.shape[:3] == (clip.num_frames, clip.height, clip.width)
    assert (clip.width, clip.height) == (values.get("width", 256), values.get("height", 256))


def test_wrong_requests_are_refused_before_anything_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vidigree.generate.engines.nano.engine.load_nano", None)
    fresh = NanoEngine()
    for options, word in (
        ({"stepps": 3}, "stepps"),
        ({"steps": 0}, "steps"),
        ({"guidance": "x"}, "guidance"),
    ):
        with pytest.raises(UsageError, match=word):
            make(fresh, options=options)
    with pytest.raises(UsageError, match="no model"):
        make(fresh, model="some/model")
    with pytest.raises(EngineError, match="'dragon'"):
        make(fresh, prompt="a dragon")


def test_missing_packages_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "diffusers" else known(name)
    )
    with pytest.raises(EngineError) as caught:
        load_nano()
    assert "nano" in caught.value.message
    assert "vidigree[diffusers]" in caught.value.hint


def test_a_damaged_folder_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(EngineError, match="cannot be loaded"):
        load_nano(folder=tmp_path)


def test_requests_that_start_from_something_go_to_this_engine(drawn: Path) -> None:
    assert ClipRequest(prompt="a ball").engine == "render"
    assert ClipRequest(prompt="a ball", image=drawn / "picture.png").engine == "nano"
    assert ClipRequest(prompt="a ball", video=drawn / "clip.mp4").engine == "nano"
    asked = ClipRequest(prompt="a ball", video=drawn / "clip.mp4", engine="diffusers")
    assert asked.engine == "diffusers"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    from vidigree.watermark.credentials import init_identity

    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path / "home"))
    init_identity(tmp_path / "home" / "identity")
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("task", "source"),
    [
        ("text-to-video", ["--engine", "nano"]),
        ("image-to-video", ["--image", "picture.png"]),
        ("video-to-video", ["--video", "clip.mp4", "--strength", "0.6"]),
    ],
)
def test_three_tasks_from_the_command_line_end_stamped(
    task: str,
    source: list[str],
    home: Path,
    drawn: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(drawn)
    output = tmp_path / "out.mp4"
    arguments = ["generate", "a red ball bouncing on grass", "-o", str(output), *source]
    arguments += ["--seed", "1", "--set", "steps=2", "--json"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    told = capsys.readouterr()
    assert ended.value.code == 0, told.err
    assert json.loads(told.out)["seed"] == 1
    findings = {
        layer: audit(output, settings=AuditSettings(layers=(layer,))).finding
        for layer in ("credentials", "mark")
    }
    assert findings == {
        "credentials": Finding.DECLARED_SYNTHETIC,
        "mark": Finding.MARKED_SYNTHETIC,
    }
