"""The C2PA Soft Binding Resolution API 2.4 over the ledger, as an ASGI application to be mounted.

Mount it, e.g. ``app.mount("/c2pa/v1", create_resolution_app(...))``; its own description is at
``openapi.json`` below that path. Everybody may ask by default; writing needs a token with a scope.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vidigree.detect.service.bounded_route import BoundedRoute
from vidigree.detect.service.refusals import RefusalError, allowed_methods
from vidigree.detect.service.resolution_models import SCHEMA_NAMES
from vidigree.detect.service.resolution_queries import add_binding_queries, add_clip_queries
from vidigree.detect.service.resolution_routes import (
    ResolutionRoutes,
    ResolutionSettings,
    add_fetch_routes,
    add_store_routes,
    problems,
)
from vidigree.detect.service.resolution_search import ContentSearch
from vidigree.media.errors import UsageError, VidigreeError
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.ledger.repository import IssuedManifestError

__all__ = ["ResolutionSettings", "create_resolution_app"]


def create_resolution_app(
    ledger: Ledger,
    search: ContentSearch,
    settings: ResolutionSettings | None = None,
    *,
    on_refusal: Callable[[str], None] | None = None,
) -> FastAPI:
    """Return the API as an ASGI application.

    Args:
        ledger: Whose clips are found; stays open as long as the application is used.
        search: Looks at clips.
        settings: Of the API; ``None`` for the defaults.
        on_refusal: Told of every refusal, by its kind.
    """
    settings = settings or ResolutionSettings()
    app = FastAPI(
        title="C2PA Soft Binding Resolution API",
        version="2.3.0",
        description="Finds C2PA manifests of clips whose metadata is gone. Version 2.4 of the"
        " specification; its OpenAPI document has the version 2.3.0.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems(400, 401, 403, 500),
    )
    app.router.route_class = BoundedRoute
    app.state.on_refusal = on_refusal
    app.state.routes = ResolutionRoutes(ledger, search, settings)
    add_binding_queries(app, app.state.routes)
    add_clip_queries(app, app.state.routes)
    add_store_routes(app, app.state.routes)
    add_fetch_routes(app, app.state.routes)
    app.add_exception_handler(RefusalError, _refuse)
    app.add_exception_handler(RequestValidationError, _report_invalid)
    app.add_exception_handler(HTTPException, _report_http)
    app.add_exception_handler(VidigreeError, _report)
    plain = app.openapi
    app.openapi = lambda: _with_spec_names(plain)  # type: ignore[method-assign]
    return app


def _with_spec_names(plain: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the OpenAPI document with the specification's schema names and refusals."""
    text = json.dumps(plain())
    for ours, theirs in SCHEMA_NAMES.items():
        text = text.replace(f'"#/components/schemas/{ours}"', f'"#/components/schemas/{theirs}"')
    document: dict[str, Any] = json.loads(text)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["components"]["schemas"] = {
        SCHEMA_NAMES.get(name, name): schema for name, schema in schemas.items()
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)  # told as 400 here
    return document


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)  # noqa: S101 - registered for nothing else
    if (tell := request.app.state.on_refusal) is not None:
        tell(error.kind)
    return JSONResponse(error.to_dict(), status_code=error.status, headers=error.headers)


async def _report_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    first = error.errors()[0]
    where = ".".join(str(part) for part in first.get("loc", ()))[:200]
    refusal = RefusalError(400, "InvalidRequest", f"{where}: {first.get('msg', 'not valid')}.")
    return await _refuse(request, refusal)


async def _report_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    refusal = RefusalError(error.status_code, "HttpError", str(error.detail))
    answer = await _refuse(request, refusal)
    answer.headers.update(error.headers or {})
    if error.status_code == 405:
        answer.headers.update(allowed_methods(request.app.routes, request.scope))
    return answer


async def _report(request: Request, error: Exception) -> Response:
    if isinstance(error, IssuedManifestError):
        refusal = RefusalError(403, "Issued", error.message)
    elif isinstance(error, UsageError):
        refusal = RefusalError(400, "InvalidRequest", error.message, hint=error.hint)
    else:  # the database: its details are not for strangers
        refusal = RefusalError(500, "Unavailable", "The service cannot do it just now.")
    return await _refuse(request, refusal)
