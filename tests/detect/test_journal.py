"""Verdicts on disk: nothing lost, nothing doubled, nothing of other options taken for done."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from vidigree.detect import journal as journal_module
from vidigree.detect.journal import Journal
from vidigree.media import OutputError


def row(name: str) -> dict[str, object]:
    return {"schema": "vidigree-verdict/1.1", "file": name, "finding": "no-evidence"}


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def written(name: str) -> str:
    return json.dumps(row(name) | {"audited": {"options": ""}})


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
        monkeypatch.setattr(journal_module.os, "fsync", lambda _: synced.append(path.read_text()))
        with Journal(path) as journal:
            journal.add(row("a"))
        assert [json.loads(text)["file"] for text in synced] == ["a"]

    def test_rows_survive_at_once_and_reach_the_disk_every_second(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, synced, clock = tmp_path / "out.jsonl", [], [0.0]
        monkeypatch.setattr(journal_module.os, "fsync", synced.append)
        monkeypatch.setattr(journal_module.time, "monotonic", lambda: clock[0])
        with Journal(path) as journal:
            for name, moment, waits in (("a", 0.5, 0), ("b", 1.5, 1), ("c", 2.0, 1), ("d", 2.6, 2)):
                clock[0] = moment
                journal.add(row(name))
                assert len(synced) == waits
                assert name in journal
                assert json.loads(path.read_text().splitlines()[-1])["file"] == name

    def test_a_full_disk_is_told_and_the_file_given_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, clock = tmp_path / "out.jsonl", [0.0]
        monkeypatch.setattr(journal_module.time, "monotonic", lambda: clock[0])
        journal = Journal(path)
        clock[0] = 2.0
        with monkeypatch.context() as full:
            full.setattr(journal_module.os, "fsync", _no_space)
            with pytest.raises(OutputError, match="cannot be written: No space left"):
                journal.add(row("a"))
            assert "a" not in journal
            with pytest.raises(OutputError, match="cannot be written: No space left"):
                journal.close()
        Journal(path).close()

    def test_a_file_that_is_replaced_while_it_is_opened_is_opened_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fcntl = pytest.importorskip("fcntl")
        path = tmp_path / "out.jsonl"
        (tmp_path / "new").write_text(written("a") + "\n", encoding="utf-8")
        before = [path.unlink, lambda: (tmp_path / "new").replace(path), lambda: None]
        monkeypatch.setattr(fcntl, "flock", lambda *_: before.pop(0)())
        with Journal(path) as journal:
            journal.add(row("b"))
        with path.open(encoding="utf-8") as lines:
            assert [json.loads(line)["file"] for line in lines] == ["a", "b"]

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
        whole, cut = written("a"), written("b")[:length]
        path.write_text(f"{whole}\n{cut}", encoding="utf-8")
        with Journal(path) as journal:
            assert "b" not in journal
            journal.add(row("b"))
            assert [entry["file"] for entry in journal.rows()] == ["a", "b"]

    def test_restart_begins_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        path.write_text(written("a") + "\n", encoding="utf-8")
        with Journal(path, restart=True) as journal:
            assert (len(journal), journal.again) == (0, 0)
            journal.add(row("b"))
            assert [entry["file"] for entry in journal.rows()] == ["b"]

    @pytest.mark.parametrize(
        "text",
        [
            "dear diary\n",
            "dear diary",
            '{"file": "a.mp4"}\n',
            '{"schema": "mine"}',
            "[]\n",
            '{"schema": "vidigree-verdict/1.1", and so on\n',
            '{"schema": "vidigree-verdict/1.1"}\n',
            '{"schema": "vidigree-verdict/1.1", "file": null, "audited": {"options": ""}}\n',
        ],
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

    def test_rows_of_other_options_are_refused_and_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        with Journal(path, options="mark") as journal:
            journal.add(row("a"))
        before = path.read_bytes()
        with pytest.raises(OutputError, match="verdicts of other options"):
            Journal(path, options="credentials", names={"a"})
        assert path.read_bytes() == before
        with Journal(path, options="mark") as journal:
            assert len(journal) == 1

    def test_rows_that_note_no_options_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        path.write_text(json.dumps(row("a")) + "\n", encoding="utf-8")
        with pytest.raises(OutputError, match="verdicts of other options"):
            Journal(path)

    def test_what_failed_is_done_again_by_a_run_that_names_it(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        with Journal(path) as journal:
            for name in ("a", "b", "c", "d"):
                journal.add(row(name) | ({"error": {}} if name in "bd" else {}))
        with Journal(path, names={"a", "b", "c"}) as journal:
            assert ("a" in journal, "b" in journal, "d" in journal) == (True, False, True)
            assert journal.again == 1
            journal.add(row("b"))
            with pytest.raises(OutputError, match=r"^Another run is writing"):
                Journal(path)
            assert [entry["file"] for entry in journal.rows()] == ["a", "c", "d", "b"]
        assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]

    @pytest.mark.parametrize("change", ["size", "time", "nothing", "gone"])
    def test_a_file_that_changed_is_done_again(self, change: str, tmp_path: Path) -> None:
        path, clip = tmp_path / "out.jsonl", tmp_path / "clip.mp4"
        clip.write_bytes(b"first")
        with Journal(path) as journal:
            journal.begin(str(clip))
            journal.add(row(str(clip)))
        if change == "size":
            found = clip.stat()
            clip.write_bytes(b"second")
            os.utime(clip, ns=(found.st_atime_ns, found.st_mtime_ns))
        elif change == "time":
            os.utime(clip, ns=(0, 0))
        elif change == "gone":
            clip.unlink()
        with Journal(path, names={str(clip)}) as journal:
            assert (str(clip) in journal) is (change in ("nothing", "gone"))

    def test_a_file_that_changes_while_it_is_audited_is_done_again(self, tmp_path: Path) -> None:
        path, clip = tmp_path / "out.jsonl", tmp_path / "clip.mp4"
        clip.write_bytes(b"first")
        with Journal(path) as journal:
            journal.begin(str(clip))
            clip.write_bytes(b"second")
            journal.add(row(str(clip)))
        with Journal(path, names={str(clip)}) as journal:
            assert str(clip) not in journal

    def test_nothing_is_lost_when_rows_cannot_be_dropped(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "out.jsonl"
        with Journal(path) as journal:
            journal.add(row("a"))
            journal.add(row("b") | {"error": {}})
        before = path.read_bytes()
        monkeypatch.setattr(Path, "replace", _no_space)
        with pytest.raises(OutputError, match="cannot be written"):
            Journal(path, names={"b"})
        assert path.read_bytes() == before
        assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]

    def test_what_takes_the_place_of_the_file_is_on_the_disk_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "out.jsonl"
        with Journal(path) as journal:
            journal.add(row("a"))
            journal.add(row("b") | {"error": {}})
        done: list[object] = []
        replace = Path.replace
        monkeypatch.setattr(journal_module.os, "fsync", lambda file: done.append(os.fstat(file)))
        monkeypatch.setattr(Path, "replace", lambda *two: (done.append("placed"), replace(*two)))
        with Journal(path, names={"b"}):
            synced, placed = done
        assert placed == "placed"
        assert isinstance(synced, os.stat_result)
        assert synced.st_size == path.stat().st_size > 0

    def test_a_link_stays_one(self, tmp_path: Path) -> None:
        path, link = tmp_path / "out.jsonl", tmp_path / "link.jsonl"
        link.symlink_to(path)
        with Journal(link) as journal:
            journal.add(row("b") | {"error": {}})
        path.chmod(0o640)
        with Journal(link, names={"b"}) as journal:
            journal.add(row("b"))
        assert link.is_symlink()
        assert path.stat().st_mode & 0o777 == 0o640
        assert json.loads(path.read_text(encoding="utf-8"))["file"] == "b"
