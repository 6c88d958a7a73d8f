"""The ``vidigree watermark`` commands: the bench, and the training of the learned front end."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["watermark"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_SEED = click.IntRange(min=0)
_COUNT = click.IntRange(min=1)
_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.group()
def watermark() -> None:
    """Measure watermarks, and train what detects them."""


@watermark.command()
@click.argument("clips", nargs=-1, type=_FILE)
@click.option("--drawn", is_flag=True, help="Add drawn clips: small, short, dark, flat, static.")
@click.option("--methods", default="robust", show_default=True, help="Comma-separated methods.")
@click.option(
    "--attacks",
    type=click.Choice(["core", "full"]),
    default="core",
    show_default=True,
    help="Which list of attacks.",
)
@click.option("--only", multiple=True, metavar="ATTACK", help="Of that list this one; repeat.")
@click.option(
    "--report",
    type=_FOLDER,
    default=Path("bench-report"),
    show_default=True,
    help="Folder to write.",
)
@click.option("--frames", default=72, show_default=True, help="Frames of each clip at most.")
@click.option("--workers", default=1, show_default=True, help="Processes.")
@click.option("--seed", type=_SEED, default=1, show_default=True, help="The same gives the same.")
@click.option("--no-controls", is_flag=True, help="Leave unmarked clips out.")
@click.option("--no-vmaf", is_flag=True, help="Measure PSNR and SSIM only.")
def bench(
    clips: tuple[Path, ...],
    drawn: bool,
    methods: str,
    attacks: str,
    only: tuple[str, ...],
    report: Path,
    frames: int,
    workers: int,
    seed: int,
    no_controls: bool,
    no_vmaf: bool,
) -> None:
    """Mark CLIPS, attack them, and report what is recovered.

    A run that was interrupted goes on where it stopped when it is started again with the same
    report folder.
    """
    from vidigree.media.progress import progress_bar
    from vidigree.watermark.bench.drawn import write_drawn
    from vidigree.watermark.bench.report import write_report
    from vidigree.watermark.bench.run import BenchSettings, run_bench

    if not clips and not drawn:
        raise click.UsageError("Give clips, or --drawn.")
    settings = BenchSettings(
        methods=tuple(name.strip() for name in methods.split(",")),
        attacks=attacks,
        only=only,
        frames=frames,
        workers=workers,
        seed=seed,
        controls=not no_controls,
        quality=not no_vmaf,
    )
    with progress_bar() as progress:
        files = [*clips, *(write_drawn(report / "drawn") if drawn else ())]
        rows = run_bench(files, report, settings, progress)
    path = write_report(rows, report)
    click.echo(path.read_text(encoding="utf-8"))
    click.echo(f"Written: {path}", err=True)


@watermark.command()
@click.argument("clips", nargs=-1, required=True, type=_FILE)
@click.option("--trials", default=20000, show_default=True, help="Pairs of window and key.")
@click.option("--keys", default=10, show_default=True, help="Fresh keys for each window.")
@click.option("--seed", type=_SEED, default=1, show_default=True, help="The same gives the same.")
@click.option(
    "--halves",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Half seconds in a window, added as a clip's are; 0 for two frames.",
)
@click.option("--learned", is_flag=True, help="Half seconds as the learned front end sees them.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write a QQ plot.")
@click.option("--overwrite", is_flag=True, help="Replace the plot if it exists.")
def calibrate(
    clips: tuple[Path, ...],
    trials: int,
    keys: int,
    seed: int,
    halves: int,
    learned: bool,
    plot: Path | None,
    overwrite: bool,
) -> None:
    """Compare p-values of unmarked CLIPS with their claim."""
    from vidigree.media.progress import progress_bar
    from vidigree.watermark.bench.calibration import calibrate as run
    from vidigree.watermark.bench.calibration import check_plot, qq_plot

    if plot is not None:
        check_plot(plot, overwrite=overwrite)
    with progress_bar() as progress:
        result = run(clips, trials, keys, seed, progress, halves=halves, learned=learned)
    click.echo(f"{len(result.best)} trials: {result.windows} windows, {result.keys} keys each")
    click.echo(
        f"highest pilot score {result.scores.max():.2f}, smallest p {result.joint.min():.2g}"
    )
    for claimed, single, best, code, joint, placed in result.rows():
        click.echo(
            f"claimed p <= {claimed:g}: fixed shift {single:.2g}, best shift {best:.2g}, "
            f"codeword {code:.2g}, both {joint:.2g}, weighted {placed:.2g}"
        )
    if plot is not None:
        qq_plot(result, plot, overwrite=overwrite)
        click.echo(f"Written: {plot}", err=True)


@watermark.command()
@click.argument("clips", nargs=-1, required=True, type=_FILE)
@click.option("--seed", type=_SEED, default=1, show_default=True, help="The same gives the same.")
@click.option("--codec", type=_FOLDER, help="Folder of a diffusers autoencoder to go through, too.")
def security(clips: tuple[Path, ...], seed: int, codec: Path | None) -> None:
    """Attack the marks of CLIPS as forgers would.

    Measures averaging, copying, overwriting and removal.
    """
    from vidigree.watermark.bench.security import measure_security

    click.echo("| attack | outcome |\n|---|---|")
    for row in measure_security(clips, seed, codec):
        click.echo(f"| {row.attack} | {row.outcome} |")


@watermark.command("make-samples")
@click.argument("clips", nargs=-1, required=True, type=_FILE)
@click.option("--out", "folder", type=_FOLDER, required=True, help="Folder to write.")
@click.option(
    "--rounds", type=_COUNT, default=2, show_default=True, help="Times that each clip is marked."
)
@click.option("--seed", type=_SEED, default=1, show_default=True, help="Another for each call.")
@click.option("--strong", is_flag=True, help="Only the strongest compression of H.264 and H.265.")
def samples(clips: tuple[Path, ...], folder: Path, rounds: int, seed: int, strong: bool) -> None:
    """Write training samples for the learned front end.

    They are frames of CLIPS: marked, encoded and decoded.
    """
    from vidigree.media.progress import progress_bar
    from vidigree.watermark.robust.learning.samples import EVERYTHING, STRONG, make_samples

    mix = STRONG if strong else EVERYTHING
    with progress_bar() as progress:
        for done, _ in enumerate(make_samples(list(clips), folder, rounds, seed, mix), 1):
            progress("Samples", done, rounds * len(clips))


@watermark.command("train-front-end")
@click.argument("samples_folder", metavar="SAMPLES", type=_FOLDER)
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="State to go on from and write.",
)
@click.option(
    "--minutes", type=_POSITIVE, default=20.0, show_default=True, help="Wall time of this run."
)
@click.option(
    "--steps", type=_COUNT, default=8000, show_default=True, help="Steps of the whole schedule."
)
@click.option("--threads", type=_COUNT, default=2, show_default=True, help="Of the CPU.")
@click.option(
    "--rate", type=_POSITIVE, default=1.5e-3, show_default=True, help="Highest learning rate."
)
@click.option("--batch", type=_COUNT, default=12, show_default=True, help="Crops in a step.")
@click.option(
    "--crop", type=_COUNT, default=96, show_default=True, help="Side of a crop, a multiple of 8."
)
@click.option("--device", default="cpu", show_default=True, help="As PyTorch names it: cuda, ...")
@click.option("--from", "origin", type=_FILE, help="Where CHECKPOINT is new, its first weights.")
@click.option("--export", type=click.Path(dir_okay=False, path_type=Path), help="Write ONNX here.")
def train(
    samples_folder: Path,
    checkpoint: Path,
    minutes: float,
    steps: int,
    threads: int,
    rate: float,
    batch: int,
    crop: int,
    device: str,
    origin: Path | None,
    export: Path | None,
) -> None:
    """Train the learned front end on SAMPLES.

    Goes on from CHECKPOINT where there is one. All samples are held in memory, about 0.9 MB each.
    """
    from vidigree.media.progress import progress_bar
    from vidigree.watermark.robust.learning.train import (
        TrainSettings,
        export_network,
        train_network,
    )

    settings = TrainSettings(
        seconds=60 * minutes,
        total_steps=steps,
        threads=threads,
        learning_rate=rate,
        batch=batch,
        crop=crop,
        device=device,
        origin=origin,
    )
    with progress_bar() as progress:
        rows = train_network(samples_folder, checkpoint, settings, progress)
    for row in rows:
        click.echo(
            f"step {row['step']:.0f}: loss {row['loss']:.4f}, correlation a frame "
            f"{row['linear']:.4f} linear, {row['learned']:.4f} learned"
        )
    if export is not None:
        export_network(checkpoint, export)
        click.echo(f"Written: {export}", err=True)
