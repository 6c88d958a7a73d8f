"""``vidigree audit``: what it prints, where, and how it exits."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vidigree.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
FAST = ["--only", "credentials"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["audit", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    return caught.value.code, out, err


def test_plain_text_begins_with_file_and_finding(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, str(clip), *FAST)
    assert (code, err) == (0, "")
    assert out.startswith(f"{clip}: no-evidence (confidence: low)\n")
    assert "Not checked, as asked." in out
    assert "\x1b" not in out


def test_json_is_one_object_a_file(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.mp4"
    other.symlink_to(clip)
    _, out, _ = run(capsys, str(clip), str(other), str(clip), "--json", *FAST)
    rows = [json.loads(line) for line in out.splitlines()]
    assert sorted(row["file"] for row in rows) == sorted([str(clip), str(other)])


def test_explain_says_what_is_proved(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, str(clip), "--explain", *FAST)
    assert "Does not prove:" in out


def test_chinese(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, str(clip), "--language", "zh", *FAST)
    assert "未发现生成的证据" in out


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "folder"])
def test_bad_input_is_one_line(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("text\n" * 100, encoding="utf-8")
    elif kind == "folder":
        path.mkdir()
    code, out, err = run(capsys, str(path), *FAST)
    assert code in (2, 3)
    assert out == ""
    assert err.startswith("vidigree: ")
    assert err.count("\n") == 1


def test_one_bad_file_does_not_cost_the_others(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, str(tmp_path / "none.mp4"), str(clip), "--json", *FAST)
    assert code == 3
    rows = {row["file"]: row for row in map(json.loads, out.splitlines())}
    assert rows[str(tmp_path / "none.mp4")]["error"]["kind"] == "MediaNotFoundError"
    assert rows[str(clip)]["finding"] == "no-evidence"
    assert [line.partition(":")[0] for line in err.splitlines()] == ["vidigree", "2 clips"]


def test_exit_code_is_the_highest_finding(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "home"
    broken.mkdir()
    (broken / "ledger.sqlite3").write_bytes(b"no database" * 200)
    code, _, _ = run(capsys, str(clip), "--only", "ledger")
    assert code == 13


@pytest.mark.parametrize("option", ["-o", "--report"])
def test_a_place_that_cannot_be_written_is_told_before_any_work(
    option: str, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / ("x.jsonl" if option == "-o" else "x.html")
    place.mkdir()
    code, out, err = run(capsys, str(clip), option, str(place), *FAST)
    assert (code, out) == (4, "")
    assert "is a folder" in err


@pytest.mark.parametrize(
    ("option", "suffix"), [("-o", ".jsonl"), ("-o", ".csv"), ("--report", ".html")]
)
def test_a_name_that_is_too_long_is_told_before_any_work(
    option: str, suffix: str, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "x" * (256 - len(suffix)) + suffix
    code, out, err = run(capsys, str(clip), option, str(tmp_path / name), *FAST)
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert "too long" in err


def test_on_a_terminal_it_is_a_panel(clip: Path) -> None:
    if shutil.which("script") is None:
        pytest.skip("script(1) is not here to make a terminal")
    command = f"{sys.executable} -m vidigree.cli audit {clip} --only credentials"
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ
        | {"PYTHONPATH": str(ROOT / "typings"), "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    assert done.returncode == 0, done.stdout
    assert "╭" in done.stdout
    assert "No evidence of generation found" in done.stdout


class TestMany:
    """Several clips at once: lists, files, and going on after an interruption."""

    @pytest.fixture
    def folder(self, clip: Path, tmp_path: Path) -> Path:
        folder = tmp_path / "clips"
        folder.mkdir()
        for number in range(7):
            (folder / f"{number}.mp4").symlink_to(clip)
        return folder

    def test_many_are_one_line_each_and_a_sum(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, err = run(capsys, str(folder), "--jobs", "2", *FAST)
        assert code == 0
        assert sorted(line.split()[0] for line in out.splitlines()) == ["no-evidence"] * 7
        assert err == "7 clips: 7 no-evidence\n"

    @pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
    def test_an_output_file_goes_on_where_it_was_interrupted(
        self, suffix: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        output = tmp_path / f"out{suffix}"
        journal = output if suffix == ".jsonl" else tmp_path / f"out{suffix}.jsonl"
        run(capsys, str(folder / "0.mp4"), str(folder / "1.mp4"), "-o", str(output), *FAST)
        with journal.open("a", encoding="utf-8") as stream:
            stream.write('{"schema": "vidigree-verdict/1.0", "file": "cut off')
        _, _, err = run(capsys, str(folder), "-o", str(output), *FAST)
        assert "2 clips were audited before." in err
        files = [json.loads(line)["file"] for line in journal.read_text("utf-8").splitlines()]
        assert sorted(files) == sorted(str(path) for path in folder.iterdir())
        assert output.stat().st_size > 0

    def test_other_options_do_not_take_an_output_file_up(
        self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        output, policy = tmp_path / "out.jsonl", tmp_path / "own.toml"
        policy.write_bytes((ROOT / "detect" / "policies" / "platform.toml").read_bytes())
        arguments = [str(folder / "0.mp4"), "-o", str(output), "--policy", str(policy)]
        assert run(capsys, *arguments, *FAST)[0] == 0
        code, _, err = run(capsys, *arguments, "--only", "mark")
        assert code == 4
        assert "verdicts of other options" in err
        assert "1 clip was audited before." in run(capsys, *arguments, *FAST, "--jobs", "2")[2]
        policy.write_text(policy.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
        assert run(capsys, *arguments, *FAST)[0] == 4

    def test_what_failed_is_tried_again(
        self, folder: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        output, late = tmp_path / "out.csv", tmp_path / "late.mp4"
        arguments = [str(folder / "0.mp4"), str(late), "-o", str(output), *FAST]
        assert run(capsys, *arguments)[0] == 3
        late.symlink_to(clip)
        code, _, err = run(capsys, *arguments)
        assert code == 0
        assert "1 clip was audited before.\n1 is audited again: it failed" in err
        assert "error" not in output.with_name("out.csv.jsonl").read_text(encoding="utf-8")

    def test_killed_in_the_middle_nothing_is_lost_or_doubled(
        self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        output = tmp_path / "out.jsonl"
        command = [sys.executable, "-m", "vidigree.cli", "audit", str(folder), "-o", str(output)]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "typings")}
        running = subprocess.Popen(
            [*command, *FAST], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        deadline = time.monotonic() + 60
        while not (output.exists() and output.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        running.kill()
        running.communicate()
        code, _, err = run(capsys, str(folder), "-o", str(output), *FAST)
        assert code == 0
        assert "audited before" in err
        files = [json.loads(line)["file"] for line in output.read_text("utf-8").splitlines()]
        assert sorted(files) == sorted(str(path) for path in folder.iterdir())

    def test_a_report_of_many_is_one_page(
        self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        report = tmp_path / "report.html"
        run(capsys, str(folder), "--report", str(report), "--policy", "platform", *FAST)
        page = report.read_text(encoding="utf-8")
        assert page.count('<details class="clip') == 7
        assert "data:image/jpeg;base64," in page

    def test_standard_input_is_a_list(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{folder / '3.mp4'}\n"))
        _, out, _ = run(capsys, "-", "--json", *FAST)
        assert json.loads(out)["file"] == str(folder / "3.mp4")


def test_a_policy_says_what_to_do(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, str(clip), "--policy", "newsroom", *FAST)
    assert "policy newsroom 2: review." in out


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "out.txt"],
        ["--policy", "none"],
        ["--policy", ""],
        ["--ledger", ""],
        ["--report", "/none/report.html"],
        ["-o", "/none/out.csv"],
    ],
)
def test_mistakes_are_told_before_anything_is_audited(
    options: list[str], clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, str(clip), *options, *FAST)
    assert code in (2, 4)
    assert out == ""
    assert err.count("\n") == 1


@pytest.mark.parametrize("option", ["--report", "-o"])
def test_inputs_are_never_written_over(
    option: str, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / ("clips.html" if option == "--report" else "clips.jsonl")
    content = clip.read_bytes() if option == "--report" else f"{clip}\n".encode()
    path.write_bytes(content)
    indirect = tmp_path / "sub" / ".." / path.name
    (tmp_path / "sub").mkdir()
    code, _, err = run(capsys, str(path), option, str(indirect), *FAST)
    assert code == 2
    assert "would be overwritten" in err
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "option"),
    [("a.csv", "-o"), ("a.parquet", "-o"), ("a.jsonl", "-o"), ("a.html", "--report")],
)
def test_files_of_others_are_not_replaced(
    name: str, option: str, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / name
    target.write_text("name,phone\nbob,12", encoding="utf-8")
    code, _, err = run(capsys, str(clip), option, str(target), *FAST)
    assert code == 4
    assert err.startswith(f"vidigree: {target} is ")
    assert err.count("\n") == 1
    assert target.read_text(encoding="utf-8") == "name,phone\nbob,12"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("a.")] == [name]


def test_parquet_is_refused_before_any_audit_where_it_cannot_be_written(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, out, err = run(capsys, str(clip), "-o", str(tmp_path / "a.parquet"), *FAST)
    assert (code, out) == (2, "")
    assert "pip install 'vidigree[parquet]'" in err
    assert not list(tmp_path.glob("a.parquet*"))


@pytest.mark.parametrize(("name", "option"), [("a.csv", "-o"), ("a.html", "--report")])
def test_own_files_and_empty_ones_are_replaced(
    name: str, option: str, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / name
    target.touch()
    for _ in range(2):
        code, _, _ = run(capsys, str(clip), option, str(target), *FAST)
        assert code == 0
        assert clip.name in target.read_text(encoding="utf-8")


def test_restart_replaces_a_table_of_others(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "a.csv"
    target.write_text("name,phone\n", encoding="utf-8")
    code, _, _ = run(capsys, str(clip), "-o", str(target), "--restart", *FAST)
    assert code == 0
    assert target.read_text(encoding="utf-8").startswith("file,finding,")


def test_report_is_a_page_by_name(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(b"precious")
    code, _, err = run(capsys, str(clip), "--report", str(other), *FAST)
    assert (code, err.count("\n")) == (2, 1)
    assert other.read_bytes() == b"precious"


def test_file_names_cannot_forge_a_line_or_steer_the_terminal(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = tmp_path / "a\nb.mp4: declared-captured\x1b[31m\u202e.mp4"
    hostile.symlink_to(clip)
    _, out, _ = run(capsys, str(hostile), *FAST)
    assert out.startswith(
        f"{tmp_path}/a\\nb.mp4: declared-captured\\x1b[31m\\u202e.mp4: no-evidence"
    )
    assert not {"\x1b", "\u202e"} & set(out)


def test_the_ledger_may_be_named_by_the_environment(
    clip: Path,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = tmp_path / "named" / "ledger.sqlite3"
    monkeypatch.setenv("VIDIGREE_LEDGER", f"sqlite:///{missing}")
    assert f"There is no ledger {missing}." in run(capsys, str(clip), "--only", "ledger")[1]


def test_ledger_that_is_not_there_is_not_an_empty_one(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "typo" / "ledger.sqlite3"
    code, out, _ = run(capsys, str(clip), "--only", "ledger", "--ledger", f"sqlite:///{missing}")
    assert code == 13
    assert f"Not checked: There is no ledger {missing}." in out
    assert not missing.parent.exists()


def test_empty_list_is_not_a_clean_bill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    assert run(capsys, str(empty), *FAST)[0] == 2


def test_time_limit_must_be_a_number(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, str(clip), "--max-seconds", "nan", *FAST)
    assert code == 2
    assert "--max-seconds" in err


@pytest.mark.parametrize("url", ["http://[::1/clip.mp4", os.fsdecode(b"http://a/\xff.mp4")])
def test_a_url_must_be_one(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, url, *FAST)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is not a URL" in err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse names that are not UTF-8")
def test_names_that_are_not_utf8_are_written_and_found_again(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / os.fsdecode(b"bad\xff.mp4")
    odd.symlink_to(clip)
    table, page = tmp_path / "rows.csv", tmp_path / "page.html"
    arguments = [str(odd), "-o", str(table), "--report", str(page), *FAST]
    assert run(capsys, *arguments)[0] == 0
    assert "bad\\udcff.mp4" in table.read_text(encoding="utf-8")
    assert "bad\\udcff.mp4" in page.read_text(encoding="utf-8")
    assert "1 clip was audited before." in run(capsys, *arguments)[2]
