"""``/v1/audits``: send a clip or a URL, get a verdict or a place to ask for it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vidigree.detect.service.callers import Caller, admit, admit_reading, identify
from vidigree.detect.service.context import ServiceContext, context_of
from vidigree.detect.service.job_answer import job_answer
from vidigree.detect.service.job_store import AuditJob
from vidigree.detect.service.openapi_texts import (
    AUDIT_BODY,
    AUDIT_RESPONSES,
    FORGET_RESPONSES,
    JOB_RESPONSES,
    KEYS,
)
from vidigree.detect.service.options import AuditRequest, read_options
from vidigree.detect.service.receiving import UploadLimits, display_name, receive
from vidigree.detect.service.refusals import RefusalError
from vidigree.media.errors import OutputError, VidigreeError

__all__ = ["router"]

router = APIRouter(prefix="/v1/audits", tags=["audits"])


@router.post("", openapi_extra=AUDIT_BODY, responses=AUDIT_RESPONSES, summary="Audit a clip")
async def create_audit(request: Request) -> Response:
    """Audit an upload or a URL.

    The answer is the finished audit if it is ready within the waiting time, else 202 and a job to
    ask for. The upload is deleted as soon as the audit ends.
    """
    context = context_of(request)
    caller = await identify(request, context)
    admit(caller, context)
    job, asked = await _receive(request, context, caller)
    context.runner.wake()
    current = await context.wait(job, asked.wait_seconds)
    if current is None:
        raise RefusalError(503, "JobLost", "The job was deleted while it was waited for.")
    return await _answer(context, current, posted=True)


@router.head("/{job_id}", include_in_schema=False)
@router.get("/{job_id}", openapi_extra=KEYS, responses=JOB_RESPONSES, summary="Ask for an audit")
async def read_audit(request: Request, job_id: str) -> Response:
    """Return where a job stands, with the verdict or the error once it is finished.

    A finished answer is deleted a minute after it was fetched first, or when the time is over
    for which it was asked to be kept, whichever is later.
    """
    context = context_of(request)
    job = await _owned(request, context, job_id)
    return await _answer(context, job, posted=False, fetched=request.method != "HEAD")


@router.delete(
    "/{job_id}",
    status_code=204,
    openapi_extra=KEYS,
    responses=FORGET_RESPONSES,
    summary="Forget an audit",
)
async def delete_audit(request: Request, job_id: str) -> Response:
    """Delete a job, its upload and its answer now."""
    context = context_of(request)
    job = await _owned(request, context, job_id)
    await asyncio.to_thread(_forget, context, job)
    return Response(status_code=204)


async def _receive(
    request: Request, context: ServiceContext, caller: Caller
) -> tuple[AuditJob, AuditRequest]:
    settings = context.settings
    most = settings.most_for_key if caller.key else settings.most_for_address
    job = await context.places.take(caller.name, owner=caller.owner, most=most)
    context.runner.hold(job)
    try:
        return job, await _take_in(request, context, job)
    except BaseException:
        # Whatever went wrong, a caller who went away included: the place is free again.
        await asyncio.shield(asyncio.to_thread(_give_up, context, job))
        raise
    finally:
        context.runner.let_go(job)


async def _take_in(request: Request, context: ServiceContext, job: AuditJob) -> AuditRequest:
    """Receive the body and put the job into the queue."""
    settings = context.settings
    path = context.spool.path(job.job_id)
    limits = UploadLimits(
        max_bytes=settings.max_upload_bytes,
        max_seconds=settings.upload_seconds,
        idle_seconds=settings.idle_seconds,
    )
    received = await receive(request, path, limits)
    context.metrics.received_bytes.inc(received.size)
    asked = read_options(dict(request.query_params) | received.fields, settings)
    if bool(asked.url) == bool(received.size):
        raise RefusalError(
            400,
            "NoClip",
            "Send one clip: a file that is not empty, or a URL.",
            hint="curl -F file=@clip.mp4 .../v1/audits",
        )
    if asked.options.keep_seconds:
        await _room_to_keep(context, job.owner)
    name = asked.url or received.name or display_name(asked.name) or "upload"
    if not asked.url:
        try:
            await asyncio.to_thread(context.spool.settle, job.job_id, name)
        except OSError as error:
            raise OutputError("The upload cannot be kept.") from error
    held = await asyncio.to_thread(
        context.jobs.enqueue, job, name=name, options=asked.options, url=asked.url
    )
    if not held:
        raise RefusalError(
            503, "JobLost", "The service was too busy to hold the job.", retry_after=10
        )
    return asked


async def _room_to_keep(context: ServiceContext, owner: str) -> None:
    room = await asyncio.to_thread(context.jobs.has_room, owner, context.settings.max_kept_bytes)
    if not room:
        raise RefusalError(
            507,
            "NoRoomToKeep",
            "No more answers can be kept just now.",
            hint="Leave out keep=, or delete answers that are kept for you.",
            retry_after=600,
        )


async def _owned(request: Request, context: ServiceContext, job_id: str) -> AuditJob:
    caller = await identify(request, context)
    admit_reading(caller, context)
    job = await asyncio.to_thread(context.jobs.find, job_id)
    # One that was made without a key is for whoever knows its id, which nobody guesses.
    if job is None or job.owner not in {"", caller.owner}:
        raise RefusalError(
            404,
            "NoSuchJob",
            "There is no such job, or its answer was deleted.",
            hint="Answers go a while after they were fetched; send keep=3600 to keep one.",
        )
    return job


async def _answer(
    context: ServiceContext, job: AuditJob, *, posted: bool, fetched: bool = True
) -> Response:
    ahead = await asyncio.to_thread(context.jobs.ahead, job) if job.state == "queued" else 0
    body: dict[str, Any] = await asyncio.to_thread(job_answer, job, ahead)
    headers = {"Location": f"/v1/audits/{job.job_id}"}
    if job.state not in {"done", "failed"}:
        headers["Retry-After"] = "1"
        return JSONResponse(body, status_code=202 if posted else 200, headers=headers)
    at_once = posted and not job.options.keep_seconds  # the caller has it in hand: nothing stays
    if fetched:
        await asyncio.to_thread(_let_answer_go, context, job, at_once=at_once)
    if at_once:
        headers = {}
    if not posted:
        return JSONResponse(body, headers=headers)
    status = 503 if job.state == "failed" else 422 if body["error"] else 200
    return JSONResponse(body, status_code=status, headers=headers)


def _time_left(context: ServiceContext, job: AuditJob) -> float:
    """Return for how many seconds an answer that was fetched stays."""
    kept_until = (job.finished_at or 0.0) + job.options.keep_seconds
    return max(context.settings.linger_seconds, kept_until - time.time())


def _let_answer_go(context: ServiceContext, job: AuditJob, *, at_once: bool) -> None:
    try:
        if at_once:
            context.jobs.delete(job.job_id)
        else:
            context.jobs.expire_soon(job, _time_left(context, job))
    except VidigreeError as error:  # no reason to keep the answer from who waits for it
        context.on_trouble(str(error))


def _give_up(context: ServiceContext, job: AuditJob) -> None:
    try:
        _forget(context, job)
    except VidigreeError as error:  # the lease runs out; the caller is told what came first
        context.on_trouble(str(error))


def _forget(context: ServiceContext, job: AuditJob) -> None:
    # In this order: a database on a disk that the upload filled has no room to delete anything.
    context.spool.delete(job.job_id)
    context.jobs.delete(job.job_id)
