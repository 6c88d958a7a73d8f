"""What the verdict makes of layers and material that were not looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fixtures.readings import ABSTAINED, BOUND, CAPTURED, CLEAN, MARK, NONE

from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.readings import NotChecked
from vidigree.detect.verdict import judge
from vidigree.detect.wording import wording


def test_a_layer_left_out_on_request_is_shown_but_does_not_decide() -> None:
    left_out = NotChecked(layer="classifier", why="only provenance was asked for", asked=True)
    result = judge(replace(CLEAN, classifier=left_out))
    assert result.finding is Finding.NO_EVIDENCE
    assert "classifier.left-out" in {piece.code for piece in result.evidence}
    assert result.to_dict()["readings"]["classifier"]["status"] == "left-out"


@pytest.mark.parametrize("layer", ["credentials", "marks", "ledger", "classifier"])
def test_a_layer_that_could_not_run_is_never_silent(layer: str) -> None:
    name: Any = "mark" if layer == "marks" else layer
    result = judge(replace(CLEAN, **{layer: NotChecked(layer=name, why="it is broken")}))
    assert result.finding is Finding.INCONCLUSIVE
    assert wording().layer(name) in result.headline()
    assert f"{name}.not-checked" in {piece.code for piece in result.evidence}
    assert result.to_dict()["readings"][layer]["status"] == "not-checked"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"marks": NotChecked(layer="mark", why="", asked=True)}, "Watermark"),
        ({"ledger": NotChecked(layer="ledger", why="", asked=True)}, "Ledger"),
        ({"classifier": NotChecked(layer="classifier", why="", asked=True)}, "Classifier"),
        ({"classifier": ABSTAINED}, "Classifier"),
        ({"credentials": replace(CAPTURED, all_ingredients_read=False)}, "some of the material"),
    ],
    ids=["no mark", "no ledger", "no classifier", "abstained", "ingredients"],
)
def test_a_trusted_recording_is_as_sure_as_what_was_looked_at(
    changes: dict[str, Any], named: str
) -> None:
    """Somebody may act on ``high`` without a look of his own."""
    assert judge(replace(CLEAN, credentials=CAPTURED)).confidence is Confidence.HIGH
    result = judge(replace(CLEAN, **({"credentials": CAPTURED} | changes)))
    assert (result.finding, result.confidence) == (Finding.DECLARED_CAPTURED, Confidence.MEDIUM)
    assert f" looked at: {named}" in result.headline()


def test_material_that_was_not_read_leaves_a_clip_undecided() -> None:
    edited = replace(CAPTURED, claimed_source="edited", all_ingredients_read=False)
    result = judge(replace(CLEAN, credentials=edited))
    assert (result.finding, result.reason) == (Finding.INCONCLUSIVE, "layer-not-checked")
    assert "some of the material" in result.headline()


@pytest.mark.parametrize("asked", [True, False], ids=["left out", "locked"])
def test_a_mark_is_surer_where_the_ledger_was_asked(asked: bool) -> None:
    """A recording that was only stamped carries a mark too, and anybody names it as generated."""
    bound = replace(BOUND, signer_trust="unlisted")
    closed = NotChecked(layer="ledger", why="it is locked", asked=asked)
    for credentials, reason in ((NONE, "marked"), (bound, "generated-confirmed-by-mark")):
        readings = replace(CLEAN, credentials=credentials, marks=(MARK,))
        assert judge(readings).reason == reason
        assert judge(replace(readings, ledger=closed)).confidence is Confidence.MEDIUM
