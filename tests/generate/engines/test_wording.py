"""What the embedded model is told of a prompt, and what the user is told about it."""

from __future__ import annotations

import pytest

from vidigree.generate.engines.nano.weights import known_words, model_folder
from vidigree.generate.engines.wording import reword
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


@pytest.mark.parametrize(
    ("prompt", "several"),
    [
        ("a red ball and a blue cube", ("ball", "cube")),
        ("a ball rolling and bouncing left and right", ("rolling", "bouncing", "left", "right")),
        ("a ball standing still on snow at sunset on a day under a red sky", ()),
        ("a ball on grass at night at dusk", ("night", "dusk")),
        ("two red balls", ()),
    ],
)
def test_what_the_models_saw_one_of_is_named_where_there_are_several(
    prompt: str, several: tuple[str, ...]
) -> None:
    assert reword(prompt, known_words(model_folder())).several == several


def test_something_is_a_thing_a_ground_or_a_sky() -> None:
    known = known_words(model_folder())
    assert not reword("something rolling", known).says_something
    assert reword("the beach at night", known).says_something
