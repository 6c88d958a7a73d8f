"""What a caller may ask for, checked before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vidigree.detect.fetching import http_parts
from vidigree.detect.policy import POLICY_NAMES
from vidigree.detect.service.job_store import JobOptions
from vidigree.detect.service.refusals import RefusalError
from vidigree.detect.service.settings import ServiceSettings
from vidigree.detect.settings import CHECKED_LAYERS
from vidigree.detect.wording import LANGUAGES
from vidigree.media.errors import UsageError

__all__ = ["MAX_PICTURES", "AuditRequest", "read_options"]

MAX_PICTURES = 24
_MAX_URL = 4096
_KNOWN = (
    "file",
    "keep",
    "language",
    "layers",
    "name",
    "pictures",
    "policy",
    "report",
    "url",
    "wait",
)


@dataclass(frozen=True, kw_only=True)
class AuditRequest:
    """A request for an audit, without the upload.

    Attributes:
        url: Where the clip lies; empty for an upload.
        name: What the caller calls the clip.
        wait_seconds: How long to hold the request open for the answer.
        options: What to do.
    """

    url: str
    name: str
    wait_seconds: float
    options: JobOptions


def read_options(fields: Mapping[str, str], settings: ServiceSettings) -> AuditRequest:
    """Check the options of a request.

    Args:
        fields: From the query and from the body.
        settings: Of the service; the wishes are kept within its limits.

    Raises:
        RefusalError: An option is not known or its value means nothing.
    """
    unknown = sorted(set(fields) - set(_KNOWN))
    if unknown:
        raise _refusal(f"There is no option {unknown[0][:40]!r}.", f"Known: {', '.join(_KNOWN)}.")
    layers = tuple(layer for layer in fields.get("layers", "").split(",") if layer)
    for layer in layers:
        if layer not in settings.layers:
            raise _refusal(
                f"There is no layer {layer[:40]!r}.", f"Known: {', '.join(settings.layers)}."
            )
    return AuditRequest(
        url=_url(fields.get("url", "").strip()),
        name=fields.get("name", ""),
        wait_seconds=_number(fields, "wait", settings.wait_seconds, settings.wait_seconds),
        options=JobOptions(
            language=_one_of(fields, "language", LANGUAGES) or LANGUAGES[0],
            pictures=int(_number(fields, "pictures", 0, MAX_PICTURES)),
            policy=_one_of(fields, "policy", POLICY_NAMES),
            layers=tuple(layer for layer in CHECKED_LAYERS if layer in layers),
            report=_one_of(fields, "report", ("0", "1", "false", "true")) in {"1", "true"},
            keep_seconds=_number(fields, "keep", 0, settings.max_keep_seconds),
        ),
    )


def _url(text: str) -> str:
    if not text:
        return ""
    if len(text) > _MAX_URL or not text.lower().startswith(("http://", "https://")):
        raise _refusal("The URL is not one of http or https.", "Upload the file instead.")
    try:
        http_parts(text)
    except UsageError as error:
        raise _refusal(error.message, error.hint) from error
    return text


def _number(fields: Mapping[str, str], name: str, default: float, most: float) -> float:
    text = fields.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):  # NaN fails as well
        raise _refusal(
            f"{name}={text[:40]!r} is not a number of 0 or more.", f"Give one, such as {name}=1."
        )
    return min(value, most)


def _one_of(fields: Mapping[str, str], name: str, known: tuple[str, ...]) -> str | None:
    text = fields.get(name, "").strip()
    if not text:
        return None
    if text not in known:
        raise _refusal(f"There is no {name} {text[:40]!r}.", f"Known: {', '.join(known)}.")
    return text


def _refusal(message: str, hint: str) -> RefusalError:
    return RefusalError(400, "WrongOption", message, hint=hint)
