"""The stages of training the embedded model, in one working folder, each resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch

from vidigree.generate.training.clips import ClipFolder, open_clips
from vidigree.generate.training.loop import Budget, Run, load_averages, read_facts
from vidigree.generate.training.nano.codec import build_codec
from vidigree.generate.training.nano.codec_training import CodecSettings, train_codec
from vidigree.generate.training.nano.decoder_training import (
    DecoderSettings,
    load_decoder,
    train_decoder,
)
from vidigree.generate.training.nano.denoiser import DenoiserSettings, train_denoiser
from vidigree.generate.training.nano.export import export_model
from vidigree.generate.training.nano.latents import cache_latents, open_latents
from vidigree.generate.training.nano.upsampler import (
    UpsamplerSettings,
    export_upsampler,
    train_upsampler,
)
from vidigree.media.errors import UsageError
from vidigree.media.progress import Progress, no_progress

__all__ = ["STAGES", "run_stage", "steps_made"]

STAGES: Final = ("codec", "latents", "decoder", "denoiser", "upsampler", "export")
# Steps of each stage that learns; docs/nano.md says how many the shipped weights were given.
DEFAULT_STEPS: Final = {"codec": 4200, "decoder": 1500, "denoiser": 9000, "upsampler": 1200}


def run_stage(
    stage: str,
    work: Path,
    *,
    clips: Path | None = None,
    large: Path | None = None,
    output: Path | None = None,
    steps: int | None = None,
    seconds: float | None = None,
    threads: int = 1,
    progress: Progress = no_progress,
) -> Run | None:
    """Run one stage, or go on with it.

    Args:
        stage: One of :data:`STAGES`, in this order.
        work: Folder of checkpoints and latents.
        clips: Folder of clips at the model's size (all stages but ``export``).
        large: Folder of the same clips at four times the size (``upsampler``).
        output: Model folder to write (``export``).
        steps: Steps of the stage; ``None`` takes :data:`DEFAULT_STEPS`.
        seconds: Wall time after which to stop; ``None`` for no limit.
        threads: CPU threads.
        progress: Told of every step.

    Returns:
        The run; ``None`` for stages that do not learn.

    Raises:
        UsageError: There is no such stage, or a folder that it needs is not named.
        MediaNotFoundError: A folder does not hold what the stage needs.
    """
    if stage not in STAGES:
        raise UsageError(f"There is no stage {stage!r}.", hint=f"Known: {', '.join(STAGES)}.")
    if stage == "export":
        _export(work, _named(output, "--out"))
        return None
    folder = open_clips(_named(clips, "--clips"))
    work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(threads)
    if stage == "latents":
        cache_latents(folder, _trained_codec(work), _latents_of(work), progress)
        return None
    budget = Budget(steps=steps or DEFAULT_STEPS[stage], pause_after=seconds)
    return _train(stage, work, folder, large, budget=budget, progress=progress)


def _train(
    stage: str,
    work: Path,
    folder: ClipFolder,
    large: Path | None,
    *,
    budget: Budget,
    progress: Progress,
) -> Run:
    """Run a stage that learns, with the settings of the shipped weights."""
    target = _checkpoint(work, stage)
    if stage == "codec":
        return train_codec(
            folder, target, settings=CodecSettings(), budget=budget, progress=progress
        )
    if stage == "decoder":
        return train_decoder(
            open_latents(_latents_of(work)),
            folder,
            _trained_codec(work),
            target,
            settings=DecoderSettings(),
            budget=budget,
            progress=progress,
        )
    if stage == "denoiser":
        return train_denoiser(
            open_latents(_latents_of(work)),
            folder.clips,
            target,
            settings=DenoiserSettings(),
            budget=budget,
            progress=progress,
        )
    codec = _trained_codec(work)
    load_decoder(_checkpoint(work, "decoder"), codec)
    return train_upsampler(
        folder,
        open_clips(_named(large, "--large")),
        codec,
        target,
        settings=UpsamplerSettings(),
        budget=budget,
        progress=progress,
    )


def _export(work: Path, target: Path) -> None:
    """Write the model folder that the engine reads."""
    latents = open_latents(_latents_of(work))
    codec = build_codec(latents_mean=latents.mean.tolist(), latents_std=latents.std.tolist())
    load_averages(_checkpoint(work, "codec"), {"codec": codec})
    load_decoder(_checkpoint(work, "decoder"), codec)
    export_model(codec, _checkpoint(work, "denoiser"), target)
    export_upsampler(_checkpoint(work, "upsampler"), target / "upsampler.onnx")


def steps_made(work: Path) -> str:
    """Return how many steps each stage in ``work`` has made, in words."""
    made = {}
    for stage in DEFAULT_STEPS:
        path = _checkpoint(work, stage)
        if path.exists():
            made[stage] = int(read_facts(path)["step"])
    return ", ".join(f"{steps:,} steps of the {stage}" for stage, steps in made.items())


def _named(folder: Path | None, option: str) -> Path:
    if folder is None:
        raise UsageError(f"This stage needs {option}.")
    return folder


def _checkpoint(work: Path, stage: str) -> Path:
    return work / f"{stage}.safetensors"


def _latents_of(work: Path) -> Path:
    return work / "latents.npy"


def _trained_codec(work: Path) -> Any:
    codec = build_codec()
    load_averages(_checkpoint(work, "codec"), {"codec": codec})
    return codec.eval()
