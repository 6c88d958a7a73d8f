"""Every line that a service writes to standard error is JSON, whoever wrote it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from vidigree.detect.service.journal import JsonLines, without_places

NOISE = """
import asyncio, logging, threading, warnings
from vidigree.detect.service.journal import log_event, log_to_stderr

class Bad:
    def __del__(self):
        raise ValueError("in a destructor")

def fail():
    raise ValueError("in a thread")

async def forget():
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0)

log_to_stderr()
log_event("ours", number=1)
logging.getLogger("sqlalchemy.pool").warning("a library says\\nsomething")
logging.getLogger("uvicorn.error").warning("the server says something")
warnings.warn("a warning")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
Bad()
asyncio.run(forget())
"""


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "VIDIGREE_HOME": str(folder),
    }


def test_whatever_speaks_up_in_the_process_speaks_json(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOISE],
        capture_output=True,
        text=True,
        check=True,
        env=environment(tmp_path),
    )
    rows = [json.loads(line) for line in done.stderr.splitlines()]
    assert rows[0]["event"] == "ours"
    assert "logger" not in rows[0]
    assert {row.get("logger") for row in rows} >= {"sqlalchemy.pool", "py.warnings", "asyncio"}
    assert {"thread-failed", "error-ignored"} <= {row["event"] for row in rows}
    assert sum("ValueError: in a thread" in row.get("exception", "") for row in rows) == 2


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run the command; give the process and the first line of its log."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vidigree.cli", "serve", "--port", "0", "--workers", "1", *options],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(folder),
    )
    try:
        assert process.stderr is not None
        yield process, json.loads(process.stderr.readline())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 0)])
def test_the_log_of_the_command_is_json_to_its_end(
    tmp_path: Path, how: signal.Signals, code: int
) -> None:
    with serving(tmp_path) as (process, first):
        assert first["event"] == "serving"
        assert httpx.get(f"{first['url']}healthz", timeout=30).status_code == 200
        process.send_signal(how)
        _, rest = process.communicate(timeout=30)
    events = [json.loads(line)["event"] for line in rest.splitlines()]
    assert events == ["service-started", "request", "service-stopped"]
    assert process.returncode == code


@pytest.mark.parametrize(
    "told",
    [
        "{}",
        "{!r}",
        "can't contain control characters. '/a \u00e9.mp4?key=o'ne' (found at least ' ')",
        "GET /a%20%C3%A9.mp4?key=o'ne failed",
        "key=o'ne, user:word, media.example",
        "moved to https://other.example/?signature=two",
        "postgresql+psycopg://vidigree:three@localhost/ledger",
    ],
)
def test_errors_say_nothing_of_where_a_clip_is(told: str) -> None:
    url = "https://user:word@media.example/a \u00e9.mp4?key=o'ne"
    text = without_places("ValueError: it " + told.format(url), url)
    assert text.startswith("ValueError: it ")
    for secret in ("ne", "word", "example", "mp4", "two", "three"):
        assert secret not in text


def test_errors_over_a_file_keep_everything_but_its_path() -> None:
    assert without_places("no /a/b in /a/code.py", "/a/b") == "no (the clip) in /a/code.py"
    assert without_places(r"no C:\\a in C:\a", r"C:\a") == "no (the clip) in (the clip)"


def test_exceptions_hold_no_url() -> None:
    try:
        raise ValueError("no postgresql://user:word@host/ledger, no 'https://a.example/?key=one'")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed", (), sys.exc_info())
    told = json.loads(JsonLines().format(record))["exception"]
    assert told.endswith("ValueError: no (a URL) no '(a URL)'")
