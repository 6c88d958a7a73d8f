"""``vidigree generator train FAMILY``: the trainings of the families."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vidigree.generate.training.loop import Run

__all__ = ["family_commands"]

_PATH = click.Path(path_type=Path)
_HELP = {
    "codec": "The frame codec that all share; the first to be trained.",
    "captions": "The encoders of captions and clips; the second.",
    "gan": "The MoCoGAN-like generator.",
    "flow-gan": "The generator that moves a still by optical flow.",
    "vae": "The variational autoencoder and its flow.",
    "autoregressive": "The transformer over quantised frames.",
}


def family_commands() -> list[click.Command]:
    """Return one command for each family and for the two networks they share."""
    return [_command(name, text) for name, text in _HELP.items()]


def _command(name: str, text: str) -> click.Command:
    @click.command(name, help=text + " Goes on from the checkpoint if there is one.")
    @click.option("--clips", "folder", required=True, type=_PATH, help="Drawn by draw-clips.")
    @click.option("--checkpoint", required=True, type=_PATH, help="State to go on from and write.")
    @click.option("--minutes", type=click.FloatRange(0, min_open=True), help="CPU minutes in all.")
    @click.option("--steps", type=click.IntRange(1), help="Steps in all.")
    @click.option(
        "--seed", default=0, show_default=True, type=click.IntRange(0), help="Of weights and order."
    )
    @click.option(
        "--threads", default=1, show_default=True, type=click.IntRange(1), help="Of the CPU."
    )
    @click.option("--codec", type=_PATH, help="Checkpoint of the codec.  [default: the package's]")
    @click.option(
        "--captions", type=_PATH, help="Checkpoint of the captions.  [default: the package's]"
    )
    @click.option("--weights", type=_PATH, help="Also write the weights, as they are shipped.")
    def command(**values: Any) -> None:
        from vidigree.generate.engines.families.weights import write_weights
        from vidigree.media.output import check_target
        from vidigree.media.progress import progress_bar

        if values["minutes"] is None and values["steps"] is None:
            raise click.UsageError("Give --minutes or --steps.")
        target: Path | None = values.pop("weights")
        for path in (values["checkpoint"], target):
            if path is not None:
                check_target(path, overwrite=True)  # after the training would be too late
        with progress_bar() as progress:
            run = _train(name, progress=progress, **values)
        losses = ", ".join(f"{key} {value:.4f}" for key, value in run.losses.items())
        click.echo(f"{name}: {run.step} steps, {run.seconds / 60:.1f} CPU minutes; {losses}")
        if target is not None:
            write_weights(values["checkpoint"], target, overwrite=True)
            click.echo(f"{target}: {target.stat().st_size / 1e6:.1f} MB")

    return command


def _train(
    name: str,
    *,
    folder: Path,
    checkpoint: Path,
    minutes: float | None,
    steps: int | None,
    threads: int,
    codec: Path | None,
    captions: Path | None,
    seed: int,
    progress: Any,
) -> Run:
    """Load what the training stands on, and train."""
    import cv2
    import torch

    from vidigree.generate.engines.families.networks.foundation import load_captions, load_codec
    from vidigree.generate.training.families.autoregressive import train_autoregressive
    from vidigree.generate.training.families.captions import train_captions
    from vidigree.generate.training.families.clips import TrainingClips
    from vidigree.generate.training.families.codec import train_codec
    from vidigree.generate.training.families.flow_gan import train_flow_gan
    from vidigree.generate.training.families.gan import train_gan
    from vidigree.generate.training.families.maps import encode_clips
    from vidigree.generate.training.families.vae import train_vae
    from vidigree.generate.training.loop import Budget

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    clips = TrainingClips.open(folder)
    shared: dict[str, Any] = {
        "checkpoint": checkpoint,
        "budget": Budget(minutes=minutes, steps=steps),
        "seed": seed,
        "progress": progress,
    }
    if name == "codec":
        return train_codec(clips, **shared)
    if name == "flow-gan":
        return train_flow_gan(clips, load_captions(captions)[0], **shared)
    maps = encode_clips(clips, load_codec(codec), checkpoint.parent, progress)
    alone: dict[str, Callable[..., Run]] = {
        "captions": train_captions,
        "autoregressive": train_autoregressive,
    }
    if name in alone:
        return alone[name](clips, maps, **shared)
    encoders = load_captions(captions)
    if name == "gan":
        return train_gan(clips, maps, encoders[0], **shared)
    return train_vae(clips, maps, encoders, **shared)
