"""One bad clip costs one error: crashes, hangs and greed stay inside their process."""

from __future__ import annotations

import contextlib
import errno
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vidigree.detect import isolation, worker
from vidigree.detect.isolation import Job, WorkerLimits, WorkerPool
from vidigree.detect.settings import AuditSettings

FAST = AuditSettings(layers=("credentials",))


def test_a_pool_audits_and_survives_bad_files(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video " * 99, encoding="utf-8")
    with WorkerPool(1) as pool:
        bad = pool.audit(Job(name=str(tmp_path / "text.mp4"), settings=FAST, policy="platform"))
        good = pool.audit(Job(name=str(clip), settings=FAST, policy="platform", pictures=3))
    assert bad.row["error"]["kind"] == "NotAVideoError"
    assert (bad.exit_code, bad.row["decision"]["row"]) == (3, "unreadable")
    assert good.row["finding"] == "no-evidence"
    assert good.row["decision"]["action"] == "allow"
    assert [picture["time"] for picture in good.pictures] == sorted(
        picture["time"] for picture in good.pictures
    )
    assert len(good.pictures) == 3


SABOTEUR = """
import os, tempfile, time
import cv2
from vidigree.detect import worker

real = worker.perform

def perform(job, **options):
    name = job["name"]
    if name.endswith("crash"):
        os.abort()
    if name.endswith("fetched"):
        with tempfile.TemporaryDirectory(prefix="vidigree-") as folder:
            open(os.path.join(folder, "clip.mp4"), "wb").close()
            os.abort() if "crash" in name else time.sleep(600)
    if name.endswith("hang"):
        time.sleep(600)
    if name.endswith("greed"):
        bytearray(64 << 30)
    if name.endswith("greed in opencv"):
        error = cv2.error("(-4:Insufficient memory)")
        error.code = cv2.Error.StsNoMem
        raise error
    if name.endswith("flood"):
        with open(name, "wb") as stream:
            stream.write(bytes(1 << 20))
    if name.endswith("long answer"):
        return {"row": {"file": name, "told": "x" * (48 << 20)}, "exit_code": 0, "pictures": []}
    if name.endswith("endless answer"):
        return {"row": {"file": name, "told": "x" * (80 << 20)}, "exit_code": 0, "pictures": []}
    if name.endswith("noise"):
        print("noise on standard output", flush=True)
        os.write(1, b"more noise\\n")
    if name.endswith("long bug"):
        raise ValueError(f"over {name}" + "x\\n" * (1 << 20) + "y" * (1 << 20))
    if name.endswith("bug"):
        raise KeyError("a defect")
    if name.endswith("pid"):
        return {"row": {"file": name, "pid": os.getpid()}, "exit_code": 0, "pictures": []}
    return real(job, **options)

worker.perform = perform
worker.main()
"""


@pytest.fixture
def saboteur(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make workers do something terrible for files of certain names."""
    script = tmp_path / "saboteur.py"
    script.write_text(SABOTEUR, encoding="utf-8")
    monkeypatch.setattr(isolation, "_WORKER", (str(script),))


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        ("crash", "brought the decoder down"),
        ("greed", "needs too much memory"),
        ("greed in opencv", "needs too much memory"),
        ("endless answer", "needs too much memory"),
        pytest.param("hang", "takes longer than 12 s", marks=pytest.mark.slow),
    ],
)
def test_a_terrible_clip_costs_one_error(deed: str, says: str, clip: Path, saboteur: None) -> None:
    limits = WorkerLimits(max_seconds=12 if deed == "hang" else 120, max_memory_bytes=6 << 30)
    with WorkerPool(1, limits) as pool:
        before = time.monotonic()
        bad = pool.audit(Job(name=f"/{deed}", settings=FAST))
        assert time.monotonic() - before < 110
        good = pool.audit(Job(name=str(clip), settings=FAST))
    assert says in bad.row["error"]["message"]
    assert bad.exit_code == 3
    assert good.row["finding"] == "no-evidence"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_what_a_crashed_worker_had_fetched_is_deleted(temporary: Path, saboteur: None) -> None:
    """Once every clip behind a URL that crashed the decoder stayed on the disk for ever."""
    with WorkerPool(1) as pool:
        answer = pool.audit(Job(name="/crash fetched", settings=FAST))
        assert "error" in answer.row
        assert list(temporary.rglob("clip.mp4")) == []
    assert list(temporary.iterdir()) == []


def test_what_is_being_fetched_when_a_pool_is_closed_is_deleted(
    temporary: Path, saboteur: None
) -> None:
    with ThreadPoolExecutor(1) as threads, WorkerPool(1) as pool:
        asked = threads.submit(pool.audit, Job(name="/fetched", settings=FAST))
        until(lambda: any(temporary.rglob("clip.mp4")))
        pool.close()
        assert "error" in asked.result(timeout=30).row
    assert list(temporary.iterdir()) == []


def test_a_worker_that_can_have_no_folder_works_all_the_same(
    saboteur: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(**_: str) -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "mkdtemp", make)
    with WorkerPool(1) as pool:
        assert pool.audit(Job(name="/bug", settings=FAST)).row["error"]["kind"] == "VidigreeError"


def test_a_worker_whose_parent_is_gone_leaves_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    subprocess.run(
        [sys.executable, *isolation._WORKER],
        input=f'{{"folder": "{folder}"}}\n'.encode(),
        check=True,
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert not folder.exists()


def test_a_worker_may_not_write_without_end(tmp_path: Path, clip: Path, saboteur: None) -> None:
    path = tmp_path / "flood"
    with WorkerPool(1, WorkerLimits(max_file_bytes=1000)) as pool:
        answer = pool.audit(Job(name=str(path), settings=FAST))
    assert answer.exit_code == 3
    assert path.stat().st_size <= 1000


def test_a_long_answer_comes_whole(saboteur: None) -> None:
    with WorkerPool(1) as pool:
        answer = pool.audit(Job(name="/long answer", settings=FAST))
    assert len(answer.row.get("told", "")) == 48 << 20


def test_noise_does_not_break_the_protocol(saboteur: None) -> None:
    with WorkerPool(1) as pool:
        answer = pool.audit(Job(name="/noise", settings=FAST))
    assert answer.row["error"]["kind"] == "MediaNotFoundError"


def test_what_a_worker_says_is_told(saboteur: None) -> None:
    said: list[str] = []
    with WorkerPool(1, on_output=said.append) as pool:
        pool.audit(Job(name="/noise", settings=FAST))
    deadline = time.monotonic() + 10
    while len(said) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert said == ["noise on standard output", "more noise"]


def test_the_traceback_of_a_defect_is_told_in_one_piece_and_not_in_the_answer(
    saboteur: None,
) -> None:
    said: list[str] = []
    traced: list[tuple[Job, str]] = []
    with WorkerPool(
        1, on_output=said.append, on_unexpected=lambda *two: traced.append(two)
    ) as pool:
        answer = pool.audit(Job(name="/bug", settings=FAST))
        pool.audit(Job(name="/noise", settings=FAST))
    ((job, told),) = traced
    assert job.name == "/bug"
    assert told.startswith("Traceback (most recent call last):\n")
    assert told.endswith("KeyError: 'a defect'\n")
    assert not any("Traceback" in line or "a defect" in line for line in said)
    assert "Traceback" not in str(answer)
    assert "'a defect'" not in str(answer)


def test_a_long_traceback_keeps_its_end_and_the_beginnings_of_its_lines(saboteur: None) -> None:
    traced: list[str] = []
    with WorkerPool(1, on_unexpected=lambda _, told: traced.append(told)) as pool:
        pool.audit(Job(name="/long bug", settings=FAST))
    assert traced[0] == "x\n" * 99 + "y" * (2 << 10) + "\n"


def test_where_nobody_asks_a_traceback_goes_to_standard_error(
    saboteur: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with WorkerPool(1) as pool:
        pool.audit(Job(name="/bug", settings=FAST))
    assert capsys.readouterr().err.endswith("KeyError: 'a defect'\n")


def test_workers_work_at_the_same_time_and_are_reused(saboteur: None) -> None:
    with WorkerPool(2) as pool:
        with ThreadPoolExecutor(8) as threads:
            jobs = [Job(name=f"/{number}pid", settings=FAST) for number in range(16)]
            answers = list(threads.map(pool.audit, jobs))
        assert [answer.row["file"] for answer in answers] == [job.name for job in jobs]
        assert len({answer.row["pid"] for answer in answers}) <= 2


def test_closing_ends_the_processes(saboteur: None) -> None:
    with WorkerPool(1) as pool:
        pid = pool.audit(Job(name="/pid", settings=FAST)).row["pid"]
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()


def test_a_clip_called_like_a_module_is_not_run(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Auditing a folder of uploads from inside it must not import what lies there."""
    for name in ("json", "re", "numpy", "vidigree"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hijacked')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with WorkerPool(1) as pool:
        answer = pool.audit(Job(name=str(clip), settings=FAST))
    assert answer.row["finding"] == "no-evidence"


def test_a_defect_is_not_blamed_on_the_clip(clip: Path, saboteur: None) -> None:
    with WorkerPool(1) as pool:
        answer = pool.audit(Job(name="/bug", settings=FAST, policy="platform"))
        good = pool.audit(Job(name=str(clip), settings=FAST))
    assert answer.row["decision"]["action"] == "block"
    assert "defect of vidigree: KeyError" in answer.row["error"]["message"]
    assert answer.exit_code == 1
    assert good.row["finding"] == "no-evidence"


def test_closing_wakes_who_waits_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a pipe was closed under its reader, which then waited for its whole time limit."""
    monkeypatch.setattr(isolation, "_WORKER", ("-S", "-c", "import time; time.sleep(250)"))
    with ThreadPoolExecutor(1) as threads:
        for _ in range(30):
            pool = WorkerPool(1)
            asked = threads.submit(pool.audit, Job(name="clip.mp4", settings=FAST))
            time.sleep(0.05)
            pool.close()
            assert "error" in asked.result(timeout=100).row


def test_closing_wakes_who_waits_for_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each of them had a new process started after all had been ended."""
    monkeypatch.setattr(isolation, "_WORKER", ("-S", "-c", "import time; time.sleep(250)"))
    pool = WorkerPool(1, WorkerLimits(max_seconds=15))
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(pool.audit, Job(name="clip.mp4", settings=FAST)) for _ in range(3)]
        time.sleep(0.5)
        before = time.monotonic()
        pool.close()
        assert all("error" in one.result(timeout=100).row for one in asked)
    assert time.monotonic() - before < 10


@pytest.mark.parametrize("platform", ["darwin", "linux"])
def test_a_limit_of_memory_that_cannot_be_set_is_passed_over_on_macos_alone(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS refuses every useful limit of the address space; its other limits must hold."""
    held: list[int] = []

    def setrlimit(kind: int, limits: tuple[int, int]) -> None:
        if kind == resource.RLIMIT_AS:
            raise ValueError("current limit exceeds maximum limit")
        held.append(kind)

    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    monkeypatch.setattr(worker.sys, "platform", platform)
    refused = (
        contextlib.nullcontext()
        if platform == "darwin"
        else pytest.raises(ValueError, match="exceeds")
    )
    with refused:
        worker._limit({"max_memory_bytes": 6 << 30, "max_file_bytes": 1 << 30})
    assert held == ([resource.RLIMIT_FSIZE, resource.RLIMIT_CORE] if platform == "darwin" else [])
