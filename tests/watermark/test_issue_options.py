"""The command line overrules config.toml, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from vidigree.media.errors import LedgerError, UsageError
from vidigree.watermark.credentials import init_identity
from vidigree.watermark.issue_options import IssueOptions, issue_options


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("VIDIGREE_HOME", str(folder))
    init_identity()
    (folder / "config.toml").write_text(
        'profile = "cn"\n[timestamp]\nurl = "http://one.example"\npolicy = "try"\n'
        '[provider]\nname = "Example"\ncontent_producer = "001"\n'
    )
    return folder


def parsed(*arguments: str) -> IssueOptions:
    found: list[IssueOptions] = []

    @click.command()
    @issue_options
    def command(issuing: IssueOptions) -> None:
        found.append(issuing)

    done = CliRunner().invoke(command, list(arguments), standalone_mode=False)
    if done.exception:
        raise done.exception
    return found[0]


def test_nothing_said_follows_the_file() -> None:
    settings = parsed().settings(crf=20)
    assert settings.profile.name == "cn"
    assert settings.provider.name == "Example"
    assert (settings.timestamping.policy, settings.timestamping.url) == (
        "try",
        "http://one.example",
    )
    assert settings.label is None
    assert settings.crf == 20


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--profile", "eu"), {"profile": "eu"}),
        (("--provider", "Other"), {"provider": "Other"}),
        (("--tsa", "http://two.example"), {"policy": "require", "url": "http://two.example"}),
        (("--timestamp", "require"), {"policy": "require", "url": "http://one.example"}),
        (("--timestamp", "none"), {"policy": "none"}),
        (("--label", "ROBOT"), {"label": "ROBOT"}),
        (("--no-label",), {"label": ""}),
    ],
)
def test_what_is_said_overrules_it(arguments: tuple[str, ...], expected: dict[str, Any]) -> None:
    settings = parsed(*arguments).settings()
    got = {
        "profile": settings.profile.name,
        "provider": settings.provider.name,
        "policy": settings.timestamping.policy,
        "url": settings.timestamping.url,
        "label": settings.label,
    }
    assert {name: got[name] for name in expected} == expected
    assert settings.provider.content_producer == "001"


def test_clips_are_recorded_in_the_ledger_that_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed().settings().ledger.close()
    assert (home / "ledger.sqlite3").exists()
    for name in ("option", "variable"):
        file = home / f"{name}.sqlite3"
        monkeypatch.setenv("VIDIGREE_LEDGER", f"sqlite:///{home / 'variable.sqlite3'}")
        said = ("--ledger", f"sqlite:///{file}") if name == "option" else ()
        assert not file.exists()
        parsed(*said).settings().ledger.close()
        assert file.exists()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:kept?mode=memory&uri=true",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:/kept?vfs=memdb&uri=true",
    ],
)
def test_no_clip_is_recorded_where_no_record_stays(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LedgerError, match=r"lies in memory.* Name a file"):
        parsed("--ledger", url).settings()
    kept = f"sqlite:///file:{tmp_path}/kept.sqlite3?uri=true"
    parsed("--ledger", kept).settings().ledger.close()
    assert (tmp_path / "kept.sqlite3").exists()


def test_stamp_without_an_authority_is_refused(home: Path) -> None:
    (home / "config.toml").unlink()
    with pytest.raises(UsageError, match="no authority is named"):
        parsed("--timestamp", "require").settings()


@pytest.mark.parametrize("arguments", [("--label", " "), ("--label", "x", "--no-label")])
def test_labels_that_contradict_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError, match="--label"):
        parsed(*arguments)


@pytest.mark.parametrize("option", ["--provider", "--tsa", "--ledger"])
@pytest.mark.parametrize("value", ["", " "])
def test_options_without_a_value_do_not_pass_for_the_default(option: str, value: str) -> None:
    with pytest.raises(click.UsageError, match=f"{option} is empty"):
        parsed(option, value)


@pytest.mark.parametrize(
    "wrong",
    [{"crf": float("nan")}, {"crf": 51.1}, {"crf": -0.1}, {"crf": 52}, {"preset": "rubbish"}],
)
def test_quality_that_means_nothing_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        parsed().settings(**wrong)
    assert "part.mp4" not in str(caught.value)


@pytest.mark.parametrize("crf", [0, 0.5, 51])
def test_ends_of_the_range_of_qualities_belong_to_it(crf: float) -> None:
    assert parsed().settings(crf=crf).crf == crf


@pytest.mark.parametrize(
    "preset",
    [
        *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"),
        *("veryslow", "placebo"),
    ],
)
def test_every_preset_of_the_encoder_is_taken(preset: str) -> None:
    assert parsed().settings(preset=preset).preset == preset
