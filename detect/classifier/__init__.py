"""Real or synthetic, from pixels alone: canonical form, features, model, honest figures."""

from vidigree.detect.classifier.model import ClassifierModel
from vidigree.detect.classifier.reading import (
    ABSTENTIONS,
    ClassifierReading,
    ClipScorer,
    WindowScore,
    score_video,
)
from vidigree.detect.classifier.weights_file import load_model, shipped_model

__all__ = [
    "ABSTENTIONS",
    "ClassifierModel",
    "ClassifierReading",
    "ClipScorer",
    "WindowScore",
    "load_model",
    "score_video",
    "shipped_model",
]
