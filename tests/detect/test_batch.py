"""Many clips: nothing lost, nothing doubled, from where it was interrupted."""

from __future__ import annotations

import csv
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from vidigree.detect import batch
from vidigree.detect.batch import Journal, audit_batch
from vidigree.detect.isolation import Job
from vidigree.detect.settings import AuditSettings
from vidigree.detect.tables import COLUMNS, write_csv, write_parquet
from vidigree.media import OutputError

FAST = Job(name="", settings=AuditSettings(layers=("credentials",)))


def test_every_name_gets_one_answer(clip: Path) -> None:
    names = [str(clip), *(f"/none-{number}.mp4" for number in range(9)), str(clip)]
    answers = list(audit_batch(names, job=FAST, jobs=2))
    assert sorted(answer.row["file"] for answer in answers) == sorted(names)
    assert sum("error" in answer.row for answer in answers) == 9


def test_names_are_not_read_far_ahead(clip: Path) -> None:
    read = 0

    def names() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield str(clip)

    answers = audit_batch(names(), job=FAST, jobs=1)
    for _ in range(3):
        next(answers)
    assert read <= 6
    answers.close()  # type: ignore[attr-defined]


def row(name: str) -> dict[str, object]:
    return {"schema": "vidigree-verdict/1.0", "file": name, "finding": "no-evidence"}


class TestJournal:
    def test_one_run_at_a_time_writes_it(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        with Journal(path) as journal:
            journal.add(row("a.mp4"))
            for restart in (False, True):
                with pytest.raises(OutputError, match=r"^Another run is writing"):
                    Journal(path, restart=restart)
            journal.add(row("b.mp4"))
        with Journal(path) as journal:
            assert [entry["file"] for entry in journal.rows()] == ["a.mp4", "b.mp4"]

    def test_without_locks_it_is_written_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fcntl = pytest.importorskip("fcntl")

        def refuse(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl, "flock", refuse)
        number = errno.ENOLCK
        with Journal(tmp_path / "out.jsonl") as journal:
            journal.add(row("a"))
        number = errno.EIO
        with pytest.raises(OutputError, match="cannot be written"):
            Journal(tmp_path / "out.jsonl")

    def test_the_last_rows_are_on_the_disk_when_it_is_closed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, synced = tmp_path / "out.jsonl", []
        monkeypatch.setattr(batch.os, "fsync", lambda _: synced.append(path.read_text()))
        with Journal(path) as journal:
            journal.add(row("a"))
        assert [json.loads(text)["file"] for text in synced] == ["a"]

    def test_goes_on_where_it_stopped(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        with Journal(path) as journal:
            journal.add(row("a"))
        with Journal(path) as journal:
            assert "a" in journal
            assert "b" not in journal
            journal.add(row("b"))
            assert [entry["file"] for entry in journal.rows()] == ["a", "b"]

    @pytest.mark.parametrize("length", [1, 12, 50])
    def test_a_line_that_was_cut_off_is_audited_again(self, length: int, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        whole, cut = json.dumps(row("a")), json.dumps(row("b"))[:length]
        path.write_text(f"{whole}\n{cut}", encoding="utf-8")
        with Journal(path) as journal:
            assert "b" not in journal
            journal.add(row("b"))
            assert [entry["file"] for entry in journal.rows()] == ["a", "b"]

    def test_restart_begins_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        path.write_text(json.dumps(row("a")) + "\n", encoding="utf-8")
        with Journal(path, restart=True) as journal:
            assert len(journal) == 0

    @pytest.mark.parametrize(
        "text", ["dear diary\n", "dear diary", '{"file": "a.mp4"}\n', '{"schema": "mine"}', "[]\n"]
    )
    def test_another_file_is_not_destroyed(self, text: str, tmp_path: Path) -> None:
        path = tmp_path / "diary.txt"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(OutputError, match="not a list of verdicts"):
            Journal(path)
        assert path.read_text(encoding="utf-8") == text

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="cannot be written"):
            Journal(tmp_path / "none" / "out.jsonl")


@pytest.fixture
def rows(clip: Path) -> list[dict[str, object]]:
    found = [answer.row for answer in audit_batch([str(clip), "/none.mp4"], job=FAST)]
    return [*found, found[0] | {"file": "=cmd|' /C calc'!A0.mp4"}]


def test_csv_has_one_row_a_clip_and_no_formulas(
    rows: list[dict[str, object]], tmp_path: Path
) -> None:
    write_csv(iter(rows), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert list(table[0]) == list(COLUMNS)
    by_file = {line["file"]: line for line in table}
    assert "'=cmd|' /C calc'!A0.mp4" in by_file
    assert by_file["/none.mp4"]["exit_code"] == "3"


def test_parquet_has_typed_columns(rows: list[dict[str, object]], tmp_path: Path) -> None:
    write_parquet(iter(rows), tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 3
    assert table.column_names == list(COLUMNS)
    widths = dict(zip(table["file"].to_pylist(), table["width"].to_pylist(), strict=True))
    assert widths["/none.mp4"] is None
    assert 160 in widths.values()
