"""What OpenAPI cannot see in the code: bodies that are read as streams, and answers."""

from __future__ import annotations

from typing import Any

__all__ = ["AUDIT_BODY", "AUDIT_RESPONSES", "DESCRIPTION", "JOB_RESPONSES"]

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
        "description": "Seconds after the audit for which an answer that was fetched can be fetched"
        " again, at most a week; 0 for no longer than it takes to fetch it. What nobody fetches"
        " stays for an hour at least.",
        "default": 0,
    },
    "wait": {
        "type": "number",
        "description": "Seconds to hold the request open for the answer; 0 for a job at once.",
    },
}
_BINARY = {"type": "string", "format": "binary"}

AUDIT_BODY: dict[str, Any] = {
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
    429: _answer("Too many requests, or the queue is full; see Retry-After.", _ERROR),
    503: _answer("The service cannot do it just now.", _ERROR),
    507: _answer("There is no space for the upload just now.", _ERROR),
}

JOB_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answer("The job.", _JOB),
    404: _answer("There is no such job, or its answer was deleted.", _ERROR),
}
