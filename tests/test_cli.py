"""The command as a user meets it: the whole path, and every kind of bad input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest

from vidigree import cli
from vidigree.media import VideoWriter, open_video

Run = Callable[..., Any]
UNSHARE = shutil.which("unshare")


def can_mount() -> bool:
    if UNSHARE is None:
        return False
    probe = [UNSHARE, "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def reencoded(source: Path, target: Path, crf: int) -> Path:
    """Encode again without any metadata, as a platform does."""
    with open_video(source) as video:
        info = video.info
        with VideoWriter(
            target, width=info.width, height=info.height, fps=info.fps, crf=crf
        ) as out:
            for frame in video:
                out.write(frame.image, frame.time)
    return target


def small_video(path: Path, size: tuple[int, int], count: int = 8) -> Path:
    """Write a lossless clip of any size, odd and tiny ones too."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = *size, "bgr0"
        random = np.random.default_rng(0)
        for _ in range(count):
            image = random.integers(0, 255, (size[1], size[0], 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def assert_one_clear_line(done: Any, code: int, *words: str) -> None:
    assert done.code == code, (done.code, done.err)
    lines = [line for line in done.err.splitlines() if line.strip()]
    assert len(lines) == 1, done.err
    assert lines[0].startswith("vidigree: ")
    assert "Traceback" not in done.err
    for word in words:
        assert word in lines[0]


# --- the whole path ---


@pytest.mark.slow
def test_generated_clip_is_audited_as_declared(vidigree: Run, red_balls: Path) -> None:
    done = vidigree("audit", red_balls, "--json")
    assert done.code == 10, done.err
    verdict = json.loads(done.out)
    assert verdict["finding"] == "declared-synthetic"


@pytest.mark.slow
def test_reencoded_clip_is_recovered_from_the_ledger(
    vidigree: Run, red_balls: Path, tmp_path: Path
) -> None:
    laundered = reencoded(red_balls, tmp_path / "laundered.mp4", crf=28)
    done = vidigree("audit", laundered, "--json")
    assert done.code == 10, done.err
    assert json.loads(done.out)["finding"] == "recovered"


@pytest.mark.slow
def test_clip_made_elsewhere_is_stamped_with_its_size(
    vidigree: Run, red_balls: Path, tmp_path: Path
) -> None:
    foreign = reencoded(red_balls, tmp_path / "foreign.mp4", crf=12)
    out = tmp_path / "stamped.mp4"
    done = vidigree("stamp", foreign, "-o", out, "--json")
    assert done.code == 0, done.err
    receipt = json.loads(done.out)
    with open_video(foreign) as a, open_video(out) as b:
        assert (a.info.width, a.info.height) == (b.info.width, b.info.height)
        assert [f.time for f in a] == [f.time for f in b]
    assert receipt["mark"]["message"] == receipt["clip_id"]


# --- output that nobody takes ---


def test_a_reader_that_goes_away_ends_it_quietly(
    vidigree_environment: dict[str, str], tmp_path: Path
) -> None:
    for number in range(3):
        small_video(tmp_path / f"{number}.mkv", (64, 64))
    command = [sys.executable, "-m", "vidigree.cli", "audit", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--only", "credentials", "--json"],
        env=vidigree_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["engines"]])
def test_a_full_disk_is_told(arguments: list[str], vidigree_environment: dict[str, str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vidigree.cli", *arguments],
            env=vidigree_environment,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr.decode().startswith("vidigree: The output cannot be written: No space")
    assert len(done.stderr.splitlines()) == 1


def no_memory_in_opencv() -> Exception:
    error = cv2.error("(-4:Insufficient memory) Failed to allocate 1048576 bytes")
    error.code = cv2.Error.StsNoMem
    return error


@pytest.mark.parametrize("error", [MemoryError(), no_memory_in_opencv()])
def test_too_little_memory_is_no_defect(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli._vidigree, "main", exhausted)
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", "a.mp4"])
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("vidigree: There is not enough memory. Free some")


@pytest.mark.parametrize(
    "text",
    [
        "/site-packages/av.libs/libx.so.12: failed to map segment from shared object",
        "Original error was: libx.so.12: cannot allocate memory in static TLS block\nSee there.",
    ],
)
@pytest.mark.parametrize("kind", [ImportError, OSError, RuntimeError])
def test_a_library_that_finds_no_memory_is_no_defect(
    kind: type[Exception],
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise kind(text)

    monkeypatch.setattr(cli._vidigree, "main", exhausted)
    # The media room may be what could not be loaded.
    monkeypatch.setitem(sys.modules, "vidigree.media.one_line", None)
    monkeypatch.setitem(sys.modules, "vidigree.media.errors", None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", "a.mp4"])
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("vidigree: There is not enough memory to load 'libx.so.12'. Free some")
    assert len(said.splitlines()) == 1


# --- bad input ---


def bad_files(folder: Path) -> dict[str, Path]:
    good = folder / "good.mp4"
    with VideoWriter(good, width=128, height=128, fps=Fraction(24)) as video:
        for value in range(24):
            video.write(np.full((128, 128, 3), value * 8, np.uint8))
    files = {
        "empty": folder / "empty.mp4",
        "text": folder / "text.mp4",
        "truncated": folder / "truncated.mp4",
        "headless": folder / "headless.mp4",
        "directory": folder / "directory.mp4",
        "missing": folder / "missing.mp4",
        "no-frames": folder / "no-frames.mp4",
    }
    files["empty"].write_bytes(b"")
    files["text"].write_text("not a video at all\n" * 200, encoding="utf-8")
    data = good.read_bytes()
    files["truncated"].write_bytes(data[:-300])
    files["headless"].write_bytes(data[:60])
    files["directory"].mkdir()
    with av.open(str(files["no-frames"]), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.start_encoding()
    return files


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", ["is empty"]),
        ("text", ["not a video"]),
        ("truncated", ["truncated.mp4"]),
        ("headless", ["truncated"]),
        ("directory", ["is a folder"]),
        ("missing", ["no file"]),
        ("no-frames", ["no-frames.mp4"]),
    ],
)
@pytest.mark.parametrize("command", ["stamp", "audit"])
def test_bad_files(
    vidigree: Run, tmp_path: Path, command: str, kind: str, words: list[str]
) -> None:
    path = bad_files(tmp_path)[kind]
    before = sorted(tmp_path.rglob("*"))
    extra = ["-o", tmp_path / "out.mp4"] if command == "stamp" else []
    done = vidigree(command, path, *extra)
    if (command, kind) == ("audit", "directory"):  # an audit takes folders, but not empty ones
        assert_one_clear_line(done, 2, "holds no video")
    else:
        assert_one_clear_line(done, 3, *words)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (127, 128)])
def test_sizes_that_cannot_carry_a_mark(
    vidigree: Run, tmp_path: Path, size: tuple[int, int]
) -> None:
    path = small_video(tmp_path / "small.mkv", size)
    done = vidigree("stamp", path, "-o", tmp_path / "out.mp4")
    assert done.code in (3, 6)
    assert_one_clear_line(done, done.code, f"{size[0]} x {size[1]}")
    assert [p.name for p in tmp_path.iterdir()] == ["small.mkv"]


@pytest.mark.parametrize("prompt", ["", "   ", "word " * 2_000])
def test_bad_prompts(vidigree: Run, tmp_path: Path, prompt: str) -> None:
    done = vidigree("generate", prompt, "-o", tmp_path / "out.mp4")
    assert_one_clear_line(done, 2, "prompt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["missing/out.mp4", "out.avi", "folder.mp4", "/proc/out.mp4"])
def test_bad_outputs(vidigree: Run, tmp_path: Path, output: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    done = vidigree("generate", "a red ball", "-o", output, cwd=tmp_path)
    assert_one_clear_line(done, 2 if output.endswith(".avi") else 4)
    assert [p.name for p in tmp_path.rglob("*")] == ["folder.mp4"]


def test_existing_output_is_kept(vidigree: Run, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("mine", encoding="utf-8")
    done = vidigree("generate", "a red ball", "-o", tmp_path / "out.mp4")
    assert_one_clear_line(done, 4, "exists already")
    assert (tmp_path / "out.mp4").read_text(encoding="utf-8") == "mine"


def test_without_keys_nothing_is_generated(tmp_path: Path) -> None:
    environment = {**os.environ, "VIDIGREE_HOME": str(tmp_path / "home")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1] / "typings")
    done = subprocess.run(
        [sys.executable, "-m", "vidigree.cli", "generate", "a ball", "-o", "out.mp4"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert done.returncode == 7
    assert "vidigree keys init" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.slow
def test_full_disk(vidigree: Run, tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("mounting a small tmpfs is not allowed here")
    disk = tmp_path / "disk"
    disk.mkdir()
    listing = tmp_path / "listing"
    script = (
        f'mount -t tmpfs -o size=40k none {disk} && "$@"; code=$?; ls -A {disk} > {listing};'
        " exit $code"
    )
    done = vidigree(
        "generate", "a red ball on grass", "-o", disk / "out.mp4",
        prefix=(str(UNSHARE), "-rm", "sh", "-c", script, "sh"),
    )  # fmt: skip
    assert_one_clear_line(done, 4, "disk is full")
    assert listing.read_text(encoding="utf-8") == ""


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["stamp"], ["audit", "--nonsense", "x"]])
def test_wrong_calls(vidigree: Run, arguments: list[str]) -> None:
    done = vidigree(*arguments)
    assert done.code == 2
    assert "Traceback" not in done.err
    if arguments:
        assert_one_clear_line(done, 2, "--help")


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        (["watermark", "train-front-end", "x", "--checkpoint", "y"], "torch", "families"),
        (["generator", "train", "gan", "--clips", "x", "--checkpoint", "y", "--steps", "1"],
         "torch", "families"),
        (["generator", "train", "nano", "codec", "--work", "x", "--clips", "y"],
         "diffusers", "diffusers"),
        (["generator", "evaluate", "nano", "--work", "x", "--clips", "y", "--held-out", "z"],
         "torch", "diffusers"),
    ],
)  # fmt: skip
def test_a_package_that_is_not_installed_is_named_with_its_extra(
    arguments: list[str], package: str, extra: str, vidigree_environment: dict[str, str]
) -> None:
    code = f"import sys\nsys.modules[{package!r}] = None\n"
    code += f"from vidigree.cli import main\nmain({arguments!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=False, env=vidigree_environment,
    )  # fmt: skip
    ran = SimpleNamespace(code=done.returncode, err=done.stderr)
    assert_one_clear_line(ran, ran.code, package, f"pip install 'vidigree[{extra}]'")
    assert ran.code in (2, 5)


@pytest.mark.slow
def test_every_listed_command_has_help(vidigree: Run) -> None:
    listing = vidigree("--help").out.split("Commands:")[1].split("Exit codes")[0]
    names = [line.split()[0] for line in listing.splitlines() if line[2:3].isalpha()]
    assert {"generate", "stamp", "audit", "keys"} <= set(names)
    for name in names:
        done = vidigree(name, "--help")
        assert done.code == 0, done.err
        assert "Usage: vidigree" in done.out
