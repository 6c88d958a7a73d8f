"""``vidigree generate`` and ``vidigree engines``."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vidigree.watermark.file_path import FILE_PATH
from vidigree.watermark.issue_options import IssueOptions, issue_options

if TYPE_CHECKING:
    from vidigree.generate.batch import BatchRow
    from vidigree.generate.checking import CheckReport
    from vidigree.generate.policy import Policy
    from vidigree.generate.tracking import Tracker
    from vidigree.watermark.stamp_settings import StampSettings

__all__ = ["engines", "generate"]

_NOTHING_TO_CHECK = "  check        nothing in this prompt can be checked"


class _FrameRate(click.ParamType[Fraction]):
    """Frames per second: 24, 29.97 or 30000/1001."""

    name = "fps"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        from vidigree.generate.request import frame_rate

        try:
            return frame_rate(str(value))
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
        except RecursionError:
            self.fail(f"The value of {key} is nested too deeply.", param, ctx)


@click.command(
    epilog="Example: vidigree generate 'two red balls bouncing on a wooden floor' -o clip.mp4"
)
@click.argument("prompt", required=False)
@click.option(
    "-o",
    "--output",
    type=FILE_PATH,
    help="MP4 file to write; with --batch, the folder.",
)
@click.option(
    "--engine",
    default="",
    help="See 'vidigree engines'.  [default: render; nano with --image or --video]",
)
@click.option("--model", default="", help="Folder or hub id for engines that load models.")
@click.option("--image", type=FILE_PATH, help="Picture to start from.")
@click.option("--video", type=FILE_PATH, help="Clip to start from.")
@click.option("--strength", type=float, help="How far to leave the clip to start from, 0 to 1.")
@click.option("--negative-prompt", default="", help="What the clip should not show.")
@click.option("--width", type=int, help="Pixels.  [default: the engine's]")
@click.option("--height", type=int, help="Pixels.  [default: the engine's]")
@click.option("--frames", type=int, help="Number of frames.  [default: the engine's]")
@click.option("--fps", type=_FrameRate(), help="Frames per second.  [default: the engine's]")
@click.option("--seed", type=int, help="The same seed gives the same clip.  [default: random]")
@click.option(
    "--set",
    "options",
    type=_Setting(),
    multiple=True,
    help="Further argument of the engine, such as steps=30; may be repeated.",
)
@click.option(
    "--batch",
    type=FILE_PATH,
    help="File of requests instead of PROMPT: one prompt a line (# in front is a comment), or, in"
    " a .jsonl file, JSON lines.",
)
@click.option(
    "--policy", "policy_source", help="File of refused terms, or package.module:function."
)
@click.option("--dry-run", is_flag=True, help="Say what it would need, and stop.")
@click.option("--preview", is_flag=True, help="Show a small picture beside the output meanwhile.")
@click.option("--check", is_flag=True, help="See if the clip holds what the prompt named.")
@click.option(
    "--check-weights",
    type=FILE_PATH,
    help="YOLO detector (ONNX) to check with as well; needs the extra 'track'.",
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
def generate(**values: Any) -> int:
    """Make a clip from PROMPT, marked, signed and recorded."""
    from vidigree.generate.policy import load_policy
    from vidigree.generate.tracking import open_tracker

    weights, source = values.pop("check_weights"), values.pop("policy_source")
    run = _Run(
        output=values.pop("output"),
        policy=None if source is None else load_policy(source),
        check=values.pop("check") or weights is not None,
        tracker=None if weights is None else open_tracker(weights),
        preview=values.pop("preview"),
        issuing=values.pop("issuing"),
        stamp={"crf": values.pop("crf"), "overwrite": values.pop("overwrite")},
        as_json=values.pop("as_json"),
    )
    batch, dry, prompt = values.pop("batch"), values.pop("dry_run"), values.pop("prompt")
    request = {
        "num_frames": values.pop("frames"),
        "options": dict(values.pop("options")),
        **values,
    }
    if (batch is None) == (prompt is None):
        raise click.UsageError("Give either a PROMPT or --batch FILE.")
    if not dry and run.output is None:
        raise click.UsageError("Missing option '-o' / '--output'.")
    if batch is not None:
        if run.output is not None and run.output.suffix.lower() == ".mp4":
            raise click.UsageError("With --batch, -o names the folder of the clips, no .mp4 file.")
        return _generate_batch(batch, request, run, dry=dry)
    if request["seed"] is None:
        request["seed"] = secrets.randbelow(2**31)
    return _generate_one(prompt, request, run, dry=dry)


@dataclass(frozen=True)
class _Run:
    """How the command was called, apart from the request."""

    output: Path | None
    policy: Policy | None
    check: bool
    tracker: Tracker | None
    preview: bool
    issuing: IssueOptions
    stamp: dict[str, Any]
    as_json: bool

    def settings(self) -> StampSettings:
        """Return keys, ledger, quality and labels as the options say."""
        return self.issuing.settings(**self.stamp)


def _generate_one(prompt: str, values: dict[str, Any], run: _Run, *, dry: bool) -> int:
    from vidigree.generate.checking import check_path
    from vidigree.generate.estimate import estimate
    from vidigree.generate.generating import check_size
    from vidigree.generate.generating import generate as generate_clip
    from vidigree.generate.request import ClipRequest
    from vidigree.media.output import check_target
    from vidigree.media.progress import progress_bar
    from vidigree.watermark.robust import check_sides

    request = ClipRequest(prompt=prompt, **values)
    if dry:
        expected = estimate(request)
        if expected.width is not None and expected.height is not None:
            check_size(expected.width, expected.height)
            check_sides(expected.width, expected.height)
        click.echo(json.dumps(expected.to_dict()) if run.as_json else expected.summary())
        return 0
    assert run.output is not None  # noqa: S101 -- the caller checked
    if run.check:
        # After the clip is issued would be too late.
        check_target(check_path(run.output), overwrite=True)
    with progress_bar() as progress:
        receipt = generate_clip(
            request,
            run.output,
            settings=run.settings(),
            policy=run.policy,
            preview=run.preview,
            progress=progress,
        )
    report = _checked(receipt.path, prompt, run) if run.check else None
    if run.as_json:
        row = {**receipt.to_dict(), "seed": request.seed}
        if report is not None:
            row["check"] = report.to_dict()
        click.echo(json.dumps(row, indent=2))
        return 0
    click.echo(receipt.summary())
    click.echo(f"  seed         {request.seed}")
    if report is not None:
        click.echo(report.summary() or _NOTHING_TO_CHECK)
    return 0


def _checked(path: Path, prompt: str, run: _Run) -> CheckReport:
    """Check the clip and keep the answer beside it."""
    from vidigree.generate.checking import check_clip, write_check

    report = check_clip(path, prompt, tracker=run.tracker)
    write_check(report)
    return report


def _check_of(row: BatchRow, prompt: str, run: _Run) -> tuple[dict[str, Any] | None, str]:
    """Return the check of a row of a batch as JSON values and as text; of a failed one, none.

    A clip that was there already keeps the answer beside it; where there is none, as its check was
    interrupted, or what is there is no answer, it is looked at now.
    """
    from vidigree.generate.checking import read_check

    if row.status == "failed":
        return None, ""
    kept = read_check(row.path) if row.status == "skipped" else None
    if kept is not None:
        return kept, ""
    report = _checked(row.path, prompt, run)
    return report.to_dict(), report.summary() or _NOTHING_TO_CHECK


def _generate_batch(source: Path, values: dict[str, Any], run: _Run, *, dry: bool) -> int:
    """Run a file of requests; return the exit code of the first failure, 0 if there was none."""
    from vidigree.generate.batch import generate_batch, output_name, read_requests
    from vidigree.media.errors import VidigreeError
    from vidigree.media.one_line import one_line
    from vidigree.media.progress import progress_bar

    defaults = {key: value for key, value in values.items() if value not in (None, "", {})}
    requests = read_requests(source, defaults)
    if dry:
        for number, request in enumerate(requests, start=1):
            name = output_name(number, request)
            planned = {"number": number, "name": name, "seed": request.seed}
            click.echo(json.dumps(planned) if run.as_json else name)
        return 0
    if run.preview:
        click.echo("vidigree: --preview has no effect with --batch.", err=True)
    assert run.output is not None  # noqa: S101 -- the caller checked
    code = 0
    with progress_bar() as progress:
        rows = generate_batch(
            requests,
            run.output,
            settings=run.settings(),
            policy=run.policy,
            progress=progress,
        )
        for row, request in zip(rows, requests, strict=True):
            error, told = row.error, ""
            values = {**row.to_dict(), "seed": request.seed}
            if run.check:
                try:
                    values["check"], told = _check_of(row, request.prompt, run)
                except VidigreeError as failure:  # the clip is issued, and others are to come
                    error = failure
                    values |= {"check": None, "error": str(failure)}
            if error is not None:
                code = code or error.exit_code
                click.echo(one_line(f"vidigree: request {row.number}: {error}"), err=True)
            lines = "\n".join(filter(None, (row.summary(), told)))
            click.echo(json.dumps(values) if run.as_json else lines)
    return code


@click.command()
@click.option("--models", is_flag=True, help="List the diffusers pipelines that can be run.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def engines(models: bool, as_json: bool) -> None:
    """List the generator engines that are installed."""
    if models:
        _list_pipelines(as_json=as_json)
        return
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


def _list_pipelines(*, as_json: bool) -> None:
    from vidigree.generate.engines.diffusers.catalogue import installed_pipelines

    known = installed_pipelines()
    if as_json:
        click.echo(json.dumps([info.to_dict() for info in known], indent=2))
        return
    for info in known:
        size = f"{info.size[0]} x {info.size[1]}" if info.size else "the model's size"
        length = f"{info.num_frames} frames" if info.num_frames else "the model's length"
        click.echo(info.name)
        click.echo(f"  tasks    {', '.join(info.tasks)}")
        click.echo(f"  default  {size}, {length} at {info.fps} fps")
        click.echo(f"  memory   {info.memory}")
        click.echo(f"  licence  {info.licence}")
