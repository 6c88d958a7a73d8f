"""The routes of the resolution API that keep and give manifests, and what all of them share.

What each does is in the docstrings, which users read too.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.requests import Request
from starlette.responses import Response

from vidigree.detect.fetching import FetchLimits
from vidigree.detect.service.look_ups import LookUps
from vidigree.detect.service.receiving import UploadLimits, no_space, receive_body
from vidigree.detect.service.refusals import RefusalError
from vidigree.detect.service.resolution_access import Scope, ScopedTokens
from vidigree.detect.service.resolution_models import (
    Bindings,
    ManifestCreated,
    ManifestReceipt,
    Match,
    Problem,
    QueryResult,
    VerifiedReceipt,
)
from vidigree.detect.service.resolution_receipts import receipt_for, verified_receipt
from vidigree.detect.service.resolution_search import (
    ContentSearch,
    find_by_binding,
)
from vidigree.watermark.credentials.jumbf import active_only
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.ledger.repository import StoredManifestRow

__all__ = [
    "ResolutionRoutes",
    "ResolutionSettings",
    "add_fetch_routes",
    "add_store_routes",
    "binary",
    "problems",
]

_MOST_RESULTS = 100
_STORE_LIMITS = UploadLimits(max_bytes=16 << 20, max_seconds=60.0, idle_seconds=20.0)


@contextmanager
def _temporary_place() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="vidigree-")
    except OSError as error:
        raise no_space(error) from error
    with folder as path:
        yield Path(path) / "asset"


@dataclass(frozen=True, kw_only=True)
class ResolutionSettings:
    """Settings of the resolution API.

    Attributes:
        tokens: Who may do what.
        public_url: Where the API is reached, without a slash at the end; empty to take it from
            each request. Receipts name it.
        max_upload_bytes: Largest asset, uploaded or fetched.
        upload_seconds: Longest time for one upload.
        look_ups: Clips that are looked at at a time.
        max_look_ups: Most clips that come in, wait or are looked at at one time; beyond it the
            answer is 429.
        max_per_address: Most of these of one address.
        place: Gives a path for an upload, and deletes what lies there afterwards.
        fetch: Limits on assets that are named by URL; by default only public HTTPS addresses, and
            a minute.
    """

    tokens: ScopedTokens = field(default_factory=ScopedTokens)
    public_url: str = ""
    max_upload_bytes: int = 512 << 20
    upload_seconds: float = 300.0
    look_ups: int = 2
    max_look_ups: int = 32
    max_per_address: int = 8
    place: Callable[[], AbstractContextManager[Path]] = _temporary_place
    fetch: FetchLimits = field(
        default_factory=lambda: FetchLimits(
            public_only=True, https_only=True, max_seconds=60, min_rate=32 << 10
        )
    )

    @property
    def uploads(self) -> UploadLimits:
        """Limits on one upload."""
        return UploadLimits(
            max_bytes=self.max_upload_bytes, max_seconds=self.upload_seconds, idle_seconds=20.0
        )


class ResolutionRoutes:
    """What the routes share.

    Args:
        ledger: Whose clips are found.
        search: Looks at clips.
        settings: Of the API.
    """

    def __init__(self, ledger: Ledger, search: ContentSearch, settings: ResolutionSettings) -> None:
        self.ledger = ledger
        self.search = search
        self.settings = settings
        self.look_ups = LookUps(settings.look_ups, settings.max_look_ups, settings.max_per_address)

    def require(self, request: Request, scope: Scope) -> None:
        """Let a request pass that may do this."""
        self.settings.tokens.require(request, scope)

    def base_url(self, request: Request) -> str:
        """Return where the API is reached."""
        return self.settings.public_url or str(request.base_url).rstrip("/")

    def stored(self, manifest_id: str) -> StoredManifestRow:
        """Return a manifest, or refuse with 404."""
        found = self.ledger.repository.find(manifest_id)
        if found is None:
            raise RefusalError(404, "NoSuchManifest", "There is no manifest with this id.")
        return found

    async def by_binding(self, alg: str, value: str, limit: int) -> QueryResult:
        """Find manifests by a soft binding."""
        limit = min(limit, _MOST_RESULTS)
        return QueryResult(
            matches=await asyncio.to_thread(find_by_binding, self.ledger, alg, value, limit)
        )

    async def by_content(
        self, name: str, alg: str | None, hint: tuple[str | None, str | None], limit: int,
        limits: FetchLimits | None = None,
    ) -> QueryResult:  # fmt: skip
        """Look at a clip, in a place that is held; a hint is asked for first and costs nothing."""
        limit = min(limit, _MOST_RESULTS)
        matches: list[Match] = []
        if hint[0] and hint[1]:
            matches = (await self.by_binding(hint[0], hint[1], limit)).matches
        limits = limits or self.settings.fetch
        seen = await self.look_ups.run(partial(self.search.find, name, alg=alg, limits=limits))
        found = {match.manifestId for match in seen}
        matches = seen + [match for match in matches if match.manifestId not in found]
        return QueryResult(matches=matches[:limit])


def add_store_routes(app: FastAPI, routes: ResolutionRoutes) -> None:
    """Add the routes that write."""
    body = {"requestBody": {"required": True, "content": binary("application/c2pa")}}

    @app.post(
        "/manifests", operation_id="addManifest", tags=["store"], openapi_extra=body,
        response_model_exclude_none=True, responses=problems(408, 413, 415, 429),
    )  # fmt: skip
    async def add_manifest(
        request: Request, return_receipt: Annotated[bool, Query(alias="returnReceipt")] = False
    ) -> ManifestCreated:
        """Keep a manifest store; keeping it again changes nothing."""
        routes.require(request, "store:manifests")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/c2pa":
            raise RefusalError(415, "WrongContentType", "Send a manifest as application/c2pa.")
        store = await receive_body(request, _STORE_LIMITS)
        manifest_id = await asyncio.to_thread(routes.ledger.repository.add, store)
        if not return_receipt:
            return ManifestCreated(manifestId=manifest_id)
        kept = await asyncio.to_thread(routes.stored, manifest_id)
        receipt = receipt_for(kept, routes.base_url(request))
        return ManifestCreated(manifestId=manifest_id, receipt=receipt)

    @app.delete(
        "/manifests/{manifestId}", operation_id="deleteManifest", tags=["store"],
        status_code=204, responses=problems(404, 429),
    )  # fmt: skip
    async def delete_manifest(request: Request, manifestId: str) -> Response:  # noqa: N803
        """Delete a manifest that was stored here, with its bindings; never one of a clip."""
        routes.require(request, "store:manifests")
        if not await asyncio.to_thread(routes.ledger.repository.delete, manifestId):
            raise RefusalError(404, "NoSuchManifest", "There is no manifest with this id.")
        return Response(status_code=204)

    def add_binding_route(
        method: str, name: str, act: Callable[[str, str], bool], text: str
    ) -> None:
        @app.api_route(
            "/bindings", methods=[method], operation_id=name, tags=["store"], status_code=204,
            responses=problems(404, 408, 413, 429), description=text, name=name,
        )  # fmt: skip
        async def change(request: Request, binding: Bindings) -> Response:
            routes.require(request, "store:bindings")
            if not await asyncio.to_thread(act, binding.bindingValue, binding.manifestId):
                raise RefusalError(
                    404, "NotFound", "There is no such manifest, or no such binding to change."
                )
            return Response(status_code=204)

    repository = routes.ledger.repository
    add_binding_route("POST", "associateManifest", repository.bind, "Bind a value to a manifest.")
    add_binding_route(
        "PUT", "updateAssociatedManifest", repository.rebind, "Point a bound value elsewhere."
    )


def add_fetch_routes(app: FastAPI, routes: ResolutionRoutes) -> None:
    """Add the routes that give manifests and receipts."""
    store: dict[int | str, dict[str, Any]] = {
        200: {"content": binary("application/c2pa"), "description": "The manifest store."}
    }

    @app.head("/manifests/{manifestId}", include_in_schema=False)
    @app.get(
        "/manifests/{manifestId}", operation_id="getManifestById", tags=["fetch"],
        response_class=Response, responses=store | problems(404, 429),
    )  # fmt: skip
    async def get_manifest(
        request: Request,
        manifestId: str,  # noqa: N803
        return_active: Annotated[bool, Query(alias="returnActiveManifest")] = False,
    ) -> Response:
        """Return a manifest store, or its active manifest alone."""
        routes.require(request, "fetch:manifests")
        found = await asyncio.to_thread(routes.stored, manifestId)
        content = active_only(found.store) if return_active else found.store
        return Response(content, media_type="application/c2pa")

    receipts: dict[str, Any] = {"tags": ["fetch"], "response_model_exclude_none": True}

    @app.head("/manifests/{manifestId}/receipts", include_in_schema=False, **receipts)
    @app.get(
        "/manifests/{manifestId}/receipts", operation_id="getVerifiedReceipt",
        responses=problems(404, 429), **receipts,
    )  # fmt: skip
    async def get_receipt(request: Request, manifestId: str) -> VerifiedReceipt:  # noqa: N803
        """Return the receipt of a manifest."""
        routes.require(request, "fetch:manifests")
        kept = await asyncio.to_thread(routes.stored, manifestId)
        return verified_receipt(receipt_for(kept, routes.base_url(request)), kept)

    @app.post(
        "/manifests/{manifestId}/receipts", operation_id="verifyReceipt",
        responses=problems(404, 408, 413, 429), **receipts,
    )  # fmt: skip
    async def verify_receipt(
        request: Request, manifestId: str, receipt: ManifestReceipt  # noqa: N803
    ) -> VerifiedReceipt:  # fmt: skip
        """Verify a receipt against what this repository holds."""
        routes.require(request, "fetch:manifests")
        kept = await asyncio.to_thread(routes.stored, manifestId)
        return verified_receipt(receipt, kept)


def binary(kind: str) -> dict[str, Any]:
    """Describe a body of bytes of this type."""
    return {kind: {"schema": {"type": "string", "format": "binary"}}}


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Describe refusals with these codes."""
    return {
        code: {"model": Problem, "description": "Refused; the body says why."} for code in codes
    }
