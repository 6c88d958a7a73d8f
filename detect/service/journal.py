"""Structured logs: one JSON object a line, with what happened and nothing of what was uploaded.

Whatever else a process may say on standard error is made such a line as well: what libraries log,
warnings, and errors in threads and destructors.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["JsonLines", "log_event", "log_to_stderr"]

_LOGGER = logging.getLogger("vidigree.service")


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object; fields come in ``record.fields``."""

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
            row["exception"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=False, default=str)


def log_event(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log one event.

    Args:
        event: Stable name.
        level: Of the standard library.
        **fields: JSON values; no file names, no URLs, no addresses, no findings of a clip.
    """
    _LOGGER.log(level, event, extra={"fields": fields})


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
