"""What an evaluation needs and lacks is told before anything is computed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.evaluate import evaluate
from vidigree.detect.classifier.fitting import TrainingSettings
from vidigree.media.errors import UsageError


def test_without_scikit_learn_an_evaluation_says_so_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(UsageError, match="needs scikit-learn"):
        evaluate([], cache=WindowCache(tmp_path), settings=TrainingSettings(), launderings=())
