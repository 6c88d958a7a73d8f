"""The stages of training the embedded model, in one working folder, each resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from vidigree.generate.training.clips import open_clips
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
        UsageError: A folder that the stage needs is not named.
        MediaNotFoundError: A folder does not hold what the stage needs.
    """
    codec_file, decoder_file = work / "codec.safetensors", work / "decoder.safetensors"
    denoiser_file, upsampler_file = work / "denoiser.safetensors", work / "upsampler.safetensors"
    latents_file = work / "latents.npy"
    import torch

    if stage == "export":
        target = _named(output, "--out")
        latents = open_latents(latents_file)
        codec = build_codec(latents_mean=latents.mean.tolist(), latents_std=latents.std.tolist())
        load_averages(codec_file, {"codec": codec})
        load_decoder(decoder_file, codec)
        export_model(codec, denoiser_file, target)
        export_upsampler(upsampler_file, target / "upsampler.onnx")
        return None
    folder = open_clips(_named(clips, "--clips"))
    work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(threads)
    budget = Budget(steps=steps or DEFAULT_STEPS.get(stage, 1), pause_after=seconds)
    if stage == "codec":
        return train_codec(
            folder, codec_file, settings=CodecSettings(), budget=budget, progress=progress
        )
    if stage == "latents":
        cache_latents(folder, _trained_codec(codec_file), latents_file, progress)
        return None
    if stage == "decoder":
        return train_decoder(
            open_latents(latents_file),
            folder,
            _trained_codec(codec_file),
            decoder_file,
            settings=DecoderSettings(),
            budget=budget,
            progress=progress,
        )
    if stage == "denoiser":
        return train_denoiser(
            open_latents(latents_file),
            folder.clips,
            denoiser_file,
            settings=DenoiserSettings(),
            budget=budget,
            progress=progress,
        )
    codec = _trained_codec(codec_file)
    load_decoder(decoder_file, codec)
    return train_upsampler(
        folder,
        open_clips(_named(large, "--large")),
        codec,
        upsampler_file,
        settings=UpsamplerSettings(),
        budget=budget,
        progress=progress,
    )


def steps_made(work: Path) -> str:
    """Return how many steps each stage in ``work`` has made, in words."""
    made = {}
    for stage in DEFAULT_STEPS:
        path = work / f"{stage}.safetensors"
        if path.exists():
            made[stage] = int(read_facts(path)["step"])
    return ", ".join(f"{steps:,} steps of the {stage}" for stage, steps in made.items())


def _named(folder: Path | None, option: str) -> Path:
    if folder is None:
        raise UsageError(f"This stage needs {option}.")
    return folder


def _trained_codec(checkpoint: Path) -> Any:
    codec = build_codec()
    load_averages(checkpoint, {"codec": codec})
    return codec.eval()
