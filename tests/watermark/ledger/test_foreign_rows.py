"""SQLite takes any value in any column; a row that no ledger wrote is told and not guessed at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from vidigree.media.errors import LedgerError
from vidigree.watermark.ledger import Ledger, LedgerEntry
from vidigree.watermark.ledger.commands import ledger as ledger_command

MakeEntry = Callable[..., LedgerEntry]

# What stands where, as SQL, and what is said of it.
FOREIGN = {
    "no time": ("created_at", "'yesterday'", "yesterday"),
    "a number for a time": ("created_at", "5", "must be str"),
    "a text for an id": ("clip_id", "'abc'", "the clip id 'abc'"),
    "a text for bytes": ("manifest_store", "'text'", "encoding"),
    "a text for seconds": ("duration", "'long'", "'long'"),
    "bytes for a path": ("file", "x'ff00'", "the file b'"),
    "a path that ends early": ("file", "CAST(x'410041' AS TEXT)", "the file 'A"),
    "bytes for an engine": ("engine", "x'ff'", "the engine b'"),
}


@pytest.fixture
def url(tmp_path: Path, make_entry: MakeEntry) -> str:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite3") as ledger:
        for number in (1, 2):
            ledger.record(make_entry(number, seed=number))
    return f"sqlite:///{tmp_path}/ledger.sqlite3"


def _write(tmp_path: Path, column: str, value: str) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as database, database:
        database.execute(f"UPDATE entries SET {column} = {value} WHERE clip_id = 2")


@pytest.mark.parametrize("case", FOREIGN)
def test_what_is_no_entry_is_told(url: str, tmp_path: Path, case: str) -> None:
    column, value, said = FOREIGN[case]
    _write(tmp_path, column, value)
    with Ledger.open(url) as ledger:
        with pytest.raises(LedgerError, match="a row that it did not write") as told:
            list(ledger.entries())
        assert said in told.value.message
        assert told.value.hint
        found = ledger.find_clip(1)
        assert found is not None  # the others can still be asked for
        assert ledger.find_similar(found.fingerprint, 1)[0][0] == found
    for call in (["list"], ["list", "--json"], ["check"]):
        done = CliRunner().invoke(ledger_command, [*call, "--url", url])
        assert isinstance(done.exception, LedgerError), done.exception


@pytest.mark.parametrize("value", ["x'001122'", "0"])
def test_codes_that_are_none_are_made_anew(
    url: str, tmp_path: Path, make_entry: MakeEntry, value: str
) -> None:
    _write(tmp_path, "codes", value)
    with Ledger.open(url) as ledger:
        for number in (1, 2):
            entry = make_entry(number, seed=number)
            assert ledger.find_similar(entry.fingerprint, 1) == [(entry, 1.0)]


def test_a_row_is_not_taken_for_another_ones_words(url: str) -> None:
    """What whoever goes through the entries raises is theirs."""
    with Ledger.open(url) as ledger, pytest.raises(ValueError, match="mine"):
        for _ in ledger.entries():
            raise ValueError("mine")
