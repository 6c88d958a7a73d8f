"""The page of the classifier is what the command writes, figures aside."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from fixtures.audit_figures import audit_figures

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.canonical import RECIPE, RECIPE_ID
from vidigree.detect.classifier.card import figures_markdown, introduction, model_card
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.fitting import TrainingSettings
from vidigree.detect.classifier.installation import made_of
from vidigree.detect.classifier.weights_file import shipped_model

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "classifier.md").read_text(encoding="utf-8")


def _without_figures(text: str) -> str:
    return re.sub(r"[-+]?\d+(?:\.\d+)?", "N", text)


def _clip(origin: str, *, synthetic: bool = True, sha256: str = "") -> LabelledClip:
    return LabelledClip(
        path=Path(origin), synthetic=synthetic, origin=origin, repository="", kind="", sha256=sha256
    )


def test_what_stands_before_the_figures_is_what_would_be_written_today() -> None:
    written = introduction(recipe_id=RECIPE_ID, recipe=RECIPE)
    assert PAGE.startswith(written + "\n## Held-out figures\n")


def test_the_words_around_the_figures_are_what_would_be_written_today() -> None:
    lines = figures_markdown(audit_figures()).splitlines()
    page = {_without_figures(line) for line in PAGE.splitlines()}
    assert [line for line in lines if _without_figures(line) not in page] == []
    headings = [line for line in lines if line.startswith("#")]
    measured = PAGE[PAGE.index("## Held-out figures") : PAGE.index("## Check of an installation")]
    assert headings == [line for line in measured.splitlines() if line.startswith("#")]


def test_the_model_is_described_as_it_is_trained() -> None:
    settings = TrainingSettings()
    page = " ".join(PAGE.split()).replace(" %", "%")
    assert f"the groups speak together to {1 - settings.additive_share:.0%}" in page
    assert f"each for itself to {settings.additive_share:.0%}" in page
    assert settings.group_weights == {
        "tracks": 1.5,
        "matches": 0.75,
        "colour": 0.5,
        "flow": 0.5,
        "palette": 0.25,
    }
    assert "`tracks` has one and a half says, `matches` three quarters," in page
    assert "`colour` and `flow` half of one, `palette` a quarter." in page
    assert settings.launderings == ("none", "crf35", "half")
    assert "trained on as they are, at CRF 35 and at half size;" in page
    assert len(settings.groups) == 9
    assert "Numbers of nine feature groups" in page


def test_what_was_not_measured_is_said_to_be_missing() -> None:
    result = replace(
        audit_figures(),
        localisation=None,
        own_engines=(),
        real_floor=None,
        further_clips=4,
        further_origins=2,
    )
    written = figures_markdown(result)
    assert "No clip was long enough for a splice." in written
    assert "Not measured: no clips were given with `--own`." in written
    assert "real clips, mean (range) of the rounds | too few clips |" in written
    assert "| F1 of regions | at least 0.6 | not measured |  |" in written
    assert "in no figure: 4 clips from 2 other sources" in written


def test_a_card_of_other_clips_says_nothing_of_the_shipped_weights() -> None:
    clips = [_clip("camera", synthetic=False), _clip("model")]
    written = model_card(audit_figures(), clips, None)
    assert written.startswith("# The classifier on other clips\n")
    for told in ("## Held-out figures", "Real sources (clips): camera 1.", "(clips): model 1."):
        assert told in written
    for ours in (
        "## Check of an installation",
        "## Data sheet",
        "public repositories",
        "Not in it",
    ):
        assert ours in PAGE
        assert ours not in written


def test_the_card_of_the_package_is_of_just_its_clips(tmp_path: Path) -> None:
    model, cache = shipped_model(), WindowCache(tmp_path)
    trained_on = sorted(model.header.trained_on)
    rows = [_clip("one", sha256=digest.ljust(64, "0")) for digest in trained_on]
    assert made_of(model, rows, cache)
    assert not made_of(model, rows[1:], cache)
    assert not made_of(model, [*rows, replace(rows[0], sha256="f" * 64)], cache)


def test_a_figure_that_is_no_number_is_null_in_json() -> None:
    figures = audit_figures()
    nothing = replace(figures, brier=float("nan"), tpr_shifted={"0.05": float("nan")}).to_dict()
    assert json.loads(json.dumps(nothing, allow_nan=False))["tpr_shifted"] == {"0.05": None}
    assert nothing["brier"] is None
