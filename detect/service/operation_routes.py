"""For operators: is it alive, how is it doing, what are its limits."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from vidigree import __version__
from vidigree.detect.policy import POLICY_NAMES
from vidigree.detect.service.context import context_of
from vidigree.detect.service.metrics import METRICS_CONTENT_TYPE
from vidigree.detect.service.openapi_texts import (
    HEALTH_RESPONSES,
    METRICS_RESPONSES,
    SERVICE_RESPONSES,
)
from vidigree.detect.wording import LANGUAGES
from vidigree.media.errors import VidigreeError

__all__ = ["router"]

router = APIRouter(tags=["operation"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", responses=HEALTH_RESPONSES, summary="Whether the service can do its work")
async def health(request: Request) -> Response:
    """Answer 200 if database, workers and the spool folder are there, else 503."""
    context = context_of(request)
    try:
        jobs = await asyncio.to_thread(context.jobs.count)
    except VidigreeError:
        return JSONResponse({"status": "database-unreachable"}, status_code=503)
    if not context.runner.alive:
        return JSONResponse({"status": "workers-gone"}, status_code=503)
    if not await asyncio.to_thread(lambda: context.spool.usable):
        return JSONResponse({"status": "spool-unusable"}, status_code=503)
    waiting = sum(jobs.get(state, 0) for state in ("receiving", "queued", "running"))
    return JSONResponse({"status": "ok", "version": __version__, "unfinished_jobs": waiting})


@router.head("/metrics", include_in_schema=False)
@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=METRICS_RESPONSES,
    summary="Measurements for Prometheus",
)
async def metrics(request: Request) -> Response:
    """Return counts and durations in the Prometheus text format."""
    context = context_of(request)
    jobs = await asyncio.to_thread(context.jobs.count)
    return Response(context.metrics.render(jobs), media_type=METRICS_CONTENT_TYPE)


@router.head("/v1/service", include_in_schema=False)
@router.get(
    "/v1/service", responses=SERVICE_RESPONSES, summary="What the service offers, and its limits"
)
async def service(request: Request) -> dict[str, Any]:
    """Return what a client needs to know before it sends a clip."""
    settings = context_of(request).settings
    return {
        "version": __version__,
        "key_required": settings.require_key,
        "max_upload_bytes": settings.max_upload_bytes,
        "max_clip_seconds": settings.max_clip_seconds,
        "wait_seconds": settings.wait_seconds,
        "layers": list(settings.layers),
        "languages": list(LANGUAGES),
        "policies": list(POLICY_NAMES),
    }
