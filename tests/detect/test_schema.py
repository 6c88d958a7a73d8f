"""The JSON form keeps to its published schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.policy import PolicyAction, load_policy
from vidigree.detect.readings import NotChecked, Readings
from vidigree.detect.verdict import SCHEMA_VERSION, judge
from vidigree.detect.wording import LANGUAGES, wording
from vidigree.watermark.method import MarkReading, MarkSegment

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = json.loads((ROOT / "detect" / "schema" / "verdict-1.json").read_text(encoding="utf-8"))


def validator(name: str) -> Any:
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


def test_the_schema_is_a_schema_and_carries_the_version() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    pattern = SCHEMA["$defs"]["verdict"]["properties"]["schema"]["pattern"]
    assert re.search(pattern, f"vidigree-verdict/{SCHEMA_VERSION}")


def test_the_schema_lists_what_the_code_can_say() -> None:
    fields = SCHEMA["$defs"]["verdict"]["properties"]
    assert set(fields["finding"]["enum"]) == {finding.value for finding in Finding}
    assert set(fields["confidence"]["enum"]) == {level.value for level in Confidence}
    actions = SCHEMA["$defs"]["decision"]["properties"]["action"]["enum"]
    assert set(actions) == {action.value for action in PolicyAction}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_verdict_with_every_kind_of_strength_fits(language: str) -> None:
    segment = MarkSegment(start=0.0, end=1.5, p_value=1e-9, message=5)
    mark = MarkReading(
        method="robust", present=True, p_value=1e-9, message=5, key_id="k", segments=(segment,)
    )
    readings = Readings(
        credentials=NotChecked(layer="credentials", why="a test"),
        marks=(mark,),
        classifier=NotChecked(layer="classifier", why="", asked=True),
    )
    verdict = judge(readings, path=Path("a.mp4"))
    row = verdict.to_dict(language=language)
    row["decision"] = load_policy("platform").decide(verdict).to_dict()
    validator("verdict").validate(json.loads(json.dumps(row, allow_nan=False)))


def test_the_schema_refuses_an_unknown_finding() -> None:
    verdict = judge(
        Readings(
            credentials=NotChecked(layer="credentials", why="x"),
            classifier=NotChecked(layer="classifier", why="x"),
        )
    )
    row = verdict.to_dict() | {"finding": "authentic"}
    with pytest.raises(jsonschema.ValidationError):
        validator("verdict").validate(row)


def test_every_code_that_has_words_fits_the_schema() -> None:
    pattern = SCHEMA["$defs"]["evidence"]["properties"]["code"]["pattern"]
    for code in wording().table["code"]:
        if "." in code:
            assert re.search(pattern, code), code
