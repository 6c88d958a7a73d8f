"""Verdicts as tables: one flat row a clip, as CSV or Parquet."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from vidigree.media.errors import UsageError
from vidigree.media.output import output_file

__all__ = ["COLUMNS", "check_parquet", "flat_row", "write_csv", "write_parquet"]

COLUMNS = {
    "file": "string",
    "finding": "string",
    "confidence": "string",
    "reason": "string",
    "headline": "string",
    "action": "string",
    "system": "string",
    "signature_valid": "bool",
    "mark_p_value": "double",
    "clip_id": "string",
    "llr": "double",
    "likeness": "double",
    "seconds": "double",
    "width": "int32",
    "height": "int32",
    "error": "string",
    "exit_code": "int32",
}
"""Columns in order, with their Arrow types. Missing values are empty (CSV) or null (Parquet)."""

_BATCH = 1000
# Some spreadsheets take the wide forms of Chinese and Japanese keyboards as well.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def flat_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of one verdict or error.

    Args:
        row: A row in the published JSON form.
    """
    error = row.get("error")
    media = row.get("media") or {}
    evidence = row.get("evidence", [])
    return {
        "file": row["file"],
        "finding": row.get("finding"),
        "confidence": row.get("confidence"),
        "reason": row.get("reason"),
        "headline": row.get("headline"),
        "action": row.get("decision", {}).get("action"),
        "system": row.get("disclosure", {}).get("system"),
        "signature_valid": row.get("disclosure", {}).get("signature_valid"),
        "mark_p_value": _first(evidence, "mark", "p_value"),
        "clip_id": row.get("readings", {}).get("ledger", {}).get("clip_id"),
        "llr": _first(evidence, "classifier", "llr"),
        "likeness": _first(evidence, "ledger", "similarity"),
        "seconds": media.get("seconds"),
        "width": media.get("width"),
        "height": media.get("height"),
        "error": error and error["message"],
        "exit_code": error["exit_code"] if error else None,
    }


def write_csv(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """Write verdicts as CSV, UTF-8, one row a clip.

    Text that a spreadsheet would run as a formula gets an apostrophe in front: file names come
    from strangers.

    Raises:
        OutputError: The file cannot be written.
    """
    with (
        output_file(path, overwrite=True) as part,
        part.open("w", encoding="utf-8", newline="", errors="backslashreplace") as stream,
    ):
        writer = csv.DictWriter(stream, fieldnames=list(COLUMNS))
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in flat_row(row).items()})


def write_parquet(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """Write verdicts as Parquet, one row a clip, in constant memory.

    Raises:
        UsageError: pyarrow is not installed.
        OutputError: The file cannot be written.
    """
    check_parquet()
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"string": pa.string(), "bool": pa.bool_(), "double": pa.float64(), "int32": pa.int32()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    with output_file(path, overwrite=True) as part, pq.ParquetWriter(part, schema) as writer:
        for batch in _batches(rows):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def check_parquet() -> None:
    """Refuse before any work what :func:`write_parquet` could not write.

    Raises:
        UsageError: pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError(
            "Parquet needs the package pyarrow.",
            hint="Install it with: pip install 'vidigree[parquet]'",
        )


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    flat = ({name: _utf8(value) for name, value in flat_row(row).items()} for row in rows)
    while batch := list(islice(flat, _BATCH)):
        yield batch


def _first(evidence: list[dict[str, Any]], layer: str, strength: str) -> Any:
    values = (row["strength"][strength] for row in evidence if row["layer"] == layer)
    return next((value for value in values if value is not None), None)


def _utf8(value: Any) -> Any:
    """Return text that UTF-8 can hold: file names need not be."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
