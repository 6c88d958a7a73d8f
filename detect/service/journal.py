"""Structured logs: one JSON object a line, with what happened and nothing of what was uploaded.

Whatever else a process may say on standard error is made such a line as well: what libraries log,
warnings, and errors in threads and destructors.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vidigree.detect.fetching import as_sent

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["JsonLines", "log_event", "log_to_stderr", "without_places"]

_LOGGER = logging.getLogger("vidigree.service")
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"]+")


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object; fields come in ``record.fields``.

    Of exceptions URLs are left out, which may hold a key or a password.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without the line feed."""
        row: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        if record.name != _LOGGER.name:
            row["logger"] = record.name
        row |= getattr(record, "fields", {})
        if record.exc_info:
            row["exception"] = _URL.sub("(a URL)", self.formatException(record.exc_info))
        return json.dumps(row, ensure_ascii=False, default=str)


def log_event(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log one event.

    Args:
        event: Stable name.
        level: Of the standard library.
        **fields: JSON values; no file names, no URLs, no addresses, no findings of a clip.
    """
    _LOGGER.log(level, event, extra={"fields": fields})


def without_places(text: str, name: str) -> str:
    """Return a text of an error without what says where a clip is, or holds a key to it.

    Args:
        text: What an error says.
        name: Path or URL of the clip; of a URL, its parts are taken out too.
    """
    places = {name}
    if _URL.match(name):
        parts = urlsplit(name)
        user, _, host = parts.netloc.rpartition("@")
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        # One letter or two would be found in any text.
        places |= {part for part in (target, parts.query, user, host) if len(part) > 2}
        places |= {as_sent(part) for part in places}
    places |= {repr(place)[1:-1] for place in places}
    for place in sorted(places, key=len, reverse=True):
        text = text.replace(place, "(the clip)")
    return _URL.sub("(a URL)", text)


def log_to_stderr() -> None:
    """Send the service's log, and warnings of all that runs in the process, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    levels = {None: logging.WARNING, _LOGGER.name: logging.INFO, "uvicorn": logging.WARNING}
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
    logging.captureWarnings(True)
    threading.excepthook = _log_thread_error
    sys.unraisablehook = _log_unraisable


def _log_thread_error(error: threading.ExceptHookArgs) -> None:
    if error.exc_value is not None and not isinstance(error.exc_value, SystemExit):
        _LOGGER.error("thread-failed", exc_info=error.exc_value)


def _log_unraisable(error: UnraisableHookArgs) -> None:
    _LOGGER.error("error-ignored", exc_info=error.exc_value)
