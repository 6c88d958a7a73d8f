"""The reader sees what is there, misses nothing silently, and says when it cannot tell."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.generate import ClipRequest, check_clip, engine_registry
from vidigree.generate.checking import CheckReport, Claim, write_check
from vidigree.media import VideoWriter


def write(path: Path, frames: list[NDArray[np.uint8]]) -> Path:
    height, width = frames[0].shape[:2]
    with VideoWriter(path, width=width, height=height, fps=Fraction(12)) as video:
        for frame in frames:
            video.write(frame)
    return path


def discs(path: Path, colour: tuple[int, int, int], count: int, shift: int = 0) -> Path:
    frames = []
    for moment in range(8):
        frame = np.full((96, 160, 3), 128, np.uint8)
        for k in range(count):
            cv2.circle(frame, (30 + 40 * k + shift * moment, 50), 12, colour, -1)
        frames.append(frame)
    return write(path, frames)


def answers(path: Path, prompt: str) -> dict[str, bool | None]:
    return {claim.about: claim.holds for claim in check_clip(path, prompt).claims}


def test_right_and_wrong_colours(tmp_path: Path) -> None:
    clip = discs(tmp_path / "clip.mp4", (210, 20, 20), 2)
    assert answers(clip, "two red balls") == {"colour": True, "count": True}
    assert answers(clip, "two blue balls")["colour"] is False
    assert answers(clip, "three red balls")["count"] is False


@pytest.mark.parametrize(
    ("shift", "asked", "holds"),
    [(5, "right", True), (5, "left", False), (-3, "left", True), (0, "left", False)],
)
def test_direction(tmp_path: Path, shift: int, asked: str, holds: bool) -> None:
    clip = discs(tmp_path / "clip.mp4", (20, 30, 210), 1, shift)
    assert answers(clip, f"a blue ball rolling {asked}")["direction"] is holds


def test_what_a_prompt_denies_is_not_called_fine(tmp_path: Path) -> None:
    clip = discs(tmp_path / "clip.mp4", (210, 20, 20), 1)
    for prompt in ("no red ball", "a ball that is not red, a red cube", "zero red balls"):
        report = check_clip(clip, prompt)
        assert report.claims
        assert report.holds is None
        assert {claim.reason[:15] for claim in report.claims} == {"the prompt says"}
        assert "in 100 %" not in report.summary()


def test_what_cannot_be_seen_is_not_called_fine(tmp_path: Path) -> None:
    clip = discs(tmp_path / "clip.mp4", (210, 20, 20), 1)
    for prompt in (
        "a grey ball",
        "a red ball on a wooden floor",
        "a striped red ball",
        "a red traffic cone",
        "a red beach ball",
    ):
        report = check_clip(clip, prompt)
        assert report.holds is None
        assert report.claims[0].reason
    assert check_clip(clip, "a ball").claims == ()


def test_of_a_colour_that_cannot_be_told_number_and_direction_are_named_too(tmp_path: Path) -> None:
    clip = discs(tmp_path / "clip.mp4", (210, 20, 20), 1)
    report = check_clip(clip, "two yellow balls rolling to the left on grass")
    assert [(row.about, row.expected, row.holds, row.reason) for row in report.claims] == [
        (about, expected, None, "grass has the same colour")
        for about, expected in (
            ("colour", "yellow sphere"),
            ("count", "2 yellow spheres"),
            ("direction", "yellow sphere moves left"),
        )
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "prompt",
    [
        "two red balls rolling left on concrete",
        "a blue cube sliding right on snow",
        "three green balls bouncing on tiles",
    ],
)
def test_the_renderer_draws_what_it_was_asked(tmp_path: Path, prompt: str) -> None:
    request = ClipRequest(prompt=prompt, width=192, height=144, num_frames=36, seed=2)
    clip = engine_registry.get("render")().generate(request)
    report = check_clip(write(tmp_path / "clip.mp4", list(clip.frames)), prompt)
    assert report.holds is True, report.summary()


def test_report_is_kept_beside_the_clip(tmp_path: Path) -> None:
    clip = discs(tmp_path / "clip.mp4", (210, 20, 20), 1)
    path = write_check(check_clip(clip, "a red ball"))
    assert path.name == "clip.check.json"
    assert '"holds": true' in path.read_text()


def moments(path: Path, colours: list[tuple[int, int, int] | None], radius: int = 12) -> Path:
    """Draw one disc a frame, or none, each further to the right."""
    frames = []
    for moment, colour in enumerate(colours):
        frame = np.full((96, 160, 3), 128, np.uint8)
        if colour is not None:
            cv2.circle(frame, (30 + 5 * (moment % 16), 50), radius, colour, -1)
        frames.append(frame)
    return write(path, frames)


COLOURS = {
    "red": (210, 20, 20),
    "orange": (230, 110, 10),
    "yellow": (220, 190, 20),
    "green": (20, 160, 30),
    "blue": (20, 40, 210),
    "purple": (110, 20, 190),
    "magenta": (210, 20, 140),
}


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_is_told_from_its_neighbours(tmp_path: Path, colour: str) -> None:
    clip = discs(tmp_path / "clip.mp4", COLOURS[colour], 1)
    seen = {name for name in COLOURS if answers(clip, f"a {name} ball")["colour"]}
    assert seen == {colour}


def test_red_lies_at_both_ends_of_the_hues(tmp_path: Path) -> None:
    for number, shade in enumerate(((210, 40, 20), (210, 20, 40))):
        clip = discs(tmp_path / f"{number}.mp4", shade, 1)
        assert answers(clip, "a red ball") == {"colour": True, "count": True}


@pytest.mark.parametrize(
    ("shade", "radius"), [((150, 100, 100), 12), ((35, 4, 4), 12), ((210, 20, 20), 1)]
)
def test_what_is_pale_or_dark_or_a_speck_is_nothing(
    tmp_path: Path, shade: tuple[int, int, int], radius: int
) -> None:
    clip = moments(tmp_path / "clip.mp4", [shade] * 8, radius)
    assert answers(clip, "a red ball") == {"colour": False, "count": None}


def test_a_colour_is_there_in_more_than_half_of_the_frames(tmp_path: Path) -> None:
    red = COLOURS["red"]
    for shown, holds in ((4, False), (5, True)):
        clip = moments(tmp_path / f"{shown}.mp4", [red] * shown + [None] * (8 - shown))
        assert answers(clip, "a red ball")["colour"] is holds


def test_the_first_240_frames_are_looked_at(tmp_path: Path) -> None:
    red = COLOURS["red"]
    clip = moments(tmp_path / "late.mp4", [None] * 240 + [red] * 300)
    assert answers(clip, "a red ball")["colour"] is False
    clip = moments(tmp_path / "early.mp4", [None] * 119 + [red] * 121 + [None] * 20)
    assert answers(clip, "a red ball")["colour"] is True


def test_a_direction_that_cannot_be_told_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    blue = COLOURS["blue"]
    clip = moments(tmp_path / "clip.mp4", [blue] * 8)
    brief = moments(tmp_path / "brief.mp4", [blue, blue, None])
    for path, prompt, reason in (
        (clip, "a blue ball rolling right, camera pans left", "the camera moves as well"),
        (clip, "a blue ball rolling right and a blue cube", "not told apart"),
        (brief, "a blue ball rolling right", "seen too briefly"),
    ):
        (claim,) = (row for row in check_clip(path, prompt).claims if row.about == "direction")
        assert (claim.holds, claim.reason) == (None, reason)
    assert answers(clip, "a blue ball rolling right")["direction"] is True
    assert "direction" not in answers(clip, "a blue ball bouncing")


def test_a_number_that_cannot_be_told_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    clip = discs(tmp_path / "clip.mp4", COLOURS["red"], 2)
    for prompt, reason in (
        ("red balls", "the prompt does not say"),
        ("a red ball and a red cube", "not told apart"),
    ):
        counts = [row for row in check_clip(clip, prompt).claims if row.about == "count"]
        assert {(row.holds, row.reason) for row in counts} == {(None, reason)}


@pytest.mark.parametrize(
    ("place", "hidden"),
    [
        ("on a wooden floor", {"orange", "yellow", "red"}),
        ("on grass", {"green", "yellow"}),
        ("on sand", {"orange", "yellow"}),
        ("on a carpet", {"red"}),
        ("on a green carpet", {"red", "green"}),
        ("on concrete at sunset", {"orange", "yellow", "red"}),
        ("on concrete under a blue sky", {"blue"}),
        ("on concrete on a cloudy day", {"blue"}),
        ("on concrete at night", {"blue"}),
        ("on concrete", set()),
    ],
)
def test_a_colour_that_the_place_has_too_is_not_called_fine(
    tmp_path: Path, place: str, hidden: set[str]
) -> None:
    clip = discs(tmp_path / "clip.mp4", COLOURS["red"], 1)
    unchecked = {
        colour
        for colour in COLOURS
        if check_clip(clip, f"a {colour} ball {place}").claims[0].holds is None
    }
    assert unchecked == hidden


def test_a_report_holds_when_all_that_could_be_checked_does(tmp_path: Path) -> None:
    claims = {
        holds: Claim(about="colour", expected="x", holds=holds) for holds in (True, False, None)
    }
    for given, holds in (
        ((), None),
        ((None,), None),
        ((True, None), True),
        ((True, False), False),
        ((False, None), False),
    ):
        report = CheckReport(path=tmp_path, claims=tuple(claims[one] for one in given))
        assert report.holds is holds
        assert report.to_dict()["holds"] is holds
    assert "NO" in CheckReport(path=tmp_path, claims=(claims[False],)).summary()
    assert "not checked" in CheckReport(path=tmp_path, claims=(claims[None],)).summary()


def test_a_report_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    report = CheckReport(path=tmp_path / "clip.mp4", claims=())
    (tmp_path / "clip.check.json").write_text("old")
    assert json.loads(write_check(report).read_text()) == report.to_dict()


def placed(path: Path, frames: list[list[tuple[int, int]]]) -> Path:
    """Draw red discs, in each frame those of the given places and sizes."""
    images = []
    for discs_there in frames:
        image = np.full((96, 160, 3), 128, np.uint8)
        for x, radius in discs_there:
            cv2.circle(image, (x, 50), radius, COLOURS["red"], -1)
        images.append(image)
    return write(path, images)


def test_what_trembles_goes_nowhere(tmp_path: Path) -> None:
    clip = placed(tmp_path / "clip.mp4", [[(30 + moment // 2, 12)] for moment in range(8)])
    for asked in ("left", "right"):
        assert answers(clip, f"a red ball rolling {asked}")["direction"] is False


def test_things_that_hide_each_other_for_a_while_are_counted_where_they_do_not(
    tmp_path: Path,
) -> None:
    apart, hidden = [(30, 12), (90, 12)], [(60, 12)]
    clip = placed(tmp_path / "clip.mp4", [hidden] * 5 + [apart] * 3)
    assert answers(clip, "two red balls")["count"] is True


def test_a_crumb_beside_a_thing_is_no_second_thing(tmp_path: Path) -> None:
    clip = placed(tmp_path / "clip.mp4", [[(40, 20), (120, 4)]] * 8)
    assert answers(clip, "a red ball")["count"] is True


def beside(path: Path, red: list[int], blue: int) -> Path:
    """Draw a red disc at another column in every frame, and a blue one that stays."""
    images = []
    for column in red:
        image = np.full((96, 160, 3), 128, np.uint8)
        cv2.circle(image, (column, 30), 12, COLOURS["red"], -1)
        cv2.circle(image, (blue, 70), 12, COLOURS["blue"], -1)
        images.append(image)
    return write(path, images)


def place_claim(path: Path, prompt: str) -> Claim:
    (claim,) = (row for row in check_clip(path, prompt).claims if row.about == "place")
    return claim


@pytest.mark.parametrize("asked", ["left", "right"])
def test_a_place_beside_another_colour_is_read_from_the_first_third(
    tmp_path: Path, asked: str
) -> None:
    prompt = f"a red ball to the {asked} of a blue cube"
    for number, (red, holds) in enumerate(
        (
            ([30] * 9, asked == "left"),
            ([130] * 9, asked == "right"),
            ([30] * 3 + [130] * 6, asked == "left"),
            ([83] * 9, False),
        )
    ):
        clip = beside(tmp_path / f"{number}.mp4", red, 80)
        assert place_claim(clip, prompt).holds is holds, red
    mirrored = check_clip(clip, prompt.replace("red", "pink"))
    assert mirrored.claims[-1].about == "place"


def test_a_place_that_cannot_be_told_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    clip = beside(tmp_path / "clip.mp4", [30] * 9, 120)
    for prompt, reason in (
        ("a red ball behind a blue cube", "how far away"),
        ("a red ball in front of a blue cube", "how far away"),
        ("a red ball next to a blue cube", "how near"),
        ("a red ball rolling left of a blue cube", "does not stay"),
        ("a red ball left of a cube", "both colours"),
        ("a pink ball left of a blue cube", "cannot be told from others"),
        ("a red ball left of a blue cube on a wooden floor", "wood has the same colour"),
        ("a red ball left of a red cube", "not told apart"),
        ("a red ball left of a blue cube and a red cone", "not told apart"),
        ("a red ball left of a green cube", "not both seen"),
    ):
        claim = place_claim(clip, prompt)
        assert claim.holds is None, prompt
        assert reason in claim.reason, prompt
    assert "place" not in answers(clip, "a red ball and a blue cube")
    assert place_claim(clip, "two towers of red cubes left of a blue ball").holds is True
