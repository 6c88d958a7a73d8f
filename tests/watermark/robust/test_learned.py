from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from vidigree.media.errors import UsageError
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import learned
from vidigree.watermark.robust.carrier import carrier_of
from vidigree.watermark.robust.embedder import Embedder, EmbedSettings
from vidigree.watermark.robust.frontend import residual_of, working_luma
from vidigree.watermark.robust.modulation import symbols_of
from vidigree.watermark.robust.payload import nonce_of
from vidigree.watermark.robust.spectrum import synthesise


def test_the_network_sees_more_of_the_carrier_than_the_linear_residual(textured, x264) -> None:
    pytest.importorskip("onnxruntime")
    carrier, message = carrier_of(PUBLISHED_KEY), 77
    marked = list(Embedder(message, PUBLISHED_KEY, EmbedSettings()).run(textured(256, 384, 6, 9)))
    luma = working_luma(x264(marked, 26)[2], 256)
    turns = carrier.waves @ np.array(nonce_of(message, PUBLISHED_KEY))
    wanted = symbols_of(message, carrier) * carrier.amplitudes * carrier.phases
    wanted = (wanted * np.exp(-2j * np.pi * turns)).astype(np.complex64)
    pattern = synthesise(wanted, carrier, (256, 384), (1.0, 1.0)).ravel()
    estimate = learned.learned_residual(luma)
    assert estimate is not None
    assert estimate.shape == luma.shape
    linear = np.corrcoef(residual_of(luma).ravel(), pattern)[0, 1]
    assert np.corrcoef(estimate.ravel(), pattern)[0, 1] > 1.05 * linear


def test_any_size_is_taken() -> None:
    pytest.importorskip("onnxruntime")
    luma = np.random.default_rng(1).uniform(0, 255, (131, 173)).astype(np.float32)
    estimate = learned.learned_residual(luma)
    assert estimate is not None
    assert estimate.shape == (131, 173)


@pytest.mark.slow
def test_training_starts_stops_goes_on_and_exports(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.train import TrainSettings, train_network

    rng = np.random.default_rng(3)
    for index in range(26):
        luma = rng.integers(0, 255 * 64, (2, 80, 72)).astype(np.int16)
        pattern = rng.normal(size=(80, 72)).astype(np.float16)
        np.savez(tmp_path / f"{index:016x}-0.npz", luma=luma, pattern=pattern)
    checkpoint = tmp_path / "state.npz"
    settings = TrainSettings(seconds=60, total_steps=2, batch=2, crop=32, threads=1)
    train_network(tmp_path, checkpoint, settings)
    with np.load(checkpoint) as state:
        before = {name: state[name] for name in state.files}
    # Nothing is left to do: what was restored is written again as it was.
    train_network(tmp_path, checkpoint, settings)
    with np.load(checkpoint) as state:
        assert set(state.files) == set(before)
        for name, values in before.items():
            np.testing.assert_array_equal(state[name], values)
    longer = TrainSettings(seconds=60, total_steps=4, batch=2, crop=32, threads=1)
    rows = train_network(tmp_path, checkpoint, longer)
    with np.load(checkpoint) as state:
        assert int(state["step"]) == 4
        assert any(np.any(state[name] != before[name]) for name in before if "mean/" in name)
    assert rows[-1]["step"] == 4
    assert set(rows[-1]) == {"step", "loss", "linear", "learned"}
    # A new training from these weights: nothing of schedule and moments, all of the mean.
    anew = TrainSettings(seconds=0, total_steps=2, threads=1, origin=checkpoint)
    train_network(tmp_path, tmp_path / "anew.npz", anew)
    with np.load(checkpoint) as state, np.load(tmp_path / "anew.npz") as begun:
        assert int(begun["step"]) == 0
        for name in (name for name in state.files if name.startswith("mean/")):
            np.testing.assert_array_equal(begun[name], state[name])
            np.testing.assert_array_equal(begun[name.replace("mean", "weights")], state[name])


def test_samples_of_one_clip_are_not_divided(tmp_path: Path) -> None:
    from vidigree.watermark.robust.learning.train import _split

    for clip in range(10):
        for draw in range(3):
            (tmp_path / f"{clip:016x}-1-{draw}-0.npz").touch()
    held, used = _split(tmp_path)
    assert {file.name[:16] for file in held} & {file.name[:16] for file in used} == set()
    assert len(held) == 24
    assert len(used) == 6


def test_a_clear_carrier_has_less_say(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.train import TrainSettings, _crops

    rng = np.random.default_rng(4)
    noise = rng.normal(size=(96, 96))
    pattern = (noise - gaussian_filter(noise, 2)).astype(np.float16)
    lumas = np.stack([128 + 8 * pattern, 128 + 8 * rng.normal(size=(96, 96)), np.zeros((96, 96))])
    files = [tmp_path / f"{name}.npz" for name in ("clear", "gone", "black")]
    for file, luma in zip(files, lumas, strict=True):
        np.savez(file, luma=(64 * luma).astype(np.int16)[None], pattern=pattern)
    settings = TrainSettings(batch=4, crop=32)
    clear, gone, black = (next(_crops([file], settings, rng))[2] for file in files)
    assert clear.max() < 0.1
    assert gone.min() > 0.5
    assert black.min() == 1


def test_too_few_clips_and_foreign_checkpoints_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.train import TrainSettings, train_network

    with pytest.raises(UsageError, match="samples of 0 clips"):
        train_network(tmp_path, tmp_path / "state.npz", TrainSettings())
    for clip in range(9):
        (tmp_path / f"{clip:016x}-1-0-0.npz").touch()
    np.savez(tmp_path / "other.npz", step=np.array(3))
    with pytest.raises(UsageError, match="no checkpoint of this network"):
        train_network(tmp_path, tmp_path / "other.npz", TrainSettings())


def test_a_loss_that_is_no_number_stops_and_saves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.train import TrainSettings, train_network

    luma = np.random.default_rng(5).integers(0, 255 * 64, (1, 80, 80)).astype(np.int16)
    for clip in range(9):
        pattern = np.full((80, 80), np.nan, np.float16)
        np.savez(tmp_path / f"{clip:016x}-1-0-0.npz", luma=luma, pattern=pattern)
    settings = TrainSettings(total_steps=1, batch=1, crop=32, threads=1)
    with pytest.raises(UsageError, match="loss at step 0 is no number"):
        train_network(tmp_path, tmp_path / "state.npz", settings)
    assert not (tmp_path / "state.npz").exists()
