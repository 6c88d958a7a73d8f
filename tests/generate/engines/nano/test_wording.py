"""What the embedded model is told of a prompt, and what the user is told about it."""

from __future__ import annotations

import pytest

from vidigree.generate.engines.nano.weights import model_folder
from vidigree.generate.engines.nano.wording import known_words, reword
from vidigree.generate.training import caption_words


def test_the_model_knows_the_words_of_its_captions() -> None:
    assert known_words(model_folder()) == frozenset(caption_words())


@pytest.mark.parametrize(
    ("prompt", "text", "unknown"),
    [
        ("A red ball rolling left.", "a red ball rolling left", ()),
        ("a globe on the meadow", "a ball on the meadow", ()),
        ("a fierce dragon on sand", "a on sand", ("fierce", "dragon")),
        ("a ball, a ball and the dragon", "a ball a ball the", ("dragon",)),
        ("two balls tumbling", "two balls", ("tumbling",)),
        ("a ball to the left of a cube", "a ball a cube", ("to the left of",)),
        ("a ball right of a cube rolling left", "a ball a cube rolling left", ("right of",)),
        ("a ball behind a cube", "a ball a cube", ("behind",)),
    ],
)
def test_words_are_kept_replaced_dropped_or_named(
    prompt: str, text: str, unknown: tuple[str, ...]
) -> None:
    wording = reword(prompt, known_words(model_folder()))
    assert wording.text == text
    assert wording.unknown == unknown


def test_kinds_of_things_are_counted() -> None:
    known = known_words(model_folder())
    assert reword("a red ball and a blue cube", known).things == 2
    assert reword("two red balls", known).things == 1
    assert not reword("something rolling", known).says_something
    assert reword("the beach at night", known).says_something
