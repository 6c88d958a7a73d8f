"""A job as the caller sees it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from vidigree.detect.policy import POLICY_NAMES, load_policy
from vidigree.detect.service.job_store import AuditJob
from vidigree.detect.settings import CHECKED_LAYERS

__all__ = ["JOB_SCHEMA", "job_answer"]

JOB_SCHEMA = "vidigree-job/1.0"
"""Version of the envelope; the verdict in it has its own."""


def job_answer(job: AuditJob, ahead: int) -> dict[str, Any]:
    """Return a job as JSON values.

    Args:
        job: The job.
        ahead: Number of jobs before it in the queue.

    Returns:
        ``state`` is ``"receiving"``, ``"queued"``, ``"running"``, ``"done"`` or ``"failed"``;
        ``verdict`` or ``error`` is there once it is finished, the other is ``None``; ``report``
        is there if it was asked for and the job is done.
    """
    row = dict(job.answer["row"]) if job.answer else {}
    # Of a job that was given up there is nothing to report: nobody looked at its clip.
    report = _report(job) if job.options.report and job.state == "done" else None
    error = row.pop("error", None)
    decision = row.get("decision") or _without_audit(job)
    layer = CHECKED_LAYERS[job.steps_done] if job.steps_done < len(CHECKED_LAYERS) else None
    return {
        "schema": JOB_SCHEMA,
        "id": job.job_id,
        "state": job.state,
        "created_at": _time(job.created_at),
        "finished_at": _time(job.finished_at),
        "progress": {
            "ahead": ahead,
            "done": job.steps_done,
            "total": job.steps_total,
            "layer": layer if job.state == "running" and job.steps_total else None,
        },
        "verdict": row if job.answer and error is None else None,
        "error": error,
        "decision": decision,
        "pictures": job.answer["pictures"] if job.answer else [],
        "report": report,
    }


def _without_audit(job: AuditJob) -> dict[str, Any] | None:
    """Return what the policy says where the service gave up: as for a clip that cannot be read."""
    policy = job.options.policy
    if job.state != "failed" or policy not in POLICY_NAMES:
        return None
    return load_policy(policy).decide_unreadable().to_dict()


def _report(job: AuditJob) -> str:
    """Return the same HTML report that ``vidigree audit --report`` writes."""
    from vidigree.detect.report import render_report

    answer = job.answer or {}
    row = answer["row"]
    counts = Counter([row.get("finding", "error")])
    pieces = render_report([(row, answer["pictures"])], counts, language=job.options.language)
    return "".join(pieces)


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
