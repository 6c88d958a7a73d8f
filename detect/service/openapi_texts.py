"""What OpenAPI cannot see in the code: bodies that are read as streams, and answers."""

from __future__ import annotations

from typing import Any

__all__ = [
    "AUDIT_BODY",
    "AUDIT_RESPONSES",
    "DESCRIPTION",
    "FORGET_RESPONSES",
    "HEALTH_RESPONSES",
    "JOB_RESPONSES",
    "KEYS",
    "METRICS_RESPONSES",
    "SERVICE_RESPONSES",
    "as_it_is",
]

DESCRIPTION = """
Says where video clips come from, and why: content credentials, watermarks, the ledger of issued
clips and a classifier, in one verdict with all its evidence. No finding calls a clip authentic.
"""

_FIELDS: dict[str, Any] = {
    "url": {"type": "string", "format": "uri", "description": "Clip to fetch, http or https."},
    "name": {"type": "string", "description": "What to call the clip in the answer."},
    "language": {"type": "string", "enum": ["en", "zh"], "default": "en"},
    "layers": {
        "type": "string",
        "description": "Layers to look at, separated by commas; all by default.",
    },
    "policy": {"type": "string", "enum": ["eu-california", "newsroom", "platform"]},
    "pictures": {"type": "integer", "minimum": 0, "maximum": 24, "default": 0},
    "report": {
        "type": "boolean",
        "default": False,
        "description": "Send the HTML report along, in `report`.",
    },
    "keep": {
        "type": "number",
        "minimum": 0,
        "description": "Seconds after the audit for which an answer that was fetched can be fetched"
        " again, at most a week; 0 for no longer than it takes to fetch it. What nobody fetches"
        " stays for an hour at least, where there is room.",
        "default": 0,
    },
    "wait": {
        "type": "number",
        "minimum": 0,
        "description": "Seconds to hold the request open for the answer, at most `wait_seconds` of"
        " /v1/service; 0 for a job at once.",
    },
}
_BINARY = {"type": "string", "format": "binary"}

# A service may serve without a key; whether it does is in /v1/service.
KEYS: dict[str, Any] = {"security": [{}, {"bearer": []}, {"key": []}]}

AUDIT_BODY: dict[str, Any] = KEYS | {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in _FIELDS.items()
        if name != "url"
    ],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": _BINARY} | _FIELDS}
            },
            "application/json": {"schema": {"type": "object", "properties": _FIELDS}},
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "properties": _FIELDS}
            },
            "application/octet-stream": {"schema": _BINARY},
            "video/*": {"schema": _BINARY},
        },
    },
}

_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "kind": {"type": "string"},
                "message": {"type": "string"},
                "hint": {"type": "string"},
            },
            "required": ["kind", "message", "hint"],
        }
    },
    "required": ["error"],
}
_JOB = {
    "type": "object",
    "properties": {
        "schema": {"type": "string", "const": "vidigree-job/1.0"},
        "id": {"type": "string"},
        "state": {"enum": ["receiving", "queued", "running", "done", "failed"]},
        "created_at": {"type": "string", "format": "date-time"},
        "finished_at": {"type": ["string", "null"], "format": "date-time"},
        "progress": {
            "type": "object",
            "properties": {
                "ahead": {"type": "integer"},
                "done": {"type": "integer"},
                "total": {"type": "integer"},
                "layer": {"type": ["string", "null"]},
            },
        },
        "verdict": {
            "type": ["object", "null"],
            "description": "As in the published schema of `vidigree audit --json`.",
        },
        "error": {"type": ["object", "null"], "description": "Why the clip cannot be audited."},
        "decision": {"type": ["object", "null"], "description": "What the policy says."},
        "report": {"type": ["string", "null"], "description": "HTML, if asked for."},
        "pictures": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "time": {"type": "number", "description": "Seconds."},
                    "jpeg": {"type": "string", "contentEncoding": "base64"},
                },
            },
        },
    },
}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


AUDIT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answer("The audit is finished.", _JOB),
    202: _answer("The audit goes on; ask at Location.", _JOB),
    400: _answer("The request makes no sense.", _ERROR),
    401: _answer("An API key is needed, or the one sent is not valid.", _ERROR),
    408: _answer("The upload was too slow.", _ERROR),
    413: _answer("The upload is too large.", _ERROR),
    415: _answer("The content type cannot hold a clip.", _ERROR),
    422: _answer("The clip cannot be audited; `error` says why.", _JOB),
    429: _answer(
        "Too many requests, too many at once, or the queue is full; see Retry-After.", _ERROR
    ),
    503: _answer("The service cannot do it just now.", _ERROR),
    507: _answer("There is no space for the upload, or to keep the answer, just now.", _ERROR),
}

_COME_AGAIN = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
_PLACE = {"Location": {"schema": {"type": "string"}, "description": "Where to ask for the job."}}
for _status in (429, 503, 507):
    AUDIT_RESPONSES[_status]["headers"] = _COME_AGAIN
AUDIT_RESPONSES[202]["headers"] = _PLACE | _COME_AGAIN

_JOB_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: AUDIT_RESPONSES[401],
    404: _answer("There is no such job, or its answer was deleted.", _ERROR),
    429: _answer("Too many requests, or wrong keys from this address; see Retry-After.", _ERROR)
    | {"headers": _COME_AGAIN},
    503: AUDIT_RESPONSES[503],
}
JOB_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answer("The job.", _JOB),
    **_JOB_REFUSALS,
}
FORGET_RESPONSES: dict[int | str, dict[str, Any]] = {
    204: {"description": "It is forgotten."},
    **_JOB_REFUSALS,
}

_WRONG_HOST = _answer("It is asked by a name that is not its own.", _ERROR)

_HEALTH = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ok", "database-unreachable", "workers-gone", "spool-unusable"]},
        "version": {"type": "string"},
        "unfinished_jobs": {"type": "integer"},
    },
    "required": ["status"],
}
HEALTH_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answer("It can do its work.", _HEALTH),
    503: _answer("It cannot.", _HEALTH),
}
_TEXT = {"type": "string"}
METRICS_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Prometheus text.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    },
    503: AUDIT_RESPONSES[503],
}
_TEXTS = {"type": "array", "items": _TEXT}
_SERVICE = {
    "type": "object",
    "properties": {
        "version": {"type": "string"},
        "key_required": {"type": "boolean"},
        "max_upload_bytes": {"type": "integer"},
        "max_clip_seconds": {"type": ["number", "null"]},
        "wait_seconds": {"type": "number"},
        "layers": _TEXTS,
        "languages": _TEXTS,
        "policies": _TEXTS,
    },
}
SERVICE_RESPONSES: dict[int | str, dict[str, Any]] = {200: _answer("Offers, limits.", _SERVICE)}


def as_it_is(document: dict[str, Any]) -> dict[str, Any]:
    """Return a description with how keys are sent, and without what the framework made up.

    It says of every path with a part of its own that it answers 422; none does.
    """
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("400", _WRONG_HOST)
            answer = operation["responses"].get("422", {})
            if "HTTPValidationError" in str(answer):
                del operation["responses"]["422"]
    schemes = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    # Its schemas are those of that 422 alone.
    return document | {"components": {"securitySchemes": schemes}}
