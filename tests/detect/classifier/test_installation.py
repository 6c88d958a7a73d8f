"""The shipped weights give here what the model card says they gave there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from vidigree.detect.classifier import shipped_model
from vidigree.detect.classifier.dataset import read_dataset
from vidigree.detect.classifier.installation import check_installation

CARD = Path(__file__).resolve().parents[3] / "docs" / "classifier.md"


def _documented() -> dict[str, float]:
    found = re.search(r"```json\n(\{.*?\})\n```", CARD.read_text(encoding="utf-8"), re.DOTALL)
    assert found, "docs/classifier.md has no installation check"
    return json.loads(found[1])


def test_card_belongs_to_the_shipped_weights() -> None:
    assert _documented()["model_id"] == shipped_model().model_id


@pytest.mark.shared_data
@pytest.mark.slow
def test_shipped_weights_reproduce_the_documented_figure(shared_data: Path) -> None:
    documented = _documented()
    check = check_installation(read_dataset(shared_data / "clips.csv"), shipped_model())
    assert check.clips == documented["clips"]
    # Decoders and encoders of other versions may move a score a little, never a ranking much.
    assert check.auc == pytest.approx(documented["auc"], abs=0.02)
    assert check.mean_llr == pytest.approx(documented["mean_llr"], abs=0.1)
