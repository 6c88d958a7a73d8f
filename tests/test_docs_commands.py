"""Every command line in the documentation can be called, and every option stands in it."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

import click
import pytest

from vidigree import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))
_BLOCK = re.compile(r"^```(?:console|sh|bash)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`vidigree ([^`]+)`")
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
_SPOKEN = re.compile(r"(?<!`)`(?:python )?(benchmarks/[^`]+)`")
_NAMED = re.compile(r"`((?:benchmarks|detect|docs|generate|media|tests|watermark)/[\w./-]+)`")
_SEPARATORS = {";", "|", "||", "&&", "do", "done", "!"}
_REDIRECTIONS = {"<", ">", ">>"}
_ASSIGNMENT = re.compile(r"[A-Z_]+=")
_PLACEHOLDER = re.compile(r"[A-Z$][A-Za-z_.]*|\.\.\.")
_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z0-9-]*")


def commands_in(block: str) -> Iterator[list[str]]:
    """Yield the commands of a block as words, without prompts, comments and redirections."""
    for line in block.replace("\\\n", " ").splitlines():
        if not line.startswith(("$ ", "> ")) and block.lstrip().startswith("$ "):
            continue  # output
        if not re.search(r"\b(?:vidigree|benchmarks)\b", line):
            continue
        words = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=";|&<>")
        words.whitespace_split = True
        command: list[str] = []
        skipped = False
        for word in [*words, ";"]:
            if skipped or word in _REDIRECTIONS:
                skipped = not skipped
            elif word in _SEPARATORS:
                if command:
                    yield command
                command = []
            elif command or not _ASSIGNMENT.match(word):
                command.append(word)


def blocks(page: Path) -> list[list[str]]:
    text = page.read_text(encoding="utf-8")
    return [command for block in _BLOCK.findall(text) for command in commands_in(block)]


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words call, and the words that are its own."""
    command: click.Command = cli._vidigree
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"there is no command {name!r}"
        command = found
    return command, rest


def complaint(words: list[str]) -> str:
    """Return what is wrong with a call, empty if it can be parsed."""
    try:
        command, rest = find(words)
        context = click.Context(command)
        given, extra, _ = command.make_parser(context).parse_args(rest)
        for parameter in command.params:
            value = given.get(parameter.name or "")
            if parameter.required and not value:
                return f"{parameter.name} is missing"
            for one in value if isinstance(value, list | tuple) else [value]:
                if isinstance(one, str) and not _PLACEHOLDER.fullmatch(one):
                    checked = click.Choice | click.IntRange | click.FloatRange
                    if isinstance(parameter.type, checked):
                        parameter.type.convert(one, parameter, context)
    except (AssertionError, click.ClickException) as error:
        return error.format_message() if isinstance(error, click.ClickException) else str(error)
    return "" if not extra or isinstance(command, click.Group) else f"{extra} is too much"


def test_what_is_looked_for_is_found() -> None:
    """Else every page would pass for having nothing in it."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    called = [words[0] for page in PAGES for words in blocks(page)]
    assert min(called.count("vidigree"), called.count("python")) >= 5
    assert min(len(found.findall(text)) for found in (_INLINE, _CODE, _SPOKEN, _NAMED)) >= 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_can_be_called(page: Path) -> None:
    calls = [words[1:] for words in blocks(page) if words[0] == "vidigree"]
    wrong = {shlex.join(words): why for words in calls if (why := complaint(words))}
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_in_the_text_exist(page: Path) -> None:
    wrong = {}
    for text in _INLINE.findall(page.read_text(encoding="utf-8")):
        if text.startswith("..."):
            continue
        try:
            command, _ = find(list(takewhile(re.compile(r"[a-z][a-z-]*").fullmatch, text.split())))
        except AssertionError as error:
            wrong[text] = str(error)
            continue
        known = {name for row in command.params for name in (*row.opts, *row.secondary_opts)}
        if unknown := set(_OPTION.findall(text)) - known - {"--help", "--debug", "--version"}:
            wrong[text] = str(sorted(unknown))
    assert wrong == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_benchmarks_that_are_named_take_these_options(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    spoken = [span.split() for span in _SPOKEN.findall(text)]
    called = [words[1:] for words in blocks(page) if words[0] in ("python", "python3")]
    for words in [*spoken, *called]:
        script = ROOT / words[0]
        if script.suffix == ".py":
            source = script.read_text(encoding="utf-8")
            for option in _OPTION.findall(" ".join(words[1:])):
                assert f'"{option}"' in source, f"{words[0]} {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_are_named_are_there(page: Path) -> None:
    named = _NAMED.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("script", BENCHMARKS, ids=lambda script: script.stem)
def test_benchmarks_take_what_their_usage_says_and_import_what_there_is(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    tree = ast.parse(source)
    usage = (ast.get_docstring(tree) or "").replace("\\\n", " ")
    for line in re.findall(r"python benchmarks/.*", usage):
        assert line.startswith(f"python benchmarks/{script.name}")
        for option in _OPTION.findall(line):
            assert f'"{option}"' in source, option
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vidigree"):
            module = importlib.import_module(node.module or "")
            for name in (alias.name for alias in node.names):
                assert hasattr(module, name) or find_spec(f"{node.module}.{name}"), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_examples_import_what_there_is(page: Path) -> None:
    for code in _CODE.findall(page.read_text(encoding="utf-8")):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vidigree"):
                module = importlib.import_module(node.module or "")
                assert {name.name for name in node.names} <= set(module.__all__)


def _options(command: click.Command, path: str) -> Iterator[tuple[str, list[str]]]:
    for row in command.params:
        if isinstance(row, click.Option) and "--help" not in row.opts:
            yield path, [*row.opts, *row.secondary_opts]
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), name)
            assert found is not None
            yield from _options(found, f"{path} {name}")


def test_every_option_stands_in_a_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(_OPTION.findall(text))
    missing = [
        f"{path} {'/'.join(names)}"
        for path, names in _options(cli._vidigree, "vidigree")
        if not named & set(names)
    ]
    assert missing == []


def test_every_option_of_the_classifier_stands_in_its_page() -> None:
    named = set(_OPTION.findall((ROOT / "docs" / "classifier.md").read_text(encoding="utf-8")))
    options = [names for path, names in _options(cli._vidigree, "") if "classifier" in path]
    assert options
    assert [names for names in options if not named & set(names)] == []


def _groups(command: click.Command) -> Iterator[click.Group]:
    if isinstance(command, click.Group):
        yield command
        for name in command.list_commands(click.Context(command)):
            yield from _groups(command.get_command(click.Context(command), name) or command)


def test_no_line_of_a_listing_is_cut() -> None:
    for group in _groups(cli._vidigree):
        shown = group.get_help(click.Context(group, info_name="vidigree", terminal_width=80))
        assert not re.search(r"\.\.\.$", shown.split("Commands:")[1], re.MULTILINE), shown


def test_every_option_has_help() -> None:
    mute = [
        f"{group.name} {option.opts}"
        for group in _groups(cli._vidigree)
        for name in group.list_commands(click.Context(group))
        for option in getattr(group.get_command(click.Context(group), name), "params", [])
        if isinstance(option, click.Option) and not option.help
    ]
    assert mute == []


def test_every_command_stands_in_a_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    paths = {path for path, _ in _options(cli._vidigree, "vidigree")} - {"vidigree"}
    missing = [
        path
        for path in sorted(paths)
        if path.removeprefix("vidigree ") not in text and f"`{path.rpartition(' ')[2]}`" not in text
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("nonsense", "no command"),
        ("generate 'a ball' --nonsense", "No such option"),
        ("generate 'a ball' two -o a.mp4", "too much"),
        ("stamp a.mp4", "output is missing"),
        ("stamp a.mp4 -o b.mp4 --crf 99", "not in the range"),
        ("audit a.mp4 --only nonsense", "is not one of"),
        ("audit a.mp4 --only mark --json", ""),
    ],
)
def test_a_wrong_call_is_noticed(call: str, why: str) -> None:
    told = complaint(shlex.split(call))
    assert why in told
    assert bool(told) is bool(why)


def test_calls_are_found_in_blocks() -> None:
    block = "$ A=1 vidigree audit x \\\n    --json > y  # why\nvidigree is output\n"
    assert list(commands_in(block)) == [["vidigree", "audit", "x", "--json"]]
    assert list(commands_in("for s in a b; do vidigree x $s; done")) == [
        ["for", "s", "in", "a", "b"],
        ["vidigree", "x", "$s"],
    ]


def test_every_environment_variable_is_told_of() -> None:
    rooms = [
        path
        for room in ("detect", "generate", "media", "watermark")
        for path in ROOT.glob(f"{room}/**/*.py")
    ]
    variable = re.compile(r"VIDIGREE_[A-Z]+(?:_[A-Z]+)*")
    read = {name for path in rooms for name in variable.findall(path.read_text(encoding="utf-8"))}
    told = {name for page in PAGES for name in variable.findall(page.read_text(encoding="utf-8"))}
    assert read == told - {"VIDIGREE_UPDATE_DOCS"}  # which only the tests read


def test_help_names_the_environment_variable_of_an_option() -> None:
    commands = [
        group.get_command(click.Context(group), name)
        for group in _groups(cli._vidigree)
        for name in group.list_commands(click.Context(group))
    ]
    read = [
        option
        for command in commands
        for option in getattr(command, "params", [])
        if isinstance(option, click.Option) and option.envvar
    ]
    assert {option.envvar for option in read} == {"VIDIGREE_LEDGER"}
    assert [option.opts for option in read if f"${option.envvar}" not in (option.help or "")] == []
