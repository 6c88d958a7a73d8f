"""``vidigree stamp``: mark and sign a clip that was made elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vidigree.watermark.file_path import FILE_PATH
from vidigree.watermark.issue_options import IssueOptions, issue_options

__all__ = ["stamp"]


@click.command()
@click.argument("source", type=FILE_PATH)
@click.option("-o", "--output", required=True, type=FILE_PATH, help="MP4 file to write.")
@click.option(
    "--crf",
    type=click.FloatRange(0, 51),
    default=18,
    show_default=True,
    help="Quality of the output: 0 is lossless, 18 looks the same, 51 is the worst.",
)
@click.option("--preset", default="medium", show_default=True, help="x264 preset of the output.")
@click.option(
    "--synthetic",
    is_flag=True,
    help="Say in the credentials that a generator made the pixels; nothing is claimed otherwise.",
)
@click.option("--model", default="", help="Name of the model that made the clip, if one did.")
@click.option("--pad-odd", is_flag=True, help="Repeat the last row or column of odd sizes.")
@issue_options
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
def stamp(
    source: Path,
    output: Path,
    crf: float,
    preset: str,
    synthetic: bool,
    model: str,
    pad_odd: bool,
    overwrite: bool,
    as_json: bool,
    issuing: IssueOptions,
) -> None:
    """Mark and sign SOURCE, a clip that was made elsewhere.

    The audio tracks are carried over; what is left out, such as subtitles, is named. The output is
    written only if the mark was read back from it, the credentials validate, and the ledger holds
    it.
    """
    from vidigree.media.progress import progress_bar
    from vidigree.watermark.clip import Origin
    from vidigree.watermark.stamp import stamp as stamp_clip

    settings = issuing.settings(crf=crf, preset=preset, pad_odd=pad_odd, overwrite=overwrite)
    with progress_bar() as progress:
        receipt = stamp_clip(
            source,
            output,
            settings=settings,
            origin=Origin(synthetic=synthetic or None, model=model),
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps(receipt.to_dict(), indent=2))
    else:
        click.echo(receipt.summary())
