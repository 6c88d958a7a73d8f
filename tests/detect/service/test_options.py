"""What a caller may ask for is checked, and what is shown of it is made harmless."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidigree.detect.policy import POLICY_NAMES
from vidigree.detect.service.openapi_texts import _FIELDS, _JOB
from vidigree.detect.service.options import _KNOWN, MAX_PICTURES, read_options
from vidigree.detect.service.receiving import display_name
from vidigree.detect.service.refusals import RefusalError
from vidigree.detect.service.settings import ServiceSettings
from vidigree.detect.wording import LANGUAGES

SETTINGS = ServiceSettings(spool=Path("spool"))


def test_wishes_are_kept_within_the_limits() -> None:
    asked = read_options(
        {"pictures": "999", "keep": "1e12", "wait": "1e9", "layers": "mark,credentials"}, SETTINGS
    )
    assert asked.options.pictures == MAX_PICTURES
    assert asked.options.keep_seconds == SETTINGS.max_keep_seconds
    assert asked.wait_seconds == SETTINGS.wait_seconds
    assert asked.options.layers == ("credentials", "mark")


@pytest.mark.parametrize(
    "fields",
    [
        {"polcy": "platform"},
        {"policy": "/etc/passwd"},
        {"policy": "../policies/platform"},
        {"language": "xx"},
        {"layers": "credentials,nothing"},
        {"wait": "-1"},
        {"keep": "nan"},
        {"pictures": "inf"},
        {"url": "file:///etc/passwd"},
        {"url": "s3://bucket/key"},
        {"url": "gopher://example.org"},
        {"url": "https://example.org/" + "a" * 5000},
        {"url": "http://[::1/clip.mp4"},
        {"url": "http://[a]/clip.mp4"},
        {"url": "https://example.org:99999/clip.mp4"},
        {"url": "https://example.org:x/clip.mp4"},
        {"url": "https:///clip.mp4"},
        {"url": "https://example.org/\ud800.mp4"},
        {"url": "https://example.org/a\x00.mp4"},
    ],
)
def test_what_means_nothing_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(RefusalError) as caught:
        read_options(fields, SETTINGS)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("clip.mp4", "clip.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\clips\\a.mov", "a.mov"),
        ("a\x00b\u202egpm.exe\n", "abgpm.exe"),
        ("视频.mp4", "视频.mp4"),
        ("", ""),
    ],
)
def test_names_are_fit_to_be_shown(given_name: str, shown: str) -> None:
    assert display_name(given_name) == shown


@given(st.text())
def test_no_name_leaves_its_folder(text: str) -> None:
    shown = display_name(text)
    assert "/" not in shown
    assert "\\" not in shown
    assert len(shown) <= 200
    assert all(sign.isprintable() or sign.isspace() for sign in shown)


def test_the_page_tells_of_every_field_and_option() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "service.md").read_text("utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert json.loads(example).keys() == _JOB["properties"].keys()
    rows = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert set(_KNOWN) - {"file", "url"} <= rows


def test_the_description_has_every_option_and_its_values() -> None:
    assert {"file", *_FIELDS} == set(_KNOWN)
    assert _FIELDS["language"]["enum"] == list(LANGUAGES)
    assert _FIELDS["policy"]["enum"] == sorted(POLICY_NAMES)
    assert _FIELDS["pictures"]["maximum"] == MAX_PICTURES
