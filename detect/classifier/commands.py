"""``vidigree classifier``: train, evaluate and run the classifier."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from vidigree.detect.classifier.reading import ClassifierReading

__all__ = ["classifier"]

_FILE = click.Path(path_type=Path)
_FURTHER = "CSV of clips to train on beside CLIPS, which are in no figure."


@click.group()
def classifier() -> None:
    """Train, evaluate and run the real-vs-synthetic classifier."""


@classifier.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--weights", type=_FILE, help="Weights of your own; the shipped ones if absent.")
@click.option("--where", is_flag=True, help="Also say where: a curve over time, a heat map.")
@click.option("--picture", type=_FILE, help="Draw curve and heat map of one FILE, as PNG, here.")
@click.option("--overwrite", is_flag=True, help="Replace the picture if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per file.")
def score(
    files: tuple[Path, ...],
    weights: Path | None,
    where: bool,
    picture: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Score FILES by their pixels. A low score never means authentic."""
    from vidigree.detect.classifier.localisation import draw_localisation
    from vidigree.detect.classifier.reading import score_video
    from vidigree.detect.classifier.weights_file import load_model
    from vidigree.media.errors import MediaError, UsageError
    from vidigree.media.one_line import one_line
    from vidigree.media.output import check_target

    if picture is not None and len(files) != 1:
        raise UsageError("One picture shows one file.", hint="Give one FILE with --picture.")
    if picture is not None:
        check_target(picture, overwrite=overwrite)
        if picture.exists() and files[0].exists() and picture.samefile(files[0]):
            raise UsageError(f"{picture} is the clip itself.", hint="Name another picture.")
    model = load_model(weights) if weights else None
    failed = 0
    for path in files:
        try:
            reading = score_video(path, model=model, where=where or picture is not None)
        except MediaError as error:
            click.echo(f"vidigree: {one_line(str(error))}", err=True)
            failed = failed or error.exit_code
            continue
        if picture is not None and reading.where is not None:
            _write_png(picture, draw_localisation(path, reading.where), overwrite=overwrite)
        elif picture is not None:
            click.echo(f"vidigree: There is nothing to draw of {path}, so no picture.", err=True)
        if as_json:
            click.echo(json.dumps({"file": str(path), **reading.to_dict()}))
        else:
            click.echo("\n".join(_lines(path, reading)))
    if failed:
        raise SystemExit(failed)


def _lines(path: Path, reading: ClassifierReading) -> Iterator[str]:
    """Yield what a person reads of a clip."""
    if reading.llr is None:
        yield f"{path}: abstained ({reading.reason})"
        return
    word = "likely synthetic" if reading.likely_synthetic else "no evidence of synthesis"
    yield (
        f"{path}: {word}; log-likelihood ratio {reading.llr:+.2f}"
        f" (threshold {reading.threshold:+.2f}), real clips score this high with"
        f" p = {reading.p_value:.3f}"
    )
    for part in reading.where.stretches if reading.where else ():
        yield (
            f"  {part.start:.2f} s to {part.end:.2f} s stands out,"
            f" log-likelihood ratio {part.llr:+.2f}"
        )
    if reading.where and reading.where.region:
        top, bottom, left, right = reading.where.region.box
        yield (
            f"  a rectangle was put into the picture: {left:.0%} to {right:.0%} from the"
            f" left, {top:.0%} to {bottom:.0%} from the top"
        )


def _write_png(path: Path, image: NDArray[np.uint8], *, overwrite: bool) -> None:
    import cv2

    from vidigree.media.output import output_file

    with output_file(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(bytes(cv2.imencode(".png", image[..., ::-1])[1]))


@classifier.command()
@click.argument("clips", type=_FILE)
@click.option("--cache", required=True, type=_FILE, help="Folder for windows and features.")
@click.option("-o", "--output", required=True, type=_FILE, help="Weights to write, ending in .npz.")
@click.option("--group", "groups", multiple=True, help="Feature group to use as well; repeat.")
@click.option("--further", type=_FILE, help=_FURTHER)
def train(
    clips: Path, cache: Path, output: Path, groups: tuple[str, ...], further: Path | None
) -> None:
    """Train on CLIPS, a table of labelled clips.

    It is a CSV with the columns file, label (real or synthetic) and origin.

    Interrupted, it goes on from the cache when it is called again.
    """
    from vidigree.detect.classifier.cache import WindowCache
    from vidigree.detect.classifier.dataset import read_dataset
    from vidigree.detect.classifier.fitting import TrainingSettings
    from vidigree.detect.classifier.training import train as train_model
    from vidigree.detect.classifier.weights_file import check_weights_target, save_model
    from vidigree.media.progress import progress_bar

    check_weights_target(output)
    with progress_bar() as progress:
        model = train_model(
            read_dataset(clips),
            cache=WindowCache(cache),
            settings=TrainingSettings().with_groups(groups),
            further=read_dataset(further) if further else (),
            progress=progress,
        )
    sha256 = save_model(model, output)
    click.echo(f"{output}: model {model.model_id}, SHA-256 {sha256}")
    if math.isinf(model.header.threshold):
        click.echo(
            f"vidigree: {len(model.reals)} real clips set no threshold for"
            f" {model.header.false_alarms:.0%} false alarms: these weights call no clip likely"
            " synthetic until they are calibrated.",
            err=True,
        )


@classifier.command()
@click.argument("clips", type=_FILE)
@click.option("--cache", required=True, type=_FILE, help="Folder for windows and features.")
@click.option("--laundering", "launderings", multiple=True, help="Row of the table; all if absent.")
@click.option("--group", "groups", multiple=True, help="Feature group to use as well; repeat.")
@click.option("--further", type=_FILE, help=_FURTHER)
@click.option(
    "--first-seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the first assignment to folds.",
)
@click.option("--own", type=_FILE, help="CSV of clips of the project's own engines, marks off.")
@click.option("--card", type=_FILE, help="Write the model card (Markdown) here.")
@click.option("--plots", type=_FILE, help="Folder for ROC, reliability and bars as SVG.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
def evaluate(
    clips: Path,
    cache: Path,
    launderings: tuple[str, ...],
    groups: tuple[str, ...],
    further: Path | None,
    first_seed: int,
    own: Path | None,
    card: Path | None,
    plots: Path | None,
    as_json: bool,
) -> None:
    """Measure the training recipe on CLIPS.

    Generators and real origins are held out.
    """
    from vidigree.detect.classifier.cache import WindowCache
    from vidigree.detect.classifier.card import figures_markdown, model_card
    from vidigree.detect.classifier.dataset import read_dataset
    from vidigree.detect.classifier.evaluate import evaluate as run
    from vidigree.detect.classifier.features import feature_groups
    from vidigree.detect.classifier.fitting import TrainingSettings
    from vidigree.detect.classifier.installation import check_installation, made_of
    from vidigree.detect.classifier.laundering import DRAWN, LAUNDERINGS
    from vidigree.detect.classifier.plots import audit_plots, make_plots_folder, write_plots
    from vidigree.detect.classifier.weights_file import shipped_model
    from vidigree.media.errors import UsageError
    from vidigree.media.output import check_target, output_file
    from vidigree.media.progress import progress_bar

    known = (*LAUNDERINGS, DRAWN)
    unknown = [name for name in launderings if name not in known]
    if unknown:
        raise UsageError(
            f"There is no laundering called {unknown[0]!r}.",
            hint=f"Known: {', '.join(known)}.",
        )
    if card is not None:
        check_target(card, overwrite=True)
    if plots is not None:
        make_plots_folder(plots)
    rows, windows = read_dataset(clips), WindowCache(cache)
    settings = TrainingSettings().with_groups(groups).with_seeds_from(first_seed)
    with progress_bar() as progress:
        result = run(
            rows,
            cache=windows,
            settings=settings,
            launderings=launderings or known,
            own=read_dataset(own) if own else (),
            further=read_dataset(further) if further else (),
            unused=[name for name in feature_groups if name not in settings.groups],
            progress=progress,
        )
    if card is not None:
        with output_file(card, overwrite=True) as temporary:
            model = shipped_model()
            check = check_installation(rows, model) if made_of(model, rows, windows) else None
            temporary.write_text(model_card(result, rows, check), encoding="utf-8")
    if plots is not None:
        write_plots(plots, audit_plots(result))
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=1))
    else:
        click.echo(figures_markdown(result))


@classifier.command()
@click.argument("clips", type=_FILE)
@click.option("-o", "--output", required=True, type=_FILE, help="Weights to write, ending in .npz.")
@click.option("--weights", type=_FILE, help="Weights to start from; the shipped ones if absent.")
@click.option(
    "--false-alarms",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.01,
    show_default=True,
    help="Share of real clips that may be called likely synthetic.",
)
def calibrate(clips: Path, output: Path, weights: Path | None, false_alarms: float) -> None:
    """Fit threshold and ratio to CLIPS of your own.

    CLIPS is a CSV as for `train`. Real clips alone set the threshold; ten or more of both classes
    fit the ratio as well.
    """
    from vidigree.detect.classifier.dataset import read_dataset
    from vidigree.detect.classifier.recalibrate import recalibrate
    from vidigree.detect.classifier.weights_file import (
        check_weights_target,
        load_model,
        save_model,
        shipped_model,
    )
    from vidigree.media.progress import progress_bar

    check_weights_target(output)
    with progress_bar() as progress:
        model = recalibrate(
            read_dataset(clips),
            load_model(weights) if weights else shipped_model(),
            false_alarms=false_alarms,
            name=clips.name,
            progress=progress,
        )
    save_model(model, output)
    click.echo(f"{output}: threshold {model.header.threshold:+.2f}, {len(model.reals)} real clips")
