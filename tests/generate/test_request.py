"""A request that cannot mean anything is refused before any work begins."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate import ClipRequest
from vidigree.generate.request import frame_rate
from vidigree.media.errors import MediaNotFoundError, UsageError


def test_prompt_of_2000_characters_is_taken() -> None:
    assert len(ClipRequest(prompt="x" * 2000).prompt) == 2000


@pytest.mark.parametrize(
    ("prompt", "says"),
    [("", "empty"), ("  \n", "empty"), ("x" * 10_000, "10,000"), ("\ud800", "Unicode")],
)
def test_bad_prompts_are_refused(prompt: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ClipRequest(prompt=prompt)


@pytest.mark.parametrize(
    "values",
    [
        {"width": 15},
        {"width": 4097},
        {"height": 0},
        {"height": -512},
        {"num_frames": 0},
        {"num_frames": 100_001},
        {"fps": Fraction(1, 2)},
        {"fps": Fraction(241)},
        {"seed": -1},
        {"seed": 2**63},
        {"strength": 0.0},
        {"strength": 1.5},
        {"negative_prompt": "x" * 2001},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        ClipRequest(prompt="a ball", **values)
    assert caught.value.exit_code == 2


def test_inputs_must_exist_and_decide_the_task(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    with pytest.raises(MediaNotFoundError, match=r"in\.png"):
        ClipRequest(prompt="a ball", image=source)
    source.write_bytes(b"-")
    assert ClipRequest(prompt="a ball").task == "text-to-video"
    assert ClipRequest(prompt="a ball", image=source).task == "image-to-video"
    assert ClipRequest(prompt="a ball", video=source).task == "video-to-video"
    with pytest.raises(UsageError, match="not from both"):
        ClipRequest(prompt="a ball", image=source, video=source)


@pytest.mark.parametrize("field", ["image", "video"])
def test_inputs_may_be_given_as_text(field: str, tmp_path: Path) -> None:
    source = tmp_path / "in.any"
    source.write_bytes(b"-")
    assert getattr(ClipRequest(prompt="a ball", **{field: str(source)}), field) == source
    with pytest.raises(MediaNotFoundError, match=r"no file none\.png"):
        ClipRequest(prompt="a ball", **{field: "none.png"})
    with pytest.raises(UsageError, match=f"The {field} has an empty name"):
        ClipRequest(prompt="a ball", **{field: ""})


def test_a_rate_that_python_made_a_float_of_is_told_how_to_be_written() -> None:
    with pytest.raises(UsageError, match=r"a rate .*\. Give a whole number or a Fraction\.$"):
        ClipRequest(prompt="a ball", fps=30000 / 1001)  # type: ignore[arg-type]


def test_to_dict_is_json() -> None:
    request = ClipRequest(prompt="a ball", fps=Fraction(24000, 1001), seed=3)
    row = json.loads(json.dumps(request.to_dict()))
    assert row["fps"] == "24000/1001"
    assert row["seed"] == 3


@pytest.mark.parametrize(
    "values",
    [
        *({"width": 16}, {"height": 4096}, {"num_frames": 1}, {"num_frames": 100_000}),
        *({"fps": Fraction(1)}, {"fps": Fraction(240)}, {"seed": 0}, {"seed": 2**63 - 1}),
        *({"strength": 1.0}, {"strength": 1e-9}, {"negative_prompt": "x" * 2000}),
    ],
    ids=lambda values: str(values)[:30],
)
def test_values_at_the_ends_of_their_ranges_are_taken(values: dict[str, Any]) -> None:
    (name, value), *_ = values.items()
    assert getattr(ClipRequest(prompt="a ball", **values), name) == value


@pytest.mark.parametrize(
    "values",
    [
        *({"width": 64.0}, {"width": True}, {"seed": None}, {"options": [1]}, {"image": b"a.png"}),
        *({"prompt": 3}, {"engine": None}, {"fps": 24.0}, {"strength": float("nan")}),
        *({"negative_prompt": "\ud800"}, {"model": "\ud800"}, {"options": {"\ud800": 1}}),
    ],
    ids=ascii,
)
def test_values_of_the_wrong_kind_are_refused_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        ClipRequest(**{"prompt": "a ball", **values})
    assert len(str(caught.value)) < 300
    with pytest.raises(UsageError, match="The field width") as caught:
        ClipRequest(prompt="a ball", width="9" * 1000)  # type: ignore[arg-type]
    assert "9" * 80 in str(caught.value)
    assert "9" * 81 not in str(caught.value)


def test_what_a_clip_starts_from_decides_the_engine_unless_it_is_named(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    source.write_bytes(b"-")
    assert ClipRequest(prompt="a ball").engine == "render"
    assert ClipRequest(prompt="a ball", image=source).engine == "nano"
    assert ClipRequest(prompt="a ball", video=source).engine == "nano"
    assert ClipRequest(prompt="a ball", video=source, engine="vae").engine == "vae"
    assert ClipRequest(prompt="a ball").seed == 0
    row = ClipRequest(prompt="a ball", image=source).to_dict()
    assert (row["image"], row["video"], row["fps"]) == (str(source), None, None)
    row = ClipRequest(prompt="a ball", video=source).to_dict()
    assert (row["image"], row["video"]) == (None, str(source))
    json.dumps(row)


def test_a_rate_is_what_its_text_says() -> None:
    assert frame_rate("30000/1001") == Fraction(30000, 1001)
    assert frame_rate("29.97") == Fraction(2997, 100)
    assert frame_rate("23.976023976023976") == Fraction(24000, 1001)
    assert frame_rate("2.4e1") == frame_rate("2.4e001") == 24
    for text in ("1e9999", "1E-0999", "1e+1_000_0", "1e999999999", "fast", "", "nan", "inf"):
        with pytest.raises(ValueError, match=r"frame rate|Fraction|convert"):
            frame_rate(text)
    with pytest.raises(ZeroDivisionError):
        frame_rate("1/0")
