"""The routes of the resolution API that look for manifests; their docstrings are for users, too."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request

from vidigree.detect.fetching import FetchLimits, http_parts
from vidigree.detect.service.callers import address_of
from vidigree.detect.service.receiving import receive
from vidigree.detect.service.refusals import RefusalError
from vidigree.detect.service.resolution_models import (
    Algorithm,
    AlgorithmList,
    AssetReference,
    QueryResult,
    SoftBindingQuery,
)
from vidigree.detect.service.resolution_routes import ResolutionRoutes, binary, problems
from vidigree.detect.service.resolution_search import FINGERPRINT_ALGORITHM
from vidigree.watermark.credentials import SOFT_BINDING_ALGORITHM

__all__ = ["add_binding_queries", "add_clip_queries"]

MaxResults = Annotated[int, Query(ge=1, le=1_000_000, alias="maxResults")]
Text = Annotated[str | None, Query(max_length=256)]
HintValue = Annotated[str | None, Query(alias="hintValue", max_length=8192)]
HintAlg = Annotated[str | None, Query(alias="hintAlg", max_length=256)]

_LONGEST_IN_URL = 8192
_ASSET_TYPES = ("video/", "image/gif", "application/octet-stream")
_SHOWN: dict[str, Any] = {"response_model_exclude_none": True, "tags": ["query"]}


def add_binding_queries(app: FastAPI, routes: ResolutionRoutes) -> None:
    """Add the routes that look for manifests by a soft binding, and the list of its algorithms."""

    @app.head("/matches/byBinding", include_in_schema=False, **_SHOWN)
    @app.get(
        "/matches/byBinding", operation_id="queryByBinding", responses=problems(414, 429), **_SHOWN
    )
    async def query_by_binding(
        request: Request,
        value: str,
        alg: Annotated[str, Query(min_length=1, max_length=256)],
        max_results: MaxResults = 10,
    ) -> QueryResult:
        """Find manifests by a soft binding."""
        routes.require(request, "fetch:manifests")
        if len(value) > _LONGEST_IN_URL:
            raise RefusalError(414, "TooLong", "The value is too long.", hint="Use POST.")
        return await routes.by_binding(alg, value, max_results)

    @app.post(
        "/matches/byBinding", operation_id="queryByLargeBinding",
        responses=problems(408, 413, 429), **_SHOWN,
    )  # fmt: skip
    async def query_by_large_binding(
        request: Request, query: SoftBindingQuery, max_results: MaxResults = 10
    ) -> QueryResult:
        """Find manifests by a soft binding of any length."""
        routes.require(request, "fetch:manifests")
        return await routes.by_binding(query.alg, query.value, max_results)

    @app.head("/services/supportedAlgorithms", include_in_schema=False)
    @app.get(
        "/services/supportedAlgorithms",
        operation_id="getSupportedBindings",
        tags=["service"],
        responses=problems(429),
    )
    async def supported() -> AlgorithmList:
        """List the algorithms that can be asked for."""
        return AlgorithmList(
            watermarks=[Algorithm(alg=SOFT_BINDING_ALGORITHM)],
            fingerprints=[Algorithm(alg=FINGERPRINT_ALGORITHM)],
        )


def add_clip_queries(app: FastAPI, routes: ResolutionRoutes) -> None:
    """Add the routes that look for manifests by a clip."""
    body = {"requestBody": {"required": True, "content": binary("video/*")}}

    @app.post(
        "/matches/byContent", operation_id="uploadFile", openapi_extra=body,
        responses=problems(408, 413, 415, 429, 507), **_SHOWN,
    )  # fmt: skip
    async def upload_file(
        request: Request,
        alg: Text = None,
        max_results: MaxResults = 10,
        hint_alg: HintAlg = None,
        hint_value: HintValue = None,
    ) -> QueryResult:
        """Find manifests by a clip. It is deleted again before the answer is given."""
        routes.require(request, "fetch:manifests")
        kind = request.headers.get("content-type", "").lower()
        if not kind.startswith(_ASSET_TYPES):
            raise RefusalError(415, "WrongContentType", "Only videos are looked at.")
        async with routes.look_ups.place(address_of(request)):
            with routes.settings.place() as path:
                await receive(request, path, routes.settings.uploads)
                hint = (hint_alg, hint_value)
                return await routes.by_content(str(path), alg, hint, max_results)

    @app.post(
        "/matches/byReference", operation_id="queryByReference",
        responses=problems(408, 413, 429), **_SHOWN,
    )  # fmt: skip
    async def query_by_reference(  # noqa: PLR0917 - the query's parameters
        request: Request,
        reference: AssetReference,
        alg: Text = None,
        max_results: MaxResults = 10,
        hint_alg: HintAlg = None,
        hint_value: HintValue = None,
    ) -> QueryResult:
        """Find manifests by a clip at a public HTTPS address."""
        routes.require(request, "fetch:manifests")
        limits = _fetch_limits(reference, routes)
        hint = (hint_alg, hint_value)
        async with routes.look_ups.place(address_of(request)):
            return await routes.by_content(reference.referenceUrl, alg, hint, max_results, limits)


def _fetch_limits(reference: AssetReference, routes: ResolutionRoutes) -> FetchLimits:
    """Return the limits that a reference is fetched within.

    Raises:
        RefusalError: It is none that would be fetched.
        UsageError: Its URL is not one.
    """
    settings = routes.settings
    if reference.region:
        raise RefusalError(400, "NoRegions", "Regions of interest are not supported.")
    if reference.assetType and not reference.assetType.lower().startswith(_ASSET_TYPES):
        raise RefusalError(400, "WrongAssetType", "Only videos are looked at.")
    if reference.assetLength > settings.max_upload_bytes:
        raise RefusalError(400, "TooLarge", f"Up to {settings.max_upload_bytes} bytes are fetched.")
    http_parts(reference.referenceUrl)  # what is no URL costs no worker
    return replace(settings.fetch, max_bytes=reference.assetLength)
