"""A profile is refused where it would say something untrue or empty."""

from __future__ import annotations

import pytest

from vidigree.media.errors import UsageError
from vidigree.watermark import Origin
from vidigree.watermark.credentials import Timestamping
from vidigree.watermark.profiles import PROFILES, Provider, find_profile
from vidigree.watermark.profiles.application import apply_profile

GENERATED = Origin(task="text-to-video", engine="nano", synthetic=True)
STUDIO = Provider(name="Example Studio")


def apply(name: str, origin: Origin = GENERATED, **changes: object):
    values = {
        "origin": origin,
        "provider": STUDIO,
        "timestamping": Timestamping(),
        "label": None,
        "size": (640, 360),
        "parent": None,
    }
    return apply_profile(find_profile(name), **(values | changes))


@pytest.mark.parametrize("name", ["eu", "ca", "cn"])
@pytest.mark.parametrize("synthetic", [None, False])
def test_clip_that_nothing_says_is_generated_is_not_labelled(
    name: str, synthetic: bool | None
) -> None:
    with pytest.raises(UsageError, match="nothing says so"):
        apply(name, Origin(synthetic=synthetic))


@pytest.mark.parametrize("name", ["ca", "cn"])
def test_disclosure_needs_a_provider(name: str) -> None:
    with pytest.raises(UsageError, match="--provider"):
        apply(name, provider=Provider())


def test_none_does_nothing() -> None:
    applied = apply("none", Origin(), provider=Provider())
    assert applied.label is None
    assert applied.tags("1") == ({}, b"")
    assert (applied.actions, applied.disclosure, applied.notes) == ((), None, ())


def test_missing_stamp_is_noted_under_eu_only() -> None:
    assert "time stamp" in apply("eu").notes[0]
    assert apply("cn").notes == ()
    stamping = Timestamping(policy="require", url="http://tsa.example")
    assert apply("eu", timestamping=stamping).notes == ()


@pytest.mark.parametrize(
    ("name", "task", "text"),
    [
        ("eu", "text-to-video", "AI GENERATED"),
        ("eu", "video-to-video", "AI MODIFIED"),
        ("cn", "text-to-video", "AI生成"),
    ],
)
def test_label_says_what_was_done(name: str, task: str, text: str) -> None:
    label = apply(name, Origin(task=task, synthetic=True)).label  # type: ignore[arg-type]
    assert label is not None
    assert label.text == text


def test_own_label_and_none() -> None:
    own = apply("ca", label="Made by a machine").label
    assert own is not None
    assert own.text == "Made by a machine"
    left_out = apply("eu", label="")
    assert left_out.label is None
    assert any("left out" in note for note in left_out.notes)
    with pytest.raises(UsageError, match="nothing says is generated"):
        apply("none", Origin(), label="AI")


def test_chinese_label_stands_two_seconds_and_names_machine_and_making() -> None:
    rule = PROFILES["cn"].label
    assert rule is not None
    assert rule.seconds is not None
    assert rule.seconds >= 2
    assert all("AI" in text and "生成" in text for text in rule.generated + rule.modified)


def test_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="eu, ca, cn"):
        find_profile("uk")
