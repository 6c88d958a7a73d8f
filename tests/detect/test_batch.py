"""Many clips: nothing lost, nothing doubled, from where it was interrupted."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from vidigree.detect.batch import audit_batch
from vidigree.detect.cluster import _given_up
from vidigree.detect.isolation import Job
from vidigree.detect.settings import AuditSettings
from vidigree.detect.tables import COLUMNS, write_csv, write_parquet

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


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_begins_as_a_formula_does(sign: str, tmp_path: Path) -> None:
    row = {"file": f"{sign}1.mp4", "headline": f"{sign}2"}
    write_csv([row], tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        (line,) = csv.DictReader(stream)
    assert (line["file"], line["headline"]) == (f"'{sign}1.mp4", f"'{sign}2")


def test_parquet_has_typed_columns(rows: list[dict[str, object]], tmp_path: Path) -> None:
    write_parquet(iter(rows), tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 3
    assert table.column_names == list(COLUMNS)
    widths = dict(zip(table["file"].to_pylist(), table["width"].to_pylist(), strict=True))
    assert widths["/none.mp4"] is None
    assert 160 in widths.values()


def test_a_clip_that_a_cluster_gives_up_gets_a_decision_as_any_other() -> None:
    answer = _given_up(replace(FAST, name="a.mp4", policy="platform"))
    assert "lost 5 times" in answer.row["error"]["message"]
    assert answer.row["decision"]["action"] == "block"
