"""``vidigree generate`` and ``vidigree engines``."""

from __future__ import annotations

import json
import secrets
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidigree.watermark.issue_options import IssueOptions, issue_options

if TYPE_CHECKING:
    from vidigree.watermark.stamp import StampReceipt

__all__ = ["engines", "generate"]


class _FrameRate(click.ParamType[Fraction]):
    """Frames per second: 24, 29.97 or 30000/1001."""

    name = "fps"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        try:
            return Fraction(value).limit_denominator(1001)
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a frame rate such as 24 or 30000/1001.", param, ctx)


class _Setting(click.ParamType[tuple[str, Any]]):
    """``KEY=VALUE``; the value is JSON, or text if it is not JSON."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        key, separator, text = str(value).partition("=")
        if not separator or not key:
            self.fail(f"{value!r} is not KEY=VALUE.", param, ctx)
        try:
            return key, json.loads(text)
        except ValueError:
            return key, text


@click.command(
    epilog="Example: vidigree generate 'two red balls bouncing on a wooden floor' -o clip.mp4"
)
@click.argument("prompt")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="MP4 file to write."
)
@click.option("--engine", default="render", show_default=True, help="See 'vidigree engines'.")
@click.option("--model", default="", help="Folder or hub id for engines that load models.")
@click.option("--image", type=click.Path(path_type=Path), help="Picture to start from.")
@click.option("--video", type=click.Path(path_type=Path), help="Clip to start from.")
@click.option("--strength", type=float, help="How far to leave the clip to start from, 0 to 1.")
@click.option("--negative-prompt", default="", help="What the clip should not show.")
@click.option("--width", type=int, help="Pixels.  [default: the engine's]")
@click.option("--height", type=int, help="Pixels.  [default: the engine's]")
@click.option("--frames", type=int, help="Number of frames.  [default: the engine's]")
@click.option("--fps", type=_FrameRate(), help="Frames per second.  [default: the engine's]")
@click.option("--seed", type=int, help="The same seed gives the same clip.  [default: random]")
@click.option(
    "--set",
    "settings",
    type=_Setting(),
    multiple=True,
    help="Further argument of the engine, such as steps=30; may be repeated.",
)
@click.option(
    "--crf",
    type=click.FloatRange(0, 51),
    default=18,
    show_default=True,
    help="Quality of the output: 0 is lossless, 18 looks the same, 51 is the worst.",
)
@issue_options
@click.option("--overwrite", is_flag=True, help="Replace an existing output.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
def generate(
    prompt: str,
    output: Path,
    frames: int | None,
    seed: int | None,
    settings: tuple[tuple[str, Any], ...],
    crf: float,
    overwrite: bool,
    as_json: bool,
    issuing: IssueOptions,
    **values: Any,
) -> None:
    """Make a clip from PROMPT, marked, signed and recorded."""
    from vidigree.generate.generating import generate as generate_clip
    from vidigree.generate.request import ClipRequest
    from vidigree.media.progress import progress_bar

    request = ClipRequest(
        prompt=prompt,
        num_frames=frames,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        options=dict(settings),
        **values,
    )
    with progress_bar() as progress:
        receipt = generate_clip(
            request,
            output,
            settings=issuing.settings(crf=crf, overwrite=overwrite),
            progress=progress,
        )
    _print_receipt(receipt, request.seed, as_json=as_json)


def _print_receipt(receipt: StampReceipt, seed: int, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**receipt.to_dict(), "seed": seed}, indent=2))
        return
    click.echo(receipt.summary())
    click.echo(f"  seed         {seed}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the engines as JSON.")
def engines(as_json: bool) -> None:
    """List the generator engines that are installed."""
    from vidigree.generate.engine import engine_registry

    known = [engine_registry.get(name).info for name in engine_registry]
    if as_json:
        click.echo(json.dumps([info.to_dict() for info in known], indent=2))
        return
    for info in known:
        click.echo(f"{info.name}  ({info.family})")
        click.echo(f"  {info.description}")
        click.echo(f"  tasks    {', '.join(info.tasks)}")
        click.echo(f"  memory   {info.memory or 'not stated'}")
        click.echo(f"  licence  {info.licence}")
        if info.needs_model:
            click.echo("  model    name one with --model FOLDER or --model ORGANISATION/NAME")
