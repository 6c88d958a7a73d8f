"""What prompts mean to the renderer, and which words it says it does not know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidigree.generate.engines.render import read_prompt
from vidigree.generate.engines.render.unheeded import unheeded
from vidigree.generate.engines.render.vocabulary import (
    FILLER,
    LEXICON,
    known_words,
    listed,
    not_drawn,
    words_of,
)


def test_the_readme_prompt() -> None:
    reading = read_prompt("two red balls bouncing on a wooden floor")
    (balls,) = reading.objects
    assert (balls.count, balls.colour, balls.shape, balls.motion) == (2, "red", "sphere", "bounce")
    assert reading.ground == "wood"
    assert reading.unknown == ()


def test_one_verb_moves_all_objects_before_it() -> None:
    reading = read_prompt("a red ball and a blue cube sliding left, and a green cone")
    assert [o.motion for o in reading.objects] == ["slide", "slide", None]
    assert [o.direction for o in reading.objects] == ["left", "left", None]
    assert [o.colour for o in reading.objects] == ["red", "blue", "green"]


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_place_beside_something_is_no_direction(side: str) -> None:
    reading = read_prompt(f"a red cube {side} of a ball and a cone to the {side} of it")
    assert [o.direction for o in reading.objects] == [None, None, None]
    assert [each.words for each in reading.relations] == [f"{side} of"]
    assert reading.unknown == (f"to the {side} of",)
    (ball,) = read_prompt(f"a ball seen from above rolling to the {side}").objects
    assert ball.direction == side
    assert read_prompt("a ball seen from above").unknown == ()


def test_a_verb_before_the_noun_moves_only_that_noun() -> None:
    reading = read_prompt("a bouncing red ball and a spinning cube")
    assert [o.motion for o in reading.objects] == ["bounce", "spin"]


def test_adjectives_of_the_ground_do_not_stick_to_bodies() -> None:
    reading = read_prompt("a ball on a checkered floor under a grey sky")
    assert reading.objects[0].pattern is None
    assert reading.ground == "checker"
    assert reading.sky == "overcast"


@pytest.mark.parametrize(
    ("prompt", "bodies", "ground"),
    [
        ("a marble rolling on a wooden floor", [(1, "roll")], "wood"),
        ("three marbles rolling on marble", [(3, "roll")], "marble"),
        ("a ball on marble bouncing", [(1, "bounce")], "marble"),
        ("a ball over polished white marble bouncing", [(1, "bounce")], "marble"),
        ("a cube onto marble falling", [(1, "fall")], "marble"),
        ("a big white marble bouncing on grass", [(1, "bounce")], "grass"),
        ("a cube falling onto a white marble floor", [(1, "fall")], "marble"),
    ],
)
def test_a_marble_that_moves_is_a_ball_and_a_marble_floor_a_floor(
    prompt: str, bodies: list[tuple[int, str]], ground: str
) -> None:
    reading = read_prompt(prompt)
    assert [(each.count, each.motion) for each in reading.objects] == bodies
    assert reading.ground == ground
    assert reading.unknown == ()


def test_arrangements_count_what_they_are_of() -> None:
    (cubes,) = read_prompt("a tower of five wooden cubes collapsing").objects
    assert (cubes.arrangement, cubes.count, cubes.materials) == ("tower", 5, ("wood",))
    assert cubes.motion == "topple"


def test_two_towers_are_two() -> None:
    towers = read_prompt("two towers of five red cubes").objects
    assert [(o.arrangement, o.count, o.colour) for o in towers] == 2 * [("tower", 5, "red")]
    (stacks, more) = read_prompt("a ball beside two stacks of blocks").objects[1:]
    assert (stacks.arrangement, stacks.count, more.arrangement) == ("tower", None, "tower")
    assert len(read_prompt("two towers of cubes and a ball").objects) == 3, "one ball"


def test_what_moves_into_a_thing_hits_it() -> None:
    motions = {
        "a ball rolling into a tower of cubes": ["collide", None],
        "a red ball rolling to the right into a cube": ["collide", None],
        "a ball rolling into the snow beside a cube": ["roll", None],
        "a ball rolling into the distance and a cube": ["roll", None],
        "a ball floating into a cube": ["hover", None],
    }
    for prompt, wanted in motions.items():
        assert [o.motion for o in read_prompt(prompt).objects] == wanted, prompt


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("3.5 balls and 1,000 cubes", ("3.5", "1,000")),
        ("a cat playing piano", ("cat", "playing", "piano")),
        ("A Red Ball, bouncing!", ()),
        ("a fluffy red ball and a fluffy cube", ("fluffy",)),
        ("", ()),
        ("красный ball über 草", ("красный", "über", "草")),
        ("a 🔴 ball → the right 👍🏽 🇩🇪 LEGO®", ("🔴", "→", "👍🏽", "🇩🇪", "lego")),
        ("एक गेंद re\u0301d", ("एक", "गेंद", "réd")),
    ],
)
def test_unknown_words_are_named_once_in_order(prompt: str, unknown: tuple[str, ...]) -> None:
    assert read_prompt(prompt).unknown == unknown


def test_every_word_of_the_vocabulary_is_understood_alone() -> None:
    for word, (slot, _) in LEXICON.items():
        alone = f"a ball {word} a cube" if slot == "place" else word
        assert read_prompt(alone).unknown == (), word
    assert sum(map(len, known_words().values())) == len(LEXICON)


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    words, unknown = words_of(text), read_prompt(text).unknown
    assert list(unknown) == [word for word in dict.fromkeys(words) if word in unknown]
    assert not set(unknown) & {*LEXICON, *FILLER}


def test_a_note_names_a_dozen_unknown_words() -> None:
    assert listed(("cat", "x" * 99)) == f"'cat', '{'x' * 40}'"
    many = listed([f"w{k}" for k in range(350)])
    assert many.startswith("'w0', 'w1'")
    assert many.endswith("'w11' and 338 more words")


@pytest.mark.parametrize(
    ("prompt", "denied"),
    [
        ("no ball", "'no'"),
        ("a ball that is not red and isn’t blue", "'not', \"isn't\""),
        ("zero cubes", "'zero'"),
        ("0 cubes without a shadow", "'0', 'without'"),
        ("neither ball nor cube", "'neither', 'nor'"),
        ("a ball in zero gravity", ""),
        ("a ball", ""),
    ],
)
def test_what_is_denied_is_not_told_as_an_unknown_word(prompt: str, denied: str) -> None:
    told = " ".join(not_drawn(read_prompt(prompt).unknown))
    assert ("does not understand" in told) == bool(denied)
    assert denied in told
    assert denied == "" or f"{denied}; what is denied is drawn all the same." in told
    assert "does not know 'no" not in told


def test_unknown_words_beside_denials_are_told_apart() -> None:
    unknown, denied = not_drawn(read_prompt("a purring ball, no dog").unknown)
    assert unknown == "does not know 'purring', 'dog'; drawn without."
    assert denied.startswith("does not understand 'no'; what is denied")
    assert denied.endswith("Name only what the clip should show.")


@pytest.mark.parametrize(
    ("prompt", "unused"),
    [
        ("the ball is red and shiny", ("red", "shiny")),
        ("red, green and blue balls", ("red", "green")),
        ("two dozen balls", ("two",)),
        ("a red row", ("red", "row")),
        ("a big ball, a dark blue", ("dark blue",)),
        ("a couple of red balls in a room under a blue sky", ()),
        ("a tower of five red cubes and a ball", ()),
        ("two towers of shiny blocks on a red floor", ()),
        ("a red ball and a", ()),
    ],
)
def test_words_that_describe_nothing_are_named(prompt: str, unused: tuple[str, ...]) -> None:
    reading = read_prompt(prompt)
    assert (reading.unused, reading.unknown) == (unused, ())


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("a ball rolling and bouncing left and right", ["rolling", "left"]),
        ("a bouncing rolling ball", ["bouncing"]),
        ("grass and sand at night in daylight", ["grass", "daylight"]),
        ("a ball, zoom in, zoom out, slowly, fast", ["zoom in", "slowly"]),
        ("a static camera, a ball, zooming in", ["static camera"]),
        ("a cube spinning left and a ball falling right", ["left", "right"]),
        ("a tall ball on a big dotted lawn, green sky", ["big", "dotted", "green", "tall"]),
        ("a ring of balls rolling on a metal floor", ["metal", "ring"]),
        ("six towers of cubes", ["six"]),
        ("a ball rolling down", ["down"]),
        ("a red cube on a blue cube, a ball under a table", ["on", "under"]),
        ("rolling grass", ["rolling"]),
    ],
)
def test_words_that_do_not_end_up_in_the_picture_are_named(prompt: str, named: list[str]) -> None:
    told = " ".join(unheeded(read_prompt(prompt)))
    quoted = [each for each in told.split("'")[1::2] if each != "a red ball, a blue ball"]
    assert quoted == named


@pytest.mark.parametrize(
    "prompt",
    [
        "a ball falling and bouncing up and down",
        "a ball rolling left to the left on a polished wooden floor",
        "bright sunny day, blue sky, a plain floor, two cubes crashing against each other",
        "a ball in a room with a black background, orbiting around",
        "a basketball falling down in the morning, cloudy skies",
    ],
)
def test_what_is_in_the_picture_is_not_named(prompt: str) -> None:
    assert unheeded(read_prompt(prompt)) == []


def test_things_stand_in_what_is_named_after_them() -> None:
    (cubes,) = read_prompt("three red cubes in a row on grass").objects
    assert (cubes.count, cubes.arrangement) == (3, "row")
    (stacked,) = read_prompt("three stacked cubes").objects
    assert (stacked.count, stacked.arrangement) == (3, "tower")
    (early,) = read_prompt("moving left: a red cube").objects
    assert (early.motion, early.direction) == ("slide", "left")
