from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier import recalibrate as recalibrate_module
from vidigree.detect.classifier import score_video, shipped_model
from vidigree.detect.classifier.dataset import LabelledClip, file_sha256
from vidigree.detect.classifier.features import feature_group
from vidigree.detect.classifier.model import ClassifierModel
from vidigree.detect.classifier.recalibrate import recalibrate
from vidigree.media.errors import MediaNotFoundError, UsageError


@pytest.fixture(scope="module")
def reals(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledClip]:
    folder = tmp_path_factory.mktemp("own")
    return [
        LabelledClip(
            path=write_clip(
                folder / f"{seed}.mp4", moving_texture(fps=8, count=6 + seed, seed=seed), fps=8
            ),
            synthetic=False,
            origin="own",
            repository="",
            kind="",
            sha256="",
        )
        for seed in range(10)
    ]


@pytest.fixture(scope="module")
def weights() -> ClassifierModel:
    """Weights on one cheap group: what is done with scores is tested here, not the scores."""
    width = len(feature_group("motion").names())
    rng = np.random.default_rng(0)
    shipped = shipped_model()
    return replace(
        shipped,
        header=replace(
            shipped.header,
            blocks=(("resized", "motion", feature_group("motion").version),),
            local_blocks=(),
            local_launderings=(),
        ),
        median=np.zeros(width, np.float32),
        mean=np.zeros(width, np.float32),
        scale=np.ones(width, np.float32),
        balance=np.full(width, width**-0.5, np.float32),
        support=rng.normal(size=(8, width)).astype(np.float16),
        dual=rng.normal(size=8).astype(np.float32),
        gamma=0.3,
        additive_share=0.0,
        local_member=None,
    )


def test_real_clips_move_the_threshold_and_nothing_else(
    reals: list[LabelledClip], weights: ClassifierModel
) -> None:
    model = recalibrate(reals, weights, false_alarms=0.1, name="own.csv")
    scores = [score_video(clip.path, model=weights).llr for clip in reals]
    assert model.header.threshold == pytest.approx(max(scores), abs=1e-5)
    np.testing.assert_allclose(model.reals, sorted(scores), atol=1e-5)
    assert (model.stack == weights.stack).all()
    assert model.header.calibrated_on == "own.csv"
    assert model.model_id != weights.model_id
    # The highest stands on the threshold itself, where a last bit decides.
    lower = [clip for clip, score in zip(reals, scores, strict=True) if score < max(scores) - 1e-3]
    assert len(lower) > 5
    assert not any(score_video(clip.path, model=model).likely_synthetic for clip in lower[:2])


def test_both_classes_move_the_ratio_monotonically(
    reals: list[LabelledClip], weights: ClassifierModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalibrate_module, "FEWEST_OF_EITHER_CLASS", 5)
    order = sorted(reals, key=lambda clip: score_video(clip.path, model=weights).llr or 0.0)
    labelled = [replace(clip, synthetic=False) for clip in order[:5]]
    labelled += [replace(clip, synthetic=True) for clip in order[5:]]
    model = recalibrate(labelled, weights, false_alarms=0.2, name="own.csv")
    low, high = (score_video(clip.path, model=model).llr for clip in (order[0], order[-1]))
    assert low is not None
    assert high is not None
    assert low < 0 < high


def test_too_few_real_clips_are_refused(
    reals: list[LabelledClip], weights: ClassifierModel
) -> None:
    with pytest.raises(UsageError, match="needs at least 99"):
        recalibrate(reals, weights, false_alarms=0.01, name="own.csv")


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan"), 1e-320])
def test_a_share_that_is_none_is_refused(
    reals: list[LabelledClip], weights: ClassifierModel, share: float
) -> None:
    with pytest.raises(UsageError, match="share of false alarms"):
        recalibrate(reals, weights, false_alarms=share, name="own.csv")


def test_a_clip_counts_once_under_whatever_name(
    reals: list[LabelledClip], weights: ClassifierModel, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(reals[3].path.read_bytes())
    with pytest.raises(UsageError, match=r"3\.mp4 and .*copy\.mp4 are the same clip"):
        recalibrate([*reals, replace(reals[3], path=copy)], weights, false_alarms=0.1, name="x")


def test_training_clips_are_refused(reals: list[LabelledClip]) -> None:
    shipped = shipped_model()
    seen = (file_sha256(reals[0].path)[:16],)
    model = replace(shipped, header=replace(shipped.header, trained_on=seen))
    with pytest.raises(UsageError, match="trained on"):
        recalibrate(reals, model, false_alarms=0.1, name="own.csv")


def test_missing_clip_is_named(tmp_path: Path, reals: list[LabelledClip]) -> None:
    gone = replace(reals[0], path=tmp_path / "gone.mp4")
    with pytest.raises(MediaNotFoundError, match="gone"):
        recalibrate([gone], shipped_model(), false_alarms=0.1, name="own.csv")
