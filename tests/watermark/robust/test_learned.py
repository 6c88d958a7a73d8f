from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.ndimage import gaussian_filter

from vidigree.media.errors import UsageError
from vidigree.watermark.bench.commands import watermark
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
        np.savez(tmp_path / f"{index * 9:02x}00000000000000-0.npz", luma=luma, pattern=pattern)
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
    anew = TrainSettings(seconds=0, total_steps=2, crop=32, threads=1, origin=checkpoint)
    train_network(tmp_path, tmp_path / "anew.npz", anew)
    with np.load(checkpoint) as state, np.load(tmp_path / "anew.npz") as begun:
        assert int(begun["step"]) == 0
        for name in (name for name in state.files if name.startswith("mean/")):
            np.testing.assert_array_equal(begun[name], state[name])
            np.testing.assert_array_equal(begun[name.replace("mean", "weights")], state[name])


def test_samples_of_one_clip_are_not_divided(tmp_path: Path) -> None:
    from vidigree.watermark.robust.learning.train import _split

    for clip in range(32):
        for draw in range(3):
            (tmp_path / f"{clip * 8:02x}00000000000000-1-{draw}-0.npz").touch()
    held, used = _split(tmp_path)
    assert {file.name[:16] for file in held} & {file.name[:16] for file in used} == set()
    assert len(held) == 6
    assert len(used) == 90


def _write(file: Path, luma: np.ndarray, pattern: np.ndarray) -> Path:
    np.savez(file, luma=np.rint(64 * luma).astype(np.int16), pattern=pattern.astype(np.float16))
    return file


def test_a_clear_carrier_has_less_weight(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.crops import SampleStore

    rng = np.random.default_rng(4)
    noise = rng.normal(size=(96, 96))
    pattern = noise - gaussian_filter(noise, 2)
    lumas = {
        "clear": 128 + 8 * pattern,
        "gone": 128 + 8 * rng.normal(size=(96, 96)),
        "black": np.zeros((96, 96)),
    }
    weights = {}
    for name, luma in lumas.items():
        store = SampleStore(torch.device("cpu"))
        store.add([_write(tmp_path / f"{name}.npz", luma[None], pattern)])
        weights[name] = store.draw(4, 32, torch.Generator().manual_seed(1)).weights
    assert weights["clear"].max() < 0.1
    assert weights["gone"].min() > 0.5
    assert weights["black"].min() == 1


def test_a_batch_is_in_the_form_that_detection_uses() -> None:
    torch = pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.crops import network_inputs

    noise = np.random.default_rng(6).uniform(-900, 900, (2, 96, 117))
    lumas = np.clip(128 + gaussian_filter(noise, (0, 3, 3)), 0, 255).astype(np.float32)
    made = network_inputs(torch.from_numpy(lumas)).numpy()
    for one, luma in zip(made, lumas, strict=True):
        wanted = learned.network_input(luma)
        np.testing.assert_allclose(one[0], wanted[0], atol=1e-3)
        np.testing.assert_allclose(one[1], wanted[1], atol=1e-4)


def test_crops_keep_picture_and_carrier_together(tmp_path: Path) -> None:
    """Turned, mirrored, of any size: where the luma is the carrier, so are crops of them."""
    torch = pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.crops import SampleStore, correlation

    rng = np.random.default_rng(7)
    store = SampleStore(torch.device("cpu"))
    sizes = [(96, 128), (130, 96), (64, 80)]
    for index, size in enumerate(sizes):
        pattern = gaussian_filter(rng.normal(size=size), 2)
        pattern /= pattern.std()
        lumas = 128 + 40 * np.stack([pattern, -pattern])
        store.add([_write(tmp_path / f"{index}.npz", lumas, pattern)])
    assert len(store) == 6
    assert store.largest_crop == 32
    luma, pattern = store.whole(5)
    assert luma.shape == pattern.shape == (64, 80)
    assert float(correlation(luma[None], pattern[None])) < -0.999
    crops = store.draw(64, 32, torch.Generator().manual_seed(2))
    assert crops.inputs.shape == (64, 2, 32, 32)
    alike = correlation(crops.inputs[:, 0], crops.targets[:, 0])
    assert alike.abs().min() > 0.9
    assert set(alike.sign().tolist()) == {-1.0, 1.0}


def test_too_few_clips_and_foreign_checkpoints_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.train import TrainSettings, train_network

    with pytest.raises(UsageError, match="0 samples to train on and 0 of clips"):
        train_network(tmp_path, tmp_path / "state.npz", TrainSettings())
    luma = np.full((1, 80, 80), 99.0)
    for clip in ("0a", "1a"):
        _write(tmp_path / f"{clip}00000000000000-1-0-0.npz", luma, luma[0])
    np.savez(tmp_path / "other.npz", step=np.array(3))
    with pytest.raises(UsageError, match="no checkpoint of this network"):
        train_network(tmp_path, tmp_path / "other.npz", TrainSettings(crop=32, threads=1))


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "keys", "flat", "float", "size"])
def test_files_that_are_no_samples_are_named(tmp_path: Path, kind: str) -> None:
    torch = pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.crops import SampleStore

    file = tmp_path / "sample.npz"
    luma, pattern = np.zeros((2, 80, 72), np.int16), np.zeros((80, 72), np.float16)
    arrays = {
        "keys": {"luma": luma},
        "flat": {"luma": luma[0], "pattern": pattern},
        "float": {"luma": luma.astype(np.float32), "pattern": pattern},
        "size": {"luma": luma, "pattern": pattern[1:]},
    }
    np.savez(file, **arrays.get(kind, {"luma": luma, "pattern": pattern}))
    if kind in ("empty", "text", "cut"):
        whole = file.read_bytes()
        file.write_bytes({"empty": b"", "text": b"a note\n", "cut": whole[: len(whole) // 2]}[kind])
    store = SampleStore(torch.device("cpu"))
    with pytest.raises(UsageError, match=r"sample\.npz is no sample, or damaged"):
        store.add([file])
    assert len(store) == 0


def test_samples_written_meanwhile_are_taken_in(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.train import _SampleFolder

    luma = np.full((2, 80, 72), 99.0)
    for clip in ("0a", "1a"):
        _write(tmp_path / f"{clip}00000000000000-1-0-0.npz", luma, luma[0])
    folder = _SampleFolder(tmp_path, torch.device("cpu"), 32)
    assert (len(folder.used), len(folder.held)) == (2, 2)
    # Another clip's sample, one that is being written, one that is held out, and a checkpoint.
    for name in ("2a00000000000000-1-0-0", "0b00000000000000-1-0-0"):
        _write(tmp_path / f"{name}.npz", luma, luma[0])
    (tmp_path / "2b00000000000000-1-0-0.part.npz").write_bytes(b"PK")
    (tmp_path / "state1.npz").write_bytes(b"PK")
    folder.refresh()
    assert (len(folder.used), len(folder.held)) == (4, 2)
    with pytest.raises(UsageError, match="Crops of 48 pixels do not fit") as caught:
        _SampleFolder(tmp_path, torch.device("cpu"), 48)
    assert "--crop 40" in (caught.value.hint or "")


def _refusal(tmp_path: Path, *options: str) -> str:
    """Return what the command line says against a training."""
    luma = np.random.default_rng(8).uniform(0, 255, (2, 80, 72))
    for clip in ("0a", "1a"):
        _write(tmp_path / f"{clip}00000000000000-1-0-0.npz", luma, luma[0])
    command = ["train-front-end", str(tmp_path), "--threads", "1", "--crop", "32"]
    done = CliRunner().invoke(
        watermark, [*command, "--checkpoint", str(tmp_path / "state.npz"), *options]
    )
    if isinstance(done.exception, UsageError):
        return f"{done.exception.message} {done.exception.hint}"
    # What click itself refuses; anything else is a defect and is shown by the assertion.
    assert done.exit_code == 2, done.exception
    return done.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--batch", "0"), "--batch"),
        (("--steps", "-5"), "--steps"),
        (("--rate", "-1"), "--rate"),
        (("--minutes", "nan"), "no training"),
        (("--crop", "33"), "multiple of 8, such as 32"),
        (("--crop", "48"), "--crop 40 at most"),
        (("--device", "nowhere"), "cannot use the device 'nowhere'"),
        (("--checkpoint", "nowhere/state.npz"), "folder nowhere is not there"),
    ],
)
def test_settings_of_training_are_checked(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    pytest.importorskip("torch")
    assert said in _refusal(tmp_path, *options)
    assert not (tmp_path / "state.npz").exists()


@pytest.mark.parametrize("content", [b"", b"a note\n", b"PK\x03\x04"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("torch")
    (tmp_path / "state.npz").write_bytes(content)
    assert "state.npz is no checkpoint of this network, or damaged" in _refusal(tmp_path)
    assert (tmp_path / "state.npz").read_bytes() == content


def test_a_loss_that_is_no_number_stops_and_saves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from vidigree.watermark.robust.learning.train import TrainSettings, train_network

    luma = np.random.default_rng(5).integers(0, 255 * 64, (1, 80, 80)).astype(np.int16)
    for clip in ("0a", "1a"):
        pattern = np.full((80, 80), np.nan, np.float16)
        np.savez(tmp_path / f"{clip}00000000000000-1-0-0.npz", luma=luma, pattern=pattern)
    settings = TrainSettings(total_steps=1, batch=1, crop=32, threads=1)
    with pytest.raises(UsageError, match="loss up to step 1 is no number"):
        train_network(tmp_path, tmp_path / "state.npz", settings)
    assert not (tmp_path / "state.npz").exists()
