"""docs/signing.md and docs/compliance.md name only what there is, and the table is the profiles."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from vidigree.detect.commands import audit
from vidigree.generate.commands import generate
from vidigree.watermark.commands import stamp
from vidigree.watermark.config import Config
from vidigree.watermark.credentials.commands import keys
from vidigree.watermark.credentials.signers import signers
from vidigree.watermark.credentials.trust_commands import trust
from vidigree.watermark.profiles import PROFILES

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOREIGN = {  # options of softhsm2-util
    *("--init-token", "--free", "--label", "--pin", "--so-pin", "--import", "--id"),
}


def options(*commands: click.Command) -> set[str]:
    found: set[str] = set()
    for command in commands:
        found |= {name for parameter in command.params for name in parameter.opts}
        if isinstance(command, click.Group):
            found |= options(*command.commands.values())
    return found


@pytest.mark.parametrize("page", ["signing.md", "compliance.md"])
def test_every_option_named_exists(page: str) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", (DOCS / page).read_text("utf-8")))
    assert named - FOREIGN - options(keys, trust, stamp, generate, audit) == set()


def test_every_kind_of_signer_is_told_of() -> None:
    text = (DOCS / "signing.md").read_text("utf-8")
    told = set(re.findall(r"(?m)^\| `(\w+)` \| `keys use", text))
    assert told == set(signers.names()) == set(keys.commands["use"].commands)  # type: ignore[attr-defined]


def test_settings_in_the_page_are_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (DOCS / "signing.md").read_text("utf-8"), re.S)
    (tmp_path / "config.toml").write_text(example)
    config = Config.load(tmp_path)
    assert config.profile == tomllib.loads(example)["profile"]
    assert config.timestamping.policy == "require"
    assert config.provider.content_producer


def test_table_of_profiles_is_true() -> None:
    text = (DOCS / "compliance.md").read_text("utf-8")
    rows = {
        cells[0]: cells[1:]
        for cells in (
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in text.split("\n\n")[2].splitlines()
        )
    }
    names = [name.strip("`") for name in rows[""]]
    assert names == list(PROFILES)
    for index, profile in enumerate(PROFILES.values()):
        told = {name: cells[index] for name, cells in rows.items()}
        assert (told["`AIGC` container tag"] == "yes") is profile.aigc
        assert (told["provider's name needed"] == "yes") is profile.needs_provider
        assert (told["notes a missing time stamp"] == "yes") is profile.wants_timestamp
        (fields,) = [told[name] for name in told if name.startswith("IPTC")]
        assert (fields == "yes") is profile.xmp
        label = told["visible label"]
        if profile.label is None:
            assert label in ("–", "with `--label`")
        else:
            assert f"`{profile.label.generated[0]}`" in label
            seconds = profile.label.seconds
            assert ("whole clip" if seconds is None else f"first {seconds} seconds") in label


def test_every_status_code_of_our_own_is_told_of() -> None:
    text = (DOCS / "credentials.md").read_text("utf-8").split("## Status codes of our own")[1]
    told: set[str] = set()
    for cell in re.findall(r"(?m)^\| (`vidigree\.[^|]*) \|", text):
        first, *others = re.findall(r"`([\w.]+)`", cell)
        told |= {first, *(f"{first.rpartition('.')[0]}.{name}" for name in others)}
    sources = (DOCS.parent / "watermark" / "credentials").rglob("*.py")
    code = re.compile(r"vidigree\.(?:container|manifest|ingredients)\.[a-z]\w+")
    assert told == {name for path in sources for name in code.findall(path.read_text("utf-8"))}
