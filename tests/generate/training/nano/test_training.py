"""Training the embedded model: resumable, and into a folder that diffusers loads by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("diffusers")

from vidigree.generate.training.clips import open_clips
from vidigree.generate.training.loop import Budget, read_facts
from vidigree.generate.training.nano.codec import build_codec, decode_clips, encode_clips
from vidigree.generate.training.nano.codec_training import CodecSettings, train_codec
from vidigree.generate.training.nano.commands import train_nano
from vidigree.generate.training.nano.denoiser import DenoiserSettings, train_denoiser
from vidigree.generate.training.nano.distance import frechet_distance
from vidigree.generate.training.nano.latents import open_latents
from vidigree.generate.training.nano.reader import QUESTIONS, Reader, ReaderSettings, train_reader
from vidigree.generate.training.nano.stages import STAGES, run_stage
from vidigree.generate.training.nano.words import build_tokenizer
from vidigree.media.errors import MediaNotFoundError, UsageError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
TWO = Budget(steps=2)
ONE_OF_TWO = replace(TWO, pause_steps=1)


def same_state(first: Path, second: Path) -> bool:
    import torch
    from safetensors.torch import load_file

    one, two = load_file(first), load_file(second)
    same = one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)
    return same and read_facts(first)["step"] == read_facts(second)["step"] == 2


def resumes(train: Callable[[Path, Budget], object], folder: Path) -> bool:
    """Train two steps at once, and one by one; say whether the states are the same bits."""
    whole, halves = folder / "whole.safetensors", folder / "halves.safetensors"
    train(whole, TWO)
    train(halves, ONE_OF_TWO)
    assert read_facts(halves)["step"] == 1
    train(halves, TWO)
    return same_state(whole, halves)


def test_whole_clips_give_what_the_stock_codec_gives() -> None:
    import torch

    torch.manual_seed(0)
    codec = build_codec().eval()
    with torch.no_grad():
        for name, module in codec.named_modules():
            if name.endswith("time_conv"):
                module.weight.add_(0.05 * torch.randn_like(module.weight))
        clip = torch.rand(1, 3, 9, 64, 64) * 2 - 1
        mean, _ = encode_clips(codec, clip)
        assert mean.shape == (1, 16, 3, 8, 8)
        assert torch.allclose(codec.encode(clip).latent_dist.mean, mean, atol=1e-5)
        stock, ours = codec.decode(mean).sample, decode_clips(codec, mean)
        assert torch.allclose(stock, ours.clamp(-1, 1), atol=1e-5)


def test_codec_training_resumes_to_the_same_state(trained: SimpleNamespace, tmp_path: Path) -> None:
    clips = open_clips(trained.clips)
    settings = CodecSettings(images=2, crops=((1, 5),))
    assert resumes(
        lambda path, budget: train_codec(clips, path, settings=settings, budget=budget), tmp_path
    )


@pytest.mark.parametrize(("picture_share", "from_image"), [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)])
def test_denoiser_training_resumes_to_the_same_state(
    picture_share: float, from_image: float, trained: SimpleNamespace, tmp_path: Path
) -> None:
    latents = open_latents(trained.work / "latents.npy")
    clips = open_clips(trained.clips).clips
    settings = DenoiserSettings(
        batch=2, pictures=2, picture_share=picture_share, from_image=from_image
    )
    assert resumes(
        lambda path, budget: train_denoiser(latents, clips, path, settings=settings, budget=budget),
        tmp_path,
    )


def test_a_checkpoint_of_another_model_is_refused(trained: SimpleNamespace) -> None:
    clips = open_clips(trained.clips)
    with pytest.raises(UsageError, match="not of 'nano codec'"):
        train_codec(
            clips, trained.work / "denoiser.safetensors", settings=CodecSettings(), budget=TWO
        )


def test_the_command_offers_every_stage() -> None:
    (argument,) = (p for p in train_nano.params if p.name == "stage")
    assert tuple(argument.type.choices) == STAGES  # type: ignore[attr-defined]


def test_stages_say_what_they_need(trained: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--clips"):
        run_stage("codec", tmp_path)
    with pytest.raises(MediaNotFoundError, match="latents"):
        run_stage("denoiser", tmp_path, clips=trained.clips)
    with pytest.raises(UsageError, match="no stage 'upsample'"):
        run_stage("upsample", tmp_path, clips=trained.clips, large=trained.clips, steps=1)


def test_latents_are_scaled_to_mean_zero_and_variance_one(trained: SimpleNamespace) -> None:
    latents = open_latents(trained.work / "latents.npy")
    assert latents.values.shape == (2, 16, 7, 8, 8)
    scaled = latents.batch(np.array([0, 1]))
    assert np.allclose(scaled.mean(axis=(0, 2, 3, 4)), 0, atol=1e-3)
    assert np.allclose(scaled.std(axis=(0, 2, 3, 4)), 1, atol=1e-2)


def test_the_folder_is_a_stock_pipeline(trained: SimpleNamespace) -> None:
    from diffusers import DiffusionPipeline

    index = json.loads((trained.model / "model_index.json").read_text())
    assert index["_class_name"] == "WanPipeline"
    assert index["expand_timesteps"] is True
    pipe = DiffusionPipeline.from_pretrained(str(trained.model), local_files_only=True)
    assert len(pipe.vae.config.latents_mean) == 16
    statistics = json.loads((trained.work / "latents.json").read_text())
    assert pipe.vae.config.latents_std == pytest.approx(statistics["std"])
    weights = [path.suffix for path in trained.model.rglob("*") if path.stat().st_size > 100_000]
    assert set(weights) <= {".safetensors", ".onnx", ""}, "no pickles"


def test_tokenizer_parts_words_and_drops_the_rest() -> None:
    tokenizer = build_tokenizer()
    tokens = tokenizer("A RED-ball, rolling!").input_ids
    assert tokenizer.convert_ids_to_tokens(tokens) == ["a", "red", "ball", "rolling", "</s>"]
    assert tokenizer.convert_ids_to_tokens(tokenizer("xyzzy").input_ids)[0] == "<unk>"


def test_reader_answers_every_question_and_learns(trained: SimpleNamespace, tmp_path: Path) -> None:
    clips = open_clips(trained.clips)
    path = tmp_path / "reader.safetensors"
    settings = ReaderSettings(batch=2, steps=60)
    loss = train_reader(clips, path, settings=settings).losses["loss"]
    assert loss < 6, "two clips are soon known by heart; ignorance costs 10"
    answers, features = Reader(path).read(np.asarray(clips.frames))
    assert all(row[question] in QUESTIONS[question] for row in answers for question in QUESTIONS)
    assert features.shape == (2, 64)


def test_frechet_distance_of_gaussians_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(200_000, 3))
    second = 2 * rng.normal(size=(200_000, 3)) + [3, 0, 0]
    # |m|^2 + tr(I + 4 I - 2 * 2 I) = 9 + 3
    assert frechet_distance(first, second) == pytest.approx(12, rel=0.02)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)
