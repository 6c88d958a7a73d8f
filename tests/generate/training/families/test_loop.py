"""Trainings go on from a checkpoint as if they had never stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from vidigree.generate.engines.families.native import FRAMES  # noqa: E402
from vidigree.generate.engines.families.networks.captions import (  # noqa: E402
    CaptionEncoder,
    ClipEncoder,
)
from vidigree.generate.engines.families.networks.codec import (  # noqa: E402
    CHANNELS,
    GRID,
    FrameCodec,
)
from vidigree.generate.engines.families.weights import read_weights, write_weights  # noqa: E402
from vidigree.generate.training import loop  # noqa: E402
from vidigree.generate.training.facts import draw_facts  # noqa: E402
from vidigree.generate.training.families.autoregressive import (  # noqa: E402
    train_autoregressive,
)
from vidigree.generate.training.families.captions import train_captions  # noqa: E402
from vidigree.generate.training.families.clips import HELD_OUT, TrainingClips  # noqa: E402
from vidigree.generate.training.families.codec import train_codec  # noqa: E402
from vidigree.generate.training.families.flow_gan import (  # noqa: E402
    measured_flow,
    train_flow_gan,
)
from vidigree.generate.training.families.gan import train_gan  # noqa: E402
from vidigree.generate.training.families.maps import encode_clips  # noqa: E402
from vidigree.generate.training.families.vae import train_vae  # noqa: E402
from vidigree.generate.training.loop import Budget, Run  # noqa: E402
from vidigree.media.errors import EngineError, UsageError  # noqa: E402

Train = Callable[..., Run]
LARGE = ["codec", "autoregressive", "vae", "flow-gan"]
FAMILIES = ["captions", "gan", *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]


@pytest.fixture(scope="module")
def clips() -> TrainingClips:
    """A few clips of a bright square that wanders over noise: any clips will do."""
    rng = np.random.default_rng(0)
    count = HELD_OUT + 8
    frames = rng.integers(0, 60, (count, 1, 64, 64, 3), np.uint8).repeat(24, axis=1)
    for index in range(count):
        for time in range(24):
            left = (index + time) % 50
            frames[index, time, 20:30, left : left + 10] = (250, 60, 40)
    facts = tuple(draw_facts(rng, "train") for _ in range(count))
    return TrainingClips(frames, facts, 12)


@pytest.fixture(scope="module")
def trainings(clips: TrainingClips) -> dict[str, Callable[..., Run]]:
    torch.manual_seed(0)
    # Any maps will do, too; a codec takes minutes for real ones.
    maps = (2 * torch.rand(len(clips.frames), FRAMES, CHANNELS, GRID, GRID) - 1).half()
    encoders = (CaptionEncoder(len(clips.vocabulary)).eval(), ClipEncoder().eval())
    return {
        "codec": lambda **rest: train_codec(clips, **rest),
        "captions": lambda **rest: train_captions(clips, maps, **rest),
        "autoregressive": lambda **rest: train_autoregressive(clips, maps, **rest),
        "vae": lambda **rest: train_vae(clips, maps, encoders, **rest),
        "gan": lambda **rest: train_gan(clips, maps, encoders[0], **rest),
        "flow-gan": lambda **rest: train_flow_gan(clips, encoders[0], **rest),
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_stopping_and_going_on_changes_nothing(
    family: str,
    trainings: dict[str, Train],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = trainings[family]
    through = train(checkpoint=tmp_path / "a.safetensors", budget=Budget(steps=2), seed=5)
    monkeypatch.setattr(loop, "_SAVE_EVERY", -1.0)
    rest: dict[str, Any] = {"checkpoint": tmp_path / "b.safetensors", "seed": 5}
    with pytest.raises(_Stop):
        train(budget=Budget(steps=2), progress=_stop, **rest)
    assert read_weights(rest["checkpoint"]).facts["step"] == 1
    resumed = train(budget=Budget(steps=2), **rest)
    assert resumed.step == through.step == 2
    first, second = (load_file(tmp_path / name) for name in ("a.safetensors", "b.safetensors"))
    assert first.keys() == second.keys()
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_moves_every_network(
    family: str, trainings: dict[str, Train], tmp_path: Path
) -> None:
    states = []
    for steps in (1, 2):
        run = trainings[family](
            checkpoint=tmp_path / f"{steps}.safetensors", budget=Budget(steps=steps), seed=5
        )
        states.append({name: _flat(network) for name, network in run.networks.items()})
        assert all(np.isfinite(value) for value in run.losses.values())
    for name, value in states[0].items():
        assert len(value) == 0 or not torch.equal(value, states[1][name]), name


@pytest.mark.slow
def test_the_codec_learns(trainings: dict[str, Train], tmp_path: Path) -> None:
    few, more = (
        trainings["codec"](checkpoint=tmp_path / f"{n}.safetensors", budget=Budget(steps=n), seed=1)
        for n in (1, 25)
    )
    assert more.losses["pixels"] < 0.9 * few.losses["pixels"]


@pytest.mark.slow
def test_weights_are_the_average_in_eight_bits(trainings: dict[str, Train], tmp_path: Path) -> None:
    checkpoint = tmp_path / "c.safetensors"
    run = trainings["vae"](checkpoint=checkpoint, budget=Budget(steps=2), seed=1)
    path = write_weights(checkpoint, tmp_path / "w.safetensors")
    assert path.stat().st_size < checkpoint.stat().st_size / 12
    weights = read_weights(path)
    assert weights.facts["step"] == 2
    assert weights.facts["seed"] == 1
    for name, average in run.averages.items():
        for key, value in average.items():
            read = weights.networks[name][key].float()
            rows = value.float().flatten(1) if value.ndim > 1 else value.float()[:, None]
            largest = rows.abs().amax(1, keepdim=True)
            off = (read.reshape(rows.shape) - rows).abs()
            assert bool((off <= largest / 200 + 1e-4).all()), (name, key)


@pytest.mark.slow
def test_a_checkpoint_of_something_else_is_refused(
    trainings: dict[str, Train], tmp_path: Path
) -> None:
    path = tmp_path / "c.safetensors"
    trainings["codec"](checkpoint=path, budget=Budget(steps=1), seed=1)
    with pytest.raises(UsageError, match="'codec' with seed 1"):
        trainings["vae"](checkpoint=path, budget=Budget(steps=2), seed=1)
    with pytest.raises(UsageError, match="seed 2"):
        trainings["codec"](checkpoint=path, budget=Budget(steps=2), seed=2)
    path.write_bytes(b"no tensors")
    with pytest.raises(UsageError, match="no checkpoint"):
        trainings["codec"](checkpoint=path, budget=Budget(steps=2), seed=1)
    with pytest.raises(EngineError):
        read_weights(path)
    save_file({"a": torch.zeros(1)}, str(path))
    with pytest.raises(UsageError, match="no weights"):
        write_weights(path, tmp_path / "w.safetensors")


@pytest.mark.slow
def test_maps_are_made_once(
    clips: TrainingClips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidigree.generate.training.families.maps._CLIPS_AT_ONCE", 1)
    clips = TrainingClips(clips.frames[:2], clips.facts[:2], clips.fps)
    codec = FrameCodec()
    made = encode_clips(clips, codec, tmp_path)
    assert made.shape == (2, FRAMES, CHANNELS, GRID, GRID)
    second = TrainingClips(clips.frames[1:], clips.facts[1:], clips.fps)
    (tmp_path / "second").mkdir()
    assert torch.equal(encode_clips(second, codec, tmp_path / "second")[0], made[1])
    (kept,) = tmp_path.glob("maps-*.npy")
    written = kept.stat().st_mtime_ns
    assert torch.equal(encode_clips(clips, codec, tmp_path), made)
    assert kept.stat().st_mtime_ns == written
    encode_clips(clips, FrameCodec(), tmp_path)
    assert len(list(tmp_path.glob("maps-*.npy"))) == 2, "another codec, other maps"


def test_measured_flow_finds_a_shift() -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (16, 16, 3), np.uint8)
    still = np.kron(coarse, np.ones((4, 4, 1))).astype(np.uint8)
    moved = np.roll(still, 4, axis=1)  # to the right: it came from the left
    flow, known = measured_flow(still[None], moved[None, None])
    middle = flow[0, :, 8:24, 8:24]
    assert float(middle[0].median()) == pytest.approx(-4 / 32, abs=0.02)
    assert float(middle[1].median()) == pytest.approx(0, abs=0.02)
    assert float(known[0, 0, 8:24, 8:24].mean()) > 0.5


class _Stop(Exception):  # noqa: N818
    """The power goes out."""


def _stop(step: str, done: int, total: int | None) -> None:
    raise _Stop


def _flat(network: Any) -> torch.Tensor:
    values = [value.detach().flatten() for value in network.parameters()]
    return torch.cat(values) if values else torch.zeros(0)
