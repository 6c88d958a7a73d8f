"""Signals: a command that is stopped says so in one line, and nothing partial is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_interrupt_leaves_nothing(
    vidigree_environment: dict[str, str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "vidigree.cli", "generate", "three blue cubes", "-o", "out.mp4",
         "--frames", "240"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env=vidigree_environment,
        # Tests that were started in the background ignore signals, and hand that on.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(1)  # into the drawing and marking
    assert list(tmp_path.glob(".out.*.part.mp4"))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_in_the_middle_of_the_imports_is_no_defect(
    vidigree_environment: dict[str, str], number: signal.Signals, code: int
) -> None:
    heard = 0
    for delay in np.linspace(0.05, 0.4, 15):
        process = subprocess.Popen(
            [sys.executable, "-m", "vidigree.cli", "keys", "show"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=vidigree_environment,
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509
        )  # fmt: skip
        time.sleep(delay)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        # Before main() is reached Python itself answers; after it there is nothing to stop.
        if process.returncode == code:
            heard += 1
            assert len(err.strip().splitlines()) == 1, err
        elif process.returncode == 1:
            assert "KeyboardInterrupt" in err, err
            assert not re.search(r'cli\.py", line \d+, in main', err), err
        else:
            assert process.returncode in (0, -number), err
    assert heard


def test_a_hang_up_that_is_ignored_stays_so(vidigree_environment: dict[str, str]) -> None:
    code = (
        "import signal; from vidigree.cli import _Signals;"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); _Signals();"
        "print(signal.getsignal(signal.SIGHUP).name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env=vidigree_environment,
    )  # fmt: skip
    assert done.stdout == "SIG_IGN\n"


@pytest.mark.slow
def test_an_interrupted_bench_ends_at_once(
    vidigree_environment: dict[str, str], tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "vidigree.cli", "watermark", "bench", "--drawn", "--no-vmaf",
         "--report", "report"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env=vidigree_environment, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (tmp_path / "report" / "jobs").exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(3)  # into the first clip
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers hear it, too
    _, err = process.communicate(timeout=15)
    assert process.returncode == 130, err
    assert "Traceback" not in err, err
    deadline = time.monotonic() + 10
    with pytest.raises(ProcessLookupError):  # what tracks shared memory ends a little later
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.1)
