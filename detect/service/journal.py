"""Structured logs: one JSON object a line, with what happened and nothing of what was uploaded."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

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
    """Send the service's log, and warnings of the server under it, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in (("vidigree.service", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
