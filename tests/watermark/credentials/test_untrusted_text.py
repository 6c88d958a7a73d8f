"""Strings of others are one line, printable and bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vidigree.watermark.credentials.untrusted_text import MAX_TEXT_LENGTH, bounded_text


@given(st.text(max_size=2000))
def test_any_text_becomes_one_bounded_line(text: str) -> None:
    clean = bounded_text(text)
    assert len(clean) <= MAX_TEXT_LENGTH
    assert len(clean.splitlines()) <= 1
    assert not any(ord(character) < 32 for character in clean)


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), max_size=200))
def test_plain_text_is_kept(text: str) -> None:
    assert bounded_text(text) == text


def test_direction_and_terminal_tricks_are_gone() -> None:
    assert bounded_text("abc\u202egpj.exe\x1b[31m") == "abc gpj.exe [31m"


def test_huge_text_is_cut_at_a_constant_cost() -> None:
    assert bounded_text("x" * 10_000_000).endswith("…")


def test_nothing_is_empty() -> None:
    assert bounded_text(None) == ""
