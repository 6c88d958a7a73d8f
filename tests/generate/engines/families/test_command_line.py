"""Each task of each family, from the command line to a file that audits as what it is."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from vidigree.detect import AuditSettings, Finding, audit
from vidigree.generate.commands import engines, generate
from vidigree.watermark.credentials import init_identity

pytest.importorskip("torch")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

PROMPT = "a red ball rolling to the left on grass"
TASKS = [
    ("gan", "text-to-video"),
    ("flow-gan", "text-to-video"),
    ("flow-gan", "image-to-video"),
    ("vae", "text-to-video"),
    ("vae", "video-to-video"),
    ("autoregressive", "text-to-video"),
    ("autoregressive", "image-to-video"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a still and a clip, and the data folder of a user with keys."""
    home = tmp_path / "home"
    monkeypatch.setenv("VIDIGREE_HOME", str(home))
    init_identity(home / "identity")
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(0, 255, (6, 6, 3), np.uint8), (96, 96))
    cv2.imwrite(str(tmp_path / "still.png"), picture)
    writer = cv2.VideoWriter(
        str(tmp_path / "in.avi"), cv2.VideoWriter.fourcc(*"FFV1"), 12, (96, 96)
    )
    for shift in range(6):
        writer.write(np.roll(picture, 4 * shift, axis=1))
    writer.release()
    return tmp_path


@pytest.mark.parametrize(("engine", "task"), TASKS)
def test_a_stamped_file_comes_out(engine: str, task: str, folder: Path) -> None:
    path = folder / "out.mp4"
    arguments = [PROMPT, "-o", str(path), "--engine", engine, "--seed", "4", "--frames", "6"]
    if task == "image-to-video":
        arguments += ["--image", str(folder / "still.png")]
    if task == "video-to-video":
        arguments += ["--video", str(folder / "in.avi")]
    done = CliRunner().invoke(generate, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    findings = {
        layer: audit(path, settings=AuditSettings(layers=(layer,))).finding
        for layer in ("credentials", "mark")
    }
    assert findings == {
        "credentials": Finding.DECLARED_SYNTHETIC,
        "mark": Finding.MARKED_SYNTHETIC,
    }


def test_unknown_words_are_named_to_the_user(folder: Path) -> None:
    arguments = ["a red wolf on grass", "-o", str(folder / "out.mp4"), "--engine", "gan"]
    done = CliRunner().invoke(generate, [*arguments, "--frames", "4"], catch_exceptions=False)
    assert "does not know 'wolf'" in done.output


@pytest.mark.parametrize("engine", ["render", "nano", "gan"])
def test_engines_say_that_they_draw_what_is_denied(engine: str, folder: Path) -> None:
    arguments = ["a red ball, no cube", "-o", str(folder / f"denied-{engine}.mp4")]
    arguments += ["--engine", engine, "--frames", "2", "--width", "128", "--height", "128"]
    done = CliRunner().invoke(generate, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "does not understand 'no'; what is denied is drawn all the same." in done.output


def test_engines_lists_the_families_with_tasks_memory_and_licence() -> None:
    done = CliRunner().invoke(engines, ["--json"], catch_exceptions=False)
    rows = {row["name"]: row for row in json.loads(done.output)}
    for engine, task in TASKS:
        assert task in rows[engine]["tasks"]
        assert rows[engine]["memory"]
        assert "Apache-2.0" in rows[engine]["licence"]
