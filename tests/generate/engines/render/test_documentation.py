"""The page about generating names every word that the renderer knows, and every option."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from vidigree.generate import engine_registry
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


def _rows(head: str) -> list[list[str]]:
    """Return the cells of the table that begins with a line."""
    lines = PAGE.split(f"\n{head}")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_documented_word_is_known() -> None:
    known = {word for slot in known_words().values() for word in slot}
    words = {word.strip() for row in _rows("| slot |") for word in row[1].split(",")}
    assert words - known == {"1 to 30"}


def test_the_table_of_engines_is_what_is_registered() -> None:
    told, above = {}, ""
    for name, family, tasks, needs in _rows("| name | family |"):
        above = above if needs == "the same" else needs
        told[name.split("`")[1]] = (family, tasks, "a model" in above.split("`")[-1])
    known = {
        name: (
            info.family,
            f"{', '.join(task.removesuffix('to-video') for task in info.tasks)}to-video",
            info.needs_model,
        )
        for name in engine_registry
        for info in [engine_registry.get(name).info]
    }
    assert told == known
