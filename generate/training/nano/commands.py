"""``vidigree generator train nano`` and ``vidigree generator evaluate nano``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import click

__all__ = ["evaluate_nano", "train_nano"]

_STAGES: Final = ("codec", "latents", "decoder", "denoiser", "upsampler", "export")
# Clips on the contact sheet.
_ON_THE_SHEET: Final = 24
_FOLDER = click.Path(path_type=Path)
_STEPS: Final = "[default: codec 4200, decoder 1500, denoiser 9000, upsampler 1200]"


@click.command("nano")
@click.argument("stage", type=click.Choice(_STAGES))
@click.option("--work", required=True, type=_FOLDER, help="Folder of checkpoints and latents.")
@click.option("--clips", type=_FOLDER, help="Clips at the model's size.")
@click.option("--large", type=_FOLDER, help="The same scenes at four times the size (upsampler).")
@click.option("--out", "output", type=_FOLDER, help="Model folder to write (export).")
@click.option("--steps", type=click.IntRange(1), help=_STEPS)
@click.option("--seconds", type=click.FloatRange(1), help="Stop after this time, to go on later.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1), help="Of the CPU.")
def train_nano(stage: str, work: Path, **values: Any) -> None:
    """The embedded diffusion model, stage by stage.

    Runs one STAGE, or goes on with it. The stages in order: codec, latents, decoder, denoiser,
    upsampler, export. A GPU is used where there is one.
    """
    from vidigree.generate.engines.diffusers.loading import check_installed

    check_installed("nano")
    from vidigree.generate.training.nano.stages import run_stage
    from vidigree.media.progress import progress_bar

    with progress_bar() as progress:
        run = run_stage(stage, work, progress=progress, **values)
    if run is not None:
        losses = ", ".join(f"{name} {value:.4f}" for name, value in run.losses.items())
        click.echo(f"step {run.step}, {losses}")


@click.command("nano")
@click.option("--clips", required=True, type=_FOLDER, help="Training clips.")
@click.option("--held-out", required=True, type=_FOLDER, help="Clips of held-out combinations.")
@click.option("--work", required=True, type=_FOLDER, help="Folder of the checkpoints.")
@click.option("--model", type=_FOLDER, help="Model folder; the shipped one if absent.")
@click.option(
    "--count", default=160, show_default=True, type=click.IntRange(32), help="Clips from text."
)
@click.option(
    "--pictured",
    default=48,
    show_default=True,
    type=click.IntRange(16),
    help="Clips from a picture.",
)
@click.option("--card", type=_FOLDER, help="Write the model card (Markdown) here.")
@click.option("--sheet", type=_FOLDER, help="Write a contact sheet (JPEG) here.")
def evaluate_nano(
    clips: Path,
    held_out: Path,
    work: Path,
    model: Path | None,
    card: Path | None,
    sheet: Path | None,
    **counts: int,
) -> None:
    """Measure the embedded diffusion model.

    Prints JSON, and writes its card.
    """
    from vidigree.generate.engines.diffusers.loading import check_installed

    check_installed("nano")
    from vidigree.generate.engines.nano.weights import model_folder
    from vidigree.generate.training.clips import open_clips
    from vidigree.generate.training.nano.card import contact_sheet, write_card
    from vidigree.generate.training.nano.evaluate import evaluate
    from vidigree.generate.training.nano.reader import Reader, ReaderSettings, train_reader
    from vidigree.generate.training.nano.stages import steps_made
    from vidigree.media.progress import progress_bar

    trained, asked = open_clips(clips), open_clips(held_out)
    checkpoint = work / "reader.safetensors"
    with progress_bar() as progress:
        train_reader(trained, checkpoint, settings=ReaderSettings(), progress=progress)
        result, made = evaluate(
            asked, trained, Reader(checkpoint), folder=model, progress=progress, **counts
        )
    if sheet is not None:
        contact_sheet(made[:_ON_THE_SHEET], sheet)
    if card is not None:
        name = Path(os.path.relpath(sheet, card.parent)).as_posix() if sheet is not None else ""
        shown = asked.clips[:_ON_THE_SHEET]
        write_card(
            result,
            model or model_folder(),
            training=steps_made(work),
            shown=shown,
            sheet=name,
            path=card,
        )
    click.echo(json.dumps(result.to_dict(), indent=2))
