"""What the system allows a process: the command says in one line what is too little."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidigree import cli
from vidigree.media import VideoWriter

Run = Callable[..., Any]

resource = pytest.importorskip("resource")
needs_shell = pytest.mark.skipif(not shutil.which("sh"), reason="there is no sh")


def limited(limits: str) -> tuple[str, ...]:
    """Return what a command line begins with to run within limits, as `ulimit` takes them."""
    return ("sh", "-c", f'ulimit {limits}; exec "$@"', "sh")


# --- address space ---


@needs_shell
@pytest.mark.parametrize("kilobytes", [300_000, 600_000])
@pytest.mark.parametrize(
    "arguments", [["audit", "a.mp4"], ["--debug", "stamp", "a.mp4", "-o", "b.mp4"], ["serve"]]
)
def test_too_little_address_space_is_told_before_anything_is_loaded(
    vidigree: Run, arguments: list[str], kilobytes: int
) -> None:
    done = vidigree(*arguments, prefix=limited(f"-v {kilobytes}"))
    assert done.code == 1
    line = done.err.splitlines()[-1]
    assert line.startswith(
        f"vidigree: The address space is limited to {kilobytes >> 10} MiB, and the numeric"
    )
    assert "ulimit -v" in line
    assert len(done.err.splitlines()) == 1 or "--debug" in arguments


@needs_shell
@pytest.mark.parametrize("arguments", [["--version"], ["keys", "--help"], ["audit", "--help"]])
def test_what_looks_at_no_frame_needs_less(vidigree: Run, arguments: list[str]) -> None:
    done = vidigree(*arguments, prefix=limited("-v 700000"))
    assert done.code == 0, done.err


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], str]:
    """Return what stands in the way of an audit where the address space has so many MiB."""
    monkeypatch.setattr(cli._LazyGroup, "get_command", lambda *_: None)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)

    def ask(mebibytes: int) -> str:
        limit = resource.RLIM_INFINITY if mebibytes < 0 else mebibytes << 20
        monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
        with pytest.raises((cli._NoRoomError, cli.click.UsageError)) as raised:
            cli._vidigree.main(["audit", "a.mp4"], standalone_mode=False)
        return str(raised.value) if raised.type is cli._NoRoomError else ""

    return ask


@pytest.mark.parametrize(
    ("cores", "threads", "least"),
    [(1, "", 800), (2, "", 1088), (8, "", 2816), (8, "1", 1304), (8, "many", 2816), (2, "8", 1088)],
)
def test_each_core_needs_more_address_space(
    audited: Callable[[int], str], monkeypatch: pytest.MonkeyPatch,
    cores: int, threads: str, least: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert f"need {least} MiB" in audited(least - 1)
    assert audited(least) == audited(-1) == ""


def test_where_cores_cannot_be_told_apart_all_are_counted(
    audited: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert "need 1088 MiB" in audited(1)


def test_a_system_without_such_limits_has_none(
    audited: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audited(1)
    monkeypatch.setitem(sys.modules, "resource", None)
    assert audited(1) == ""


# --- size of files ---


@pytest.fixture(scope="module")
def textured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short clip that everything can be measured of."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    rows, columns = np.mgrid[0:256, 0:256]
    with VideoWriter(path, width=256, height=256, fps=Fraction(24)) as writer:
        for number in range(48):
            wave = 128 + 60 * np.sin((rows + 3 * number) / 9) + 50 * np.cos(columns / 7)
            writer.write(np.repeat(wave[..., None], 3, axis=2).astype(np.uint8))
    return path


@needs_shell
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("generate ball -o out/a.mp4", 8),
        ("stamp {clip} -o out/a.mp4", 8),
        ("audit {clip} --only credentials --report out/a.html", 4),
        ("classifier score {clip} --picture out/a.png", 4),
        ("watermark make-samples {clip} --out out --rounds 1", 4),
        ("watermark calibrate {clip} --trials 2 --keys 1 --plot out/a.png", 4),
        ("generator draw-clips --out out --clips 1", 4),
        ("keys rotate", 7),
    ],
)
def test_what_may_not_be_written_is_told_and_nothing_of_it_is_left(
    vidigree: Run, textured: Path, tmp_path: Path, arguments: str, code: int
) -> None:
    if "--plot" in arguments:
        pytest.importorskip("matplotlib")
    (tmp_path / "out").mkdir()
    words = [word.format(clip=textured) for word in arguments.split()]
    done = vidigree(*words, cwd=tmp_path, prefix=limited("-f 0"))
    assert done.code == code, done.err
    lines = done.err.splitlines()
    own = [line for line in lines if "font_manager" not in line]  # matplotlib keeps no cache either
    assert len(own) == 1
    assert own[0].startswith("vidigree: ")
    assert [path.name for path in tmp_path.rglob("*")] == ["out"]


def test_samples_below_a_file_are_refused_in_one_line(vidigree: Run, textured: Path) -> None:
    done = vidigree("watermark", "make-samples", textured, "--out", textured / "x")
    assert (done.code, len(done.err.splitlines())) == (4, 1)
    assert "x cannot be written: Not a directory" in done.err


# --- files, processes and threads ---


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "too few open files (ulimit -n)."),
        (OSError(errno.ENFILE, "Too many open files in system"), "too few open files."),
        (BlockingIOError(errno.EAGAIN, "Try again"), "too few processes or threads (ulimit -u)."),
        (RuntimeError("can't start new thread"), "too few processes or threads (ulimit -u)."),
    ],
)
def test_what_the_system_does_not_allow_is_no_defect(
    error: Exception,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli._vidigree, "main", refused)
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", "a.mp4"])
    assert ended.value.code == 1
    line = f"vidigree: The system allows {words} End some, or raise the limit.\n"
    assert capsys.readouterr().err == line


@needs_shell
def test_too_few_files_for_processes_are_told(
    vidigree: Run, textured: Path, tmp_path: Path
) -> None:
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(textured, tmp_path / name)
    words = ["audit", tmp_path, "--jobs", "2", "--only", "credentials"]
    done = vidigree(*words, prefix=limited("-n 9"))
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "too few open files (ulimit -n)" in done.err


# --- standard streams ---

CLOSED = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")


@needs_shell
def test_closed_streams_lose_what_is_said_and_nothing_else(
    vidigree: Run, textured: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.jsonl"
    words = ["--only", "credentials", "-o", out, "--report", tmp_path / "a.html"]
    assert vidigree("audit", textured, *words, prefix=CLOSED).code == 0
    assert [json.loads(line)["finding"] for line in out.read_text("utf-8").splitlines()] == [
        "no-evidence"
    ]
    assert (tmp_path / "a.html").read_bytes().startswith(b"<!")
    assert vidigree("audit", tmp_path / "missing.mp4", prefix=CLOSED).code == 3
    assert vidigree("audit", "-", prefix=CLOSED).code == 3


@needs_shell
def test_no_file_gets_the_number_of_a_closed_stream(vidigree_environment: dict[str, str]) -> None:
    code = (
        "import os\nfrom vidigree import cli\n"
        "def look(*_, **__):\n"
        "    assert os.open(os.devnull, os.O_RDONLY) > 2\n"
        "    assert all(os.get_inheritable(number) for number in range(3))\n"
        "    return 5\n"
        "cli._vidigree.main = look\ncli.main([])"
    )
    done = subprocess.run(
        [*CLOSED, sys.executable, "-c", code], check=False, env=vidigree_environment
    )
    assert done.returncode == 5


# --- locales ---


def test_names_outside_of_the_locale_are_kept(
    vidigree_environment: dict[str, str], textured: Path, tmp_path: Path
) -> None:
    environment = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    clip = tmp_path / "\u5f71 \u00f6.mp4"
    clip.write_bytes(textured.read_bytes())
    out = [tmp_path / name for name in ("\u00df.csv", "\u00e9.html")]
    command = ["audit", clip, "--only", "credentials", "-o", out[0], "--report", out[1]]
    done = subprocess.run(
        [sys.executable, "-m", "vidigree.cli", *map(str, command)],
        env=vidigree_environment | environment, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(path.stat().st_size for path in out)
    assert "no-evidence" in out[0].read_text("utf-8")
