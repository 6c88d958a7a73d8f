"""Options of ``vidigree serve`` that mean nothing are refused before anything is started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from vidigree.cli import main
from vidigree.detect.fetching import FetchLimits
from vidigree.detect.isolation import Job, WorkerLimits, WorkerPool
from vidigree.detect.service import app, callers, receiving, server
from vidigree.detect.service.bounded_route import BODY_LIMITS
from vidigree.detect.service.commands import serve
from vidigree.detect.service.resolution import ResolutionSettings
from vidigree.detect.service.settings import ServiceSettings
from vidigree.detect.settings import AuditSettings
from vidigree.media import UsageError

HUGE = "1" + "0" * 30
NOT_UTF8 = os.fsdecode(b"\xff")


@pytest.mark.parametrize(
    "options",
    [
        ["--behind-proxy", "zzz"],
        ["--behind-proxy", ""],
        ["--host", ""],
        ["--allowed-host", ""],
        ["--allowed-host", "*"],
        ["--allowed-host", "https://clips.example.org"],
        ["--allowed-host", "clips.example.org:443"],
        ["--allowed-host", "a", "keys", "list"],
        ["--port", "-1"],
        ["--workers", "0"],
        ["--workers", HUGE],
        ["--max-queue", "0"],
        ["--max-per-address", "0"],
        ["--max-upload-mb", "-1"],
        ["--max-upload-mb", HUGE],
        ["--max-kept-mb", "0"],
        ["--job-seconds", "nan"],
        ["--job-seconds", "inf"],
        ["--worker-memory-mb", "1023"],
        ["--worker-memory-mb", HUGE],
        ["--per-minute", "0"],
        ["--per-minute", HUGE],
        ["--spool", ""],
        ["--ledger", ""],
        ["--ledger", "", "keys", "list"],
        ["--per-minute", "9", "keys", "list"],
        ["--host", "127.0.0.1", "keys", "list"],
        ["keys", "add", ""],
        ["keys", "add", NOT_UTF8],
        ["keys", "add", "a\tb"],
        ["keys", "add", "a", "--per-minute", "0"],
        ["keys", "add", "a", "--per-minute", HUGE],
        ["keys", "revoke", ""],
        ["keys", "revoke", NOT_UTF8],
    ],
)
def test_what_means_nothing_is_refused_in_one_line(
    options: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(settings: ServiceSettings) -> None:
        raise AssertionError(f"started with {settings}")

    monkeypatch.setattr(app, "create_app", start)
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    place = [] if "--port" in options or "keys" in options else ["--port", "0"]
    with pytest.raises(SystemExit) as caught:
        main(["serve", *place, *options])
    out, err = capsys.readouterr()
    assert (caught.value.code, out, err.count("\n")) == (2, "", 1), err
    assert not (tmp_path / "spool-id").exists()


@pytest.mark.parametrize(
    "wish",
    [
        {"workers": 0},
        {"max_per_address": 0},
        {"worker_memory_bytes": -1},
        {"max_attempts": 0},
        {"job_seconds": float("nan")},
        {"wait_seconds": -1.0},
        {"max_clip_seconds": float("inf")},
        {"lease_seconds": 0.5},
        {"lease_seconds": float("nan")},
    ],
)
def test_settings_that_mean_nothing_are_refused(wish: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=next(iter(wish))):
        ServiceSettings(spool=tmp_path, **wish)


def test_a_time_limit_may_be_longer_than_the_system_waits(clip: Path) -> None:
    fast = AuditSettings(layers=("credentials",))
    with WorkerPool(1, WorkerLimits(max_seconds=float("inf"))) as pool:
        answer = pool.audit(Job(name=str(clip), settings=fast))
    assert answer.row["finding"] == "no-evidence"


def test_a_worker_may_write_what_the_service_may_fetch(start_service: Any) -> None:
    service = start_service(max_upload_bytes=9 << 30)
    assert service.context.runner.pool._limits.max_file_bytes == 9 << 30


def test_the_help_and_the_page_tell_the_defaults() -> None:
    settings = ServiceSettings(spool=Path("spool"))
    told = {
        "max_queue": settings.max_queue,
        "max_upload_mb": settings.max_upload_bytes >> 20,
        "max_kept_mb": settings.max_kept_bytes >> 20,
        "job_seconds": int(settings.job_seconds),
        "worker_memory_mb": settings.worker_memory_bytes >> 20,
        "per_minute": settings.per_minute,
    }
    page = (Path(__file__).resolve().parents[3] / "docs" / "service.md").read_text("utf-8")
    for option in serve.params:
        if option.name in told:
            assert f"[default: {told[option.name]}]" in (option.help or "")  # type: ignore[attr-defined]
    for row, value in (
        ("`--max-queue`", f"| {settings.max_queue} |"),
        ("`--max-upload-mb`", f"| {settings.max_upload_bytes >> 30} GiB, "),
        ("`--max-kept-mb`", f"| {settings.max_kept_bytes >> 30} GiB |"),
        ("`--job-seconds`", f"| {settings.job_seconds:.0f} s |"),
        ("`--worker-memory-mb`", f"| {settings.worker_memory_bytes >> 30} GiB |"),
        ("| `--per-minute`", f"| {settings.per_minute} |"),
        ("`serve keys add --per-minute`", f"| {settings.key_per_minute} |"),
    ):
        (line,) = [line for line in page.splitlines() if line.startswith("|") and row in line]
        assert value in line


def test_the_page_tells_the_limits_that_no_option_sets() -> None:
    settings, resolution = ServiceSettings(spool=Path("spool")), ResolutionSettings()
    page = (Path(__file__).resolve().parents[3] / "docs" / "service.md").read_text("utf-8")
    parsed, fetch = BODY_LIMITS, FetchLimits(min_rate=settings.min_fetch_rate)
    for row in (
        "| of these of an address without a key; beyond: 429 | a quarter | `--max-per-address` |",
        "| of these of a key; beyond: 429 | half | |",
        (
            f"| {callers._READINGS_PER_AUDIT} for each audit a minute,"
            f" {callers._READINGS_PER_JOB} for each unfinished job |"
        ),
        f"| head of a request | {server._REQUEST_SECONDS:.0f} s |",
        f"| an answer that is not read | {server._ANSWER_SECONDS:.0f} s |",
        (
            f"| JSON sent to `/c2pa/v1` | {parsed.max_bytes >> 20} MiB, {parsed.max_seconds:.0f} s;"
            f" without a byte {parsed.idle_seconds:.0f} s |"
        ),
        f"| form | {receiving._MOST_PARTS} parts; {receiving._MAX_FIELDS_BYTES >> 10} KiB of",
        f" GiB, {settings.upload_seconds:.0f} s (for `byReference`",
        f" {resolution.fetch.max_seconds} s); without a byte",
        f"; without a byte {settings.idle_seconds:.0f} s, from a URL {fetch.idle_seconds:.0f} s |",
        (
            f"least in each {fetch.idle_seconds:.0f} s, redirects and heads included"
            f" | {settings.min_fetch_rate >> 10} KiB/s |"
        ),
        f"| length of a clip | {(settings.max_clip_seconds or 0) / 3600:.0f} h by its container |",
    ):
        assert row in page, row
