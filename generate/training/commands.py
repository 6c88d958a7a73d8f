"""``vidigree generator``: data, training and measurements of the embedded models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vidigree.generate.training.families.commands import family_commands
from vidigree.generate.training.nano.commands import evaluate_nano, train_nano

__all__ = ["generator"]

_FOLDER = click.Path(path_type=Path)


@click.group()
def generator() -> None:
    """Train and measure the models that come with the package."""


@generator.command("draw-clips")
@click.option("--out", "folder", required=True, type=_FOLDER, help="Folder to write.")
@click.option(
    "--clips", "count", default=5000, show_default=True, type=click.IntRange(1), help="How many."
)
@click.option("--size", default=64, show_default=True, type=click.IntRange(16), help="Pixels.")
@click.option(
    "--frames",
    "num_frames",
    default=25,
    show_default=True,
    type=click.IntRange(1),
    help="Of each clip.",
)
@click.option(
    "--fps", default=12, show_default=True, type=click.IntRange(1, 240), help="Frames per second."
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="The same draws the same."
)
@click.option(
    "--split",
    type=click.Choice(["train", "held-out"]),
    default="train",
    show_default=True,
    help="Combinations to train on, or those kept from training.",
)
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1), help="Processes.")
def draw_clips(folder: Path, count: int, jobs: int, **settings: Any) -> None:
    """Draw captioned clips with the renderer.

    Called again, it goes on where it stopped.
    """
    from vidigree.generate.training.clips import ClipSettings
    from vidigree.generate.training.clips import draw_clips as draw
    from vidigree.media.progress import progress_bar

    with progress_bar() as progress:
        draw(folder, count, ClipSettings(**settings), jobs=jobs, progress=progress)
    click.echo(f"{folder}: {count} clips")


@generator.group()
def train() -> None:
    """Train a model that comes with the package, resumably."""


for _command in family_commands():
    train.add_command(_command)
train.add_command(train_nano)


@generator.group()
def evaluate() -> None:
    """Measure a model that comes with the package."""


evaluate.add_command(evaluate_nano)
