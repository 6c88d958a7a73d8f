"""The child process of :mod:`vidigree.detect.isolation`: audits what it is told, within rlimits.

Run as ``python -m vidigree.detect.worker``. Reads one JSON job a line from standard input, writes
lines of progress and then one JSON answer a line to the original standard output; everything else
that prints goes to standard error, so that a chatty library cannot break the protocol.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

from vidigree.detect.fetching import FetchLimits, local_copy
from vidigree.detect.inputs import is_url
from vidigree.detect.open_ledgers import OpenLedgers
from vidigree.detect.policy import load_policy
from vidigree.detect.settings import AuditSettings
from vidigree.detect.verdict import SCHEMA_VERSION, Verdict
from vidigree.media.errors import MediaError, VidigreeError
from vidigree.media.memory import is_out_of_memory
from vidigree.media.progress import Progress, no_progress

__all__ = ["audit_job", "error_row", "main", "perform", "renamed"]


def perform(
    job: dict[str, Any],
    *,
    progress: Progress = no_progress,
    ledgers: OpenLedgers | None = None,
) -> dict[str, Any]:
    """Audit one clip; an error becomes an answer too.

    Args:
        job: ``name``, ``settings``, ``fetch``, ``language``, ``show_personal``, ``policy`` and
            ``pictures``, as :mod:`vidigree.detect.isolation` writes them.
        progress: Told of every layer.
        ledgers: Ledgers that stay open from one job to the next.

    Returns:
        ``row`` in the published JSON form, ``exit_code``, and ``pictures`` for a report.
    """
    try:
        return audit_job(job, progress, ledgers)
    except VidigreeError as error:
        row = error_row(str(job["name"]), error, job.get("policy"))
        return {"row": row, "exit_code": error.exit_code, "pictures": []}


def audit_job(
    job: dict[str, Any], progress: Progress = no_progress, ledgers: OpenLedgers | None = None
) -> dict[str, Any]:
    """Audit one clip. Takes and returns what :func:`perform` does.

    Raises:
        VidigreeError: The clip cannot be fetched or read.
    """
    from vidigree.detect.audit import audit

    name = str(job["name"])
    settings = AuditSettings.from_dict(job["settings"])
    with local_copy(name, FetchLimits(**job["fetch"])) as path:
        verdict = audit(path, settings=settings, progress=progress, ledgers=ledgers)
        pictures = _pictures(path, int(job.get("pictures") or 0))
    row = _row(verdict, name, job)
    if is_url(name):  # why a layer could not look may name the copy
        row = renamed(row, str(path), name)
    if job.get("policy"):
        row["decision"] = load_policy(job["policy"]).decide(verdict).to_dict()
    return {"row": row, "exit_code": verdict.exit_code, "pictures": pictures}


def renamed(value: Any, old: str, new: str) -> Any:
    """Return JSON values with one name in the place of another, in texts at any depth."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {key: renamed(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, old, new) for item in value]
    return value


def error_row(name: str, error: VidigreeError, policy: str | None = None) -> dict[str, Any]:
    """Return the published JSON form of a file that could not be audited.

    Args:
        name: Path or URL of the file.
        error: Why.
        policy: Name or path of the policy that says what to do with it; ``None`` for none.
    """
    row: dict[str, Any] = {
        "schema": f"vidigree-verdict/{SCHEMA_VERSION}",
        "file": name,
        "error": {
            "kind": type(error).__name__,
            "message": error.message,
            "hint": error.hint,
            "exit_code": error.exit_code,
        },
    }
    if policy:
        row["decision"] = load_policy(policy).decide_unreadable().to_dict()
    return row


def main() -> None:
    """Answer jobs until standard input closes."""
    limits = json.loads(sys.stdin.readline())
    _limit(limits)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr), OpenLedgers() as ledgers:
            _serve(sys.stdin, answers, ledgers)
    finally:  # whoever gave us the folder may be gone
        if limits.get("folder"):
            shutil.rmtree(limits["folder"], ignore_errors=True)


def _serve(jobs: TextIO, answers: TextIO, ledgers: OpenLedgers) -> None:
    def write(row: dict[str, Any]) -> None:
        answers.write(json.dumps(row, ensure_ascii=True, allow_nan=False) + "\n")
        answers.flush()

    def report(step: str, done: int, total: int | None) -> None:
        write({"progress": [step, done, total]})

    for line in jobs:
        try:
            answer = perform(json.loads(line), progress=report, ledgers=ledgers)
        except Exception as error:  # noqa: BLE001 - told to the caller
            if is_out_of_memory(error):
                # The parent tells the caller and starts a fresh process: this one may be damaged.
                sys.exit(_OUT_OF_MEMORY)
            answer = _unexpected(json.loads(line), error)
            # For whoever runs the worker; the parent takes it out of the answer.
            answer["traceback"] = _traceback(error)
        write(answer)


def _unexpected(job: dict[str, Any], error: Exception) -> dict[str, Any]:
    """Return the answer for an error that nobody foresaw; it is told, never hidden."""
    name = str(job["name"])
    if isinstance(error, OSError):  # a limit on files was hit, or the disk is full
        told: VidigreeError = MediaError(
            f"{name} could not be audited: {error.strerror or error}.",
            hint="Check the room for temporary files, or raise the limit.",
        )
    else:
        told = VidigreeError(
            f"{name}: unexpected error, which is a defect of vidigree: {type(error).__name__}.",
            hint="Audit the file alone with --debug and report what it prints.",
        )
    row = error_row(name, told, job.get("policy"))
    return {"row": row, "exit_code": told.exit_code, "pictures": []}


def _traceback(error: Exception) -> str:
    """Return the traceback, or its last lines, each as far as it is not too long.

    None loses its beginning: of a URL without it, whoever takes URLs out would not know the rest.
    """
    lines = "".join(traceback.format_exception(error)).splitlines()
    kept = [f"{line[:_LONGEST_LINE]}\n" for line in lines[-_MOST_LINES:]]
    return "".join(kept)


_OUT_OF_MEMORY = 77
_LONGEST_LINE = 2 << 10  # characters
_MOST_LINES = 100  # the last ones say most


def _row(verdict: Verdict, name: str, job: dict[str, Any]) -> dict[str, Any]:
    row = verdict.to_dict(language=job["language"], show_personal=job["show_personal"])
    row["file"] = name
    return row


def _pictures(path: Path, count: int) -> list[dict[str, Any]]:
    if not count:
        return []
    from vidigree.detect.pictures import thumbnails

    return [picture.to_dict() for picture in thumbnails(path, count)]


def _limit(limits: dict[str, Any]) -> None:
    """Lower this process's own limits; they cannot be raised again."""
    try:
        import resource
    except ModuleNotFoundError:  # not on Windows; the parent's time-out still holds
        return
    for kind, wished in (
        (resource.RLIMIT_AS, limits.get("max_memory_bytes")),
        (resource.RLIMIT_FSIZE, limits.get("max_file_bytes")),
    ):
        _, hard = resource.getrlimit(kind)
        if wished:  # whoever started us may have set a lower one
            most = wished if hard == resource.RLIM_INFINITY else min(wished, hard)
            try:
                resource.setrlimit(kind, (most, most))
            except ValueError:
                # macOS takes no limit of the address space below what it maps into any process.
                if sys.platform != "darwin" or kind != resource.RLIMIT_AS:
                    raise
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
