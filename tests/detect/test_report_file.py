"""The file of a report: whole or not there, and nothing else is lost for it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from fixtures.truth_table import verdict

from vidigree.detect.report import ReportWriter, render_report
from vidigree.media import OutputError

ROW = verdict("marked").to_dict() | {"media": None, "file": "clip.mp4"}


def page() -> str:
    return "".join(render_report([(ROW, [])], Counter({ROW["finding"]: 1})))


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    writer = ReportWriter(tmp_path / "report.html")
    writer.add(ROW, [])
    assert not (tmp_path / "report.html").exists()
    writer.finish()
    writer.close()
    assert (tmp_path / "report.html").read_text(encoding="utf-8").endswith("</html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_only_a_report_or_an_empty_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    for content in ("", page()):
        path.write_text(content, encoding="utf-8")
        writer = ReportWriter(path)
        writer.add(ROW | {"file": "again.mp4"}, [])
        writer.finish()
        writer.close()
        assert "again.mp4" in path.read_text(encoding="utf-8")
    for content in ("<!doctype html><title>A page</title>", " " * 1024 + page()):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(OutputError, match=r"report\.html is there and is no report of vidi"):
            ReportWriter(path)
        assert path.read_text(encoding="utf-8") == content
