"""Prompts become numbers of known words; what is not known is named."""

from __future__ import annotations

from vidigree.generate.engines.departures import word_notes
from vidigree.generate.engines.families.vocabulary import LONGEST_CAPTION, Vocabulary
from vidigree.generate.engines.render.vocabulary import words_of

WORDS = Vocabulary(("a", "ball", "on", "red", "snow"))


def test_words_are_lower_case_without_punctuation() -> None:
    assert words_of("A red ball, on SNOW!") == ["a", "red", "ball", "on", "snow"]


def test_numbers_begin_at_one_in_the_order_of_the_words() -> None:
    assert WORDS.read("a red ball").numbers == (1, 4, 2)


def test_unknown_words_are_named_once() -> None:
    reading = WORDS.read("a wolf and a wolf eat a red ball")
    assert reading.wording.unknown == ("wolf", "eat")
    assert reading.numbers == (1, 1, 1, 4, 2)


def test_words_of_the_same_meaning_stand_for_each_other() -> None:
    reading = WORDS.read("a crimson ball")
    assert reading.numbers == (1, 4, 2)
    assert reading.wording.unknown == ()


def test_a_place_beside_something_is_unknown_and_no_direction() -> None:
    words = Vocabulary(("a", "ball", "cube", "left", "of", "rolling", "the", "to"))
    reading = words.read("a ball to the left of a cube rolling left")
    assert reading.wording.unknown == ("to the left of",)
    assert reading.numbers == (1, 2, 1, 3, 6, 4)
    assert words.read("a ball left of a cube, behind a cube").wording.unknown == (
        "left of",
        "behind",
    )
    assert words.read("a ball rolling to the left").numbers == (1, 2, 6, 8, 7, 4)


def test_long_prompts_are_cut_and_said_so() -> None:
    reading = WORDS.read("red " * LONGEST_CAPTION + "ball on snow")
    assert len(reading.numbers) == LONGEST_CAPTION
    assert word_notes(reading.wording, LONGEST_CAPTION) == [
        "reads 32 words; left out: 'ball', 'on', 'snow'."
    ]
