"""What a run of many clips ends in: its exit code, its counts, and its tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidigree.detect.commands import _stand_for
from vidigree.detect.findings import Finding
from vidigree.detect.sink import VerdictSink
from vidigree.media import OutputError

NAMES = ("a.mp4", "b.mp4", "c.mp4")


def found(name: str, finding: Finding) -> dict[str, Any]:
    return {"schema": "vidigree-verdict/1.1", "file": name, "finding": finding.value}


def failed(name: str, code: int) -> dict[str, Any]:
    error = {"kind": "X", "message": "It is broken.", "hint": "Mend it.", "exit_code": code}
    return {"schema": "vidigree-verdict/1.1", "file": name, "error": error}


def run(*rows: dict[str, Any], **options: Any) -> VerdictSink:
    with VerdictSink(names=NAMES, as_json=True, **options) as sink:
        for row in rows:
            sink.take(row, [])
    return sink


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ((), 0),
        ((found("a.mp4", Finding.NO_EVIDENCE),), 0),
        ((found("a.mp4", Finding.INCONCLUSIVE), found("b.mp4", Finding.DECLARED_SYNTHETIC)), 13),
        ((found("a.mp4", Finding.CONTRADICTORY), failed("b.mp4", 3)), 3),
        ((failed("a.mp4", 8), failed("b.mp4", 3), found("c.mp4", Finding.CONTRADICTORY)), 8),
    ],
)
def test_the_highest_error_counts_and_without_one_the_highest_finding(
    rows: tuple[dict[str, Any], ...], code: int
) -> None:
    for order in (rows, rows[::-1]):
        assert run(*order).exit_code == code


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_what_was_found_before_an_interruption_counts_as_well(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / name
    run(found("a.mp4", Finding.CONTRADICTORY), failed("b.mp4", 3), output=output)
    capsys.readouterr()
    sink = run(
        found("b.mp4", Finding.NO_EVIDENCE), found("c.mp4", Finding.NO_EVIDENCE), output=output
    )
    assert sink.exit_code == 12
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "1 clip was audited before.",
        "1 is audited again: it failed, or changed since.",
        "3 clips: 1 contradictory, 2 no-evidence",
    ]


def test_a_table_without_its_journal_is_somebody_else_s(tmp_path: Path) -> None:
    output, journal = tmp_path / "out.csv", tmp_path / "out.csv.jsonl"
    row = found("a.mp4", Finding.NO_EVIDENCE)
    output.write_text("name,votes\n", encoding="utf-8")
    with pytest.raises(OutputError, match=r"out\.csv is there, but out\.csv\.jsonl, .*, is not"):
        run(row, output=output)
    assert output.read_text(encoding="utf-8") == "name,votes\n"
    assert not journal.exists()
    run(row, output=output, restart=True)
    run(found("b.mp4", Finding.NO_EVIDENCE), output=output)  # its own is made anew
    assert [line.partition(",")[0] for line in output.read_text(encoding="utf-8").splitlines()] == [
        "file",
        "a.mp4",
        "b.mp4",
    ]


def test_a_list_is_not_begun_anew_as_the_journal_of_a_table(
    clip: Path, tmp_path: Path, vidigree: Callable[..., Any]
) -> None:
    """Once `--restart` emptied a list that is called like the table's journal."""
    names, content = tmp_path / "clips.csv.jsonl", f"{clip}\n"
    names.write_text(content, encoding="utf-8")
    output = tmp_path / "clips.csv"
    done = vidigree("audit", names, "-o", output, "--restart", "--only=credentials")
    assert done.code == 2
    assert "clips.csv.jsonl is one of the inputs and would be overwritten" in done.err
    assert names.read_text(encoding="utf-8") == content


def test_rows_count_as_done_for_the_options_that_they_depend_on(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("one", encoding="utf-8")
    options: dict[str, Any] = {
        "only": (),
        "ledger": None,
        "language": "en",
        "show_personal": False,
        "weights": None,
        "policy": None,
    }
    changes: dict[str, Any] = {
        "only": ("mark",),
        "ledger": "sqlite:///other.sqlite3",
        "language": "zh",
        "show_personal": True,
        "policy": str(policy),
    }
    known = [
        _stand_for(options),
        *(_stand_for(options | {name: changes[name]}) for name in changes),
    ]
    policy.write_text("two", encoding="utf-8")
    known.append(_stand_for(options | {"policy": str(policy)}))
    assert len(set(known)) == len(known)
    assert _stand_for(options | {"jobs": 4, "max_seconds": 5.0}) == known[0]
