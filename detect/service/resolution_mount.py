"""Puts the Soft Binding Resolution API beside the audits, on the same ledger and workers."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from vidigree.detect.service.callers import admit, admit_reading, caller_at
from vidigree.detect.service.context import ServiceContext
from vidigree.detect.service.refusals import RefusalError
from vidigree.detect.service.resolution import ResolutionSettings, create_resolution_app
from vidigree.detect.service.resolution_search import ContentSearch

__all__ = ["RESOLUTION_PATH", "mount_resolution"]

RESOLUTION_PATH = "/c2pa/v1"

_READING = {"GET", "HEAD", "OPTIONS"}


def mount_resolution(app: FastAPI, context: ServiceContext) -> None:
    """Mount the API; everybody may ask, nobody may write.

    Args:
        app: The service.
        context: Of the service; its ledger is asked, its workers look at clips.
    """
    settings = context.settings
    search = ContentSearch(
        context.runner.pool.audit,
        context.ledger,
        ledger_url=settings.ledger,
        max_seconds=settings.max_clip_seconds,
    )
    resolution = create_resolution_app(
        context.ledger,
        search,
        ResolutionSettings(
            max_upload_bytes=settings.max_upload_bytes,
            upload_seconds=settings.upload_seconds,
            look_ups=settings.workers,
            max_look_ups=settings.max_queue,
            max_per_address=settings.most_for_address,
            place=context.spool.without_job,
        ),
        on_refusal=context.metrics.refuse,
    )
    app.mount(RESOLUTION_PATH, _Metered(resolution, context))


class _Metered:
    """Counts requests by address: what costs work as audits, reading by a limit of its own."""

    def __init__(self, app: ASGIApp, context: ServiceContext) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            count = admit_reading if scope["method"] in _READING else admit
            try:
                count(caller_at(Request(scope)), self._context)
            except RefusalError as error:
                self._context.metrics.refuse(error.kind)
                answer = JSONResponse(error.to_dict(), error.status, error.headers)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
