"""The web page: a handful of files from the package, and the words of the verdict."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import resources

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from vidigree.detect.service.refusals import RefusalError
from vidigree.detect.wording import LANGUAGES, wording

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_READING = ["GET", "HEAD"]
_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "json": "application/json",
}


@router.api_route("/", methods=_READING)
async def page(request: Request) -> Response:
    """Return the page."""
    return _file(request, "index.html")


@router.api_route("/favicon.ico", methods=_READING)
async def icon(request: Request) -> Response:
    """Return the icon for browsers that ask without looking."""
    return _file(request, "icon.svg")


@router.api_route("/page/{name}", methods=_READING)
async def part(request: Request, name: str) -> Response:
    """Return a file that the page is made of."""
    return _file(request, name)


def _file(request: Request, name: str) -> Response:
    files = _files()
    if name not in files:
        raise RefusalError(404, "NoSuchPage", "There is no such page.")
    content, tag = files[name]
    # Asked again each time and answered with 304: an upgrade shows at once.
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    # Proxies that compress make the tags weak, and clients may send several.
    known = request.headers.get("if-none-match", "").split(",")
    if {one.strip().removeprefix("W/") for one in known} & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Return the files of the page with their tags, read once."""
    folder = resources.files("vidigree.detect.service") / "page"
    contents = {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}
    for language in LANGUAGES:
        table = json.dumps(dict(wording(language).table), ensure_ascii=False)
        contents[f"verdict-{language}.json"] = table.encode()
    return {
        name: (content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
        for name, content in contents.items()
        if name.rpartition(".")[2] in _TYPES
    }
