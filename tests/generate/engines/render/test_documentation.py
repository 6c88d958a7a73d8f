"""The page about generating names every word that the renderer knows, and every option."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from vidigree.generate.engines.diffusers.options import DiffusersOptions
from vidigree.generate.engines.render.vocabulary import known_words

PAGE = (Path(__file__).parents[4] / "docs" / "generate.md").read_text(encoding="utf-8")


def test_every_word_is_documented() -> None:
    table = [line for line in PAGE.splitlines() if line.startswith("| ")]
    words = {word.strip() for line in table for word in line.strip("|").split("|")[-1].split(",")}
    known = {word for slot in known_words().values() for word in slot if not word.isdigit()}
    plurals = {word for word in known if word in known_words()["shape plural"]}
    assert (known - plurals) - words == set()


def test_every_option_is_documented() -> None:
    for field in fields(DiffusersOptions):
        assert f"`{field.name}" in PAGE, field.name
