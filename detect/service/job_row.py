"""A job as the database has it, and what of it cannot be read."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, cast

import sqlalchemy as sa

from vidigree.detect.policy import POLICY_NAMES
from vidigree.detect.settings import CHECKED_LAYERS
from vidigree.detect.wording import LANGUAGES

__all__ = ["ILLEGIBLE", "AuditJob", "JobOptions", "JobState", "failure", "job_of"]

JobState = Literal["receiving", "queued", "running", "done", "failed"]


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What the caller asked for.

    Attributes:
        language: Language of the words.
        pictures: Number of thumbnails.
        policy: Name of a policy; ``None`` for none.
        layers: Layers to look at; empty for all that the service looks at.
        report: Whether to send the HTML report along.
        keep_seconds: How long after the audit an answer that was fetched stays; 0 for no longer
            than it takes to fetch it.
    """

    language: str = "en"
    pictures: int = 0
    policy: str | None = None
    layers: tuple[str, ...] = ()
    report: bool = False
    keep_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class AuditJob:
    """One job, as the database has it.

    Attributes:
        job_id: Random 128 bits in hex; whoever knows it may ask for the answer.
        state: Where it stands.
        created_at: Seconds since 1970.
        started_at: Seconds since 1970; ``None`` before.
        finished_at: Seconds since 1970; ``None`` before.
        lease: Token of whoever works on it.
        attempts: How often it was taken up.
        spool: Id of the spool folder that holds the upload; empty for a URL.
        url: Where the clip lies; empty for an upload.
        name: What the caller calls the clip.
        owner: Public id of the API key; empty without one.
        options: What was asked for.
        step: Layer that is being looked at.
        steps_done: Number of layers that are finished.
        steps_total: Number of layers; 0 if not known yet.
        answer: ``row`` and ``pictures`` of a finished job; ``None`` before.
        legible: Whether options and answer could be read.
        of_newer: Whether the options ask for what this version does not know.
    """

    job_id: str
    state: JobState
    created_at: float
    started_at: float | None
    finished_at: float | None
    lease: str | None
    attempts: int
    spool: str
    url: str
    name: str
    owner: str
    options: JobOptions
    step: str
    steps_done: int
    steps_total: int
    answer: dict[str, Any] | None
    legible: bool = True
    of_newer: bool = False


def failure(message: str) -> dict[str, Any]:
    """Return the answer of a job that the service could not do."""
    error = {
        "kind": "ServiceError",
        "message": message,
        "hint": "Send the clip again later.",
        "exit_code": 1,
    }
    return {"row": {"error": error}, "pictures": []}


_NAMES = tuple(field.name for field in fields(JobOptions))

ILLEGIBLE = failure("The job is damaged, or another version of the service wrote it.")
"""The answer of a job that cannot be read."""


def _options(text: str) -> tuple[JobOptions, bool]:
    """Return the options that this version knows, and whether there are others."""
    row = dict(json.loads(text))
    row["layers"] = tuple(row["layers"])
    known = {name: row.pop(name) for name in _NAMES if name in row}
    options = JobOptions(**known)
    understood = (
        not row
        and options.language in LANGUAGES
        and options.policy in (None, *POLICY_NAMES)
        and set(options.layers) <= set(CHECKED_LAYERS)
    )
    if options.language not in LANGUAGES:  # a report is written in one of ours
        options = replace(options, language=LANGUAGES[0])
    return options, not understood


def job_of(row: sa.Row[Any]) -> AuditJob:
    """Return the job in a row of the table; one that cannot be read is not legible.

    An answer can be read without all the options that a newer version knows.
    """
    state, legible, of_newer = row.state, True, False
    try:
        options, of_newer = _options(row.options)
        answer = json.loads(row.answer) if row.answer else None
    except (ValueError, TypeError, KeyError):
        options, answer, legible = JobOptions(), None, False
        if row.state in {"done", "failed"}:
            state, answer = "failed", ILLEGIBLE
    return AuditJob(
        job_id=row.id,
        state=cast("JobState", state),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        lease=row.lease,
        attempts=row.attempts,
        spool=row.spool,
        url=row.url,
        name=row.name,
        owner=row.owner,
        options=options,
        step=row.step,
        steps_done=row.steps_done,
        steps_total=row.steps_total,
        answer=answer,
        legible=legible,
        of_newer=of_newer,
    )
