"""``vidigree read-noise``: the initial-noise mark of a clip, read with the model that made it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

__all__ = ["read_noise"]


@click.command("read-noise", epilog="Example: vidigree read-noise clip.mp4 --model ./my-wan")
@click.argument("clip", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="Folder or hub id of the model that may have made it.")
@click.option("--prompt", default="", help="What it was made for, if that is known.")
@click.option("--steps", type=click.IntRange(1), default=20, show_default=True, help="Steps back.")
@click.option("--size", help="WIDTHxHEIGHT that the model made, if the clip was resized since.")
@click.option("--device", default="", help="Torch device.  [default: the first accelerator]")
@click.option("--json", "as_json", is_flag=True, help="Print the reading as JSON.")
def read_noise(
    clip: Path, model: str, prompt: str, steps: int, size: str | None, device: str, as_json: bool
) -> int:
    """Look in CLIP for a mark of the noise it started from (see --set noise_mark=true).

    Exits with 10 if there is one and with 0 if not. Only the model itself can read it.
    """
    from vidigree.generate.engines.diffusers.loading import load_pipeline
    from vidigree.generate.engines.diffusers.noise_mark import read_noise_mark
    from vidigree.generate.engines.diffusers.options import DiffusersOptions
    from vidigree.watermark.keyring import KeyRing
    from vidigree.watermark.method import p_value_text

    reading = read_noise_mark(
        load_pipeline(model, DiffusersOptions(device=device)),
        clip,
        keys=KeyRing.load(),
        size=_size(size),
        prompt=prompt,
        steps=steps,
    )
    if as_json:
        click.echo(json.dumps(reading.to_dict()))
    elif reading.present:
        message = "not readable" if reading.message is None else f"{reading.message:016x}"
        click.echo(f"noise mark  {message}, key {reading.key_id}, {p_value_text(reading.p_value)}")
    else:
        click.echo(f"noise mark  none found ({p_value_text(reading.p_value)})")
    return 10 if reading.present else 0


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is not WIDTHxHEIGHT.", param_hint="--size")
    return int(match[1]), int(match[2])
