"""``vidigree audit``."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from vidigree.detect.settings import CHECKED_LAYERS
from vidigree.detect.wording import LANGUAGES
from vidigree.media.errors import OutputError, UsageError
from vidigree.media.output import check_target
from vidigree.media.progress import no_progress, progress_bar
from vidigree.watermark.file_path import FILE_PATH

__all__ = ["audit"]

_FORMATS = (".jsonl", ".csv", ".parquet")
_REPORT_FORMATS = (".html", ".htm")


@click.command(epilog="Exit codes: see docs/exit-codes.md.")
@click.argument("clips", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option("--explain", is_flag=True, help="Say what each piece of evidence proves, and not.")
@click.option("--policy", metavar="NAME|FILE", help="Say what to do, by a policy file.")
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML report.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write verdicts to a .jsonl, .csv or .parquet file; goes on where it was interrupted.",
)
@click.option("--restart", is_flag=True, help="Begin the output file anew.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes; default 1.")
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Audit on a Ray cluster: auto, local, or ray://host:port.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(CHECKED_LAYERS),
    help="Look at this layer only; may be given several times.",
)
@click.option(
    "--ledger",
    envvar="VIDIGREE_LEDGER",
    metavar="URL",
    help="Database of the ledger; by default $VIDIGREE_LEDGER, else a file in the data folder.",
)
@click.option(
    "--weights",
    type=FILE_PATH,
    help="Weights of the classifier, as `vidigree classifier calibrate` makes them.",
)
@click.option(
    "--max-seconds",
    type=click.FloatRange(1),
    default=600,
    help="Time for one clip; not for one local file without --jobs or --cluster.  [default: 600]",
)
@click.option(
    "--max-mb",
    type=click.IntRange(1),
    default=2048,
    help="Size of a remote clip in MiB.  [default: 2048]",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Of the words.",
)
@click.option("--show-personal", is_flag=True, help="Keep authors, prompts and places in --json.")
def audit(clips: tuple[str, ...], **options: Any) -> int:
    """Say where clips come from, and why.

    CLIPS are files, folders, patterns, lists (.jsonl, or - for standard input), http(s) URLs, and
    s3://, gs:// and other buckets. Links to folders inside of a folder are not followed. Reads the
    content credentials, the watermark, the ledger and the statistics of the pixels, and ends in one
    finding with all its evidence. No finding calls a clip authentic.
    """
    from vidigree.detect.inputs import expand, is_url
    from vidigree.detect.sink import VerdictSink

    _check(options)
    names = list(dict.fromkeys(expand(clips)))
    if not names:
        raise UsageError("The list names no clip.", hint="Give one path or URL a line.")
    _keep_inputs({*clips, *names}, options)
    alone = len(names) == 1 and not is_url(names[0]) and options["jobs"] is None
    alone = alone and options["cluster"] is None
    sink_options = _sink(options) | {"options": _stand_for(options)}
    with VerdictSink(names=names, **sink_options) as sink, ExitStack() as stack:
        fresh = [name for name in names if name not in sink]
        begun = sink.begin(fresh)
        answers = _one(next(begun), options) if alone and fresh else _many(begun, options)
        # Lines on the terminal are progress enough, and a bar would run through them.
        quiet = sink.silent and not alone
        progress = stack.enter_context(progress_bar()) if quiet else no_progress
        for done, (row, pictures) in enumerate(answers, 1):
            sink.take(row, pictures)
            progress("clips", len(names) - len(fresh) + done, len(names))
    return sink.exit_code


def _check(options: dict[str, Any]) -> None:
    from vidigree.detect.policy import load_policy

    if math.isnan(options["max_seconds"]):  # passes any range
        raise UsageError("--max-seconds is not a number.", hint="Give a time in seconds.")
    if options["policy"] is not None:
        load_policy(options["policy"])
    if options["weights"] is not None:
        from vidigree.detect.classifier.weights_file import kept_model

        kept_model(options["weights"])
    if options["ledger"] is not None and not options["ledger"].strip():
        raise UsageError("--ledger is empty.", hint="Give a value, or leave it away.")
    output: Path | None = options["output"]
    if output is not None and output.suffix not in _FORMATS:
        raise UsageError(f"{output} has no known suffix.", hint=f"Give one of {_FORMATS}.")
    report: Path | None = options["report"]
    if report is not None and report.suffix.lower() not in _REPORT_FORMATS:
        raise UsageError(f"{report} is no name for a report.", hint="Let it end in .html.")
    for path in filter(None, (output, report)):
        _check_place(path)


def _check_place(path: Path) -> None:
    """Refuse a place that cannot be written to before hours of work are spent on it."""
    check_target(path, overwrite=True)
    if not os.access(path.parent, os.W_OK):
        raise OutputError(
            f"The folder {path.parent} cannot be written to.", hint="Check its permissions."
        )


def _keep_inputs(names: set[str], options: dict[str, Any]) -> None:
    """Refuse to write over what is audited: a clip, or the list that names the clips."""
    from vidigree.detect.sink import journal_of

    output: Path | None = options["output"]
    begun_anew = journal_of(output) if output is not None and options["restart"] else None
    for path in filter(None, (output, options["report"], begun_anew)):
        alike = (name for name in names if name.endswith(path.suffix) and "\0" not in name)
        if os.path.realpath(path) in map(os.path.realpath, alike):
            raise UsageError(
                f"{path} is one of the inputs and would be overwritten.",
                hint="Choose another name for the output.",
            )


def _sink(options: dict[str, Any]) -> dict[str, Any]:
    names = ("output", "restart", "report", "as_json", "language", "explain")
    return {name: options[name] for name in names}


def _stand_for(options: dict[str, Any]) -> str:
    """Return a digest of the options that verdicts depend on, and not of how they are made."""
    from vidigree.detect.policy import policy_text

    counted: dict[str, Any] = {"layers": sorted(options["only"] or CHECKED_LAYERS)}
    counted |= {name: options[name] for name in ("ledger", "language", "show_personal")}
    counted["policy"] = policy_text(options["policy"]) if options["policy"] else None
    if options["weights"] is not None:
        from vidigree.detect.classifier.weights_file import kept_model

        counted["weights"] = kept_model(options["weights"]).model_id
    text = json.dumps(counted, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _job(options: dict[str, Any]) -> dict[str, Any]:
    from vidigree.detect.settings import AuditSettings

    only = options["only"]
    layers = tuple(layer for layer in CHECKED_LAYERS if not only or layer in only)
    return {
        "settings": AuditSettings(
            layers=layers,
            ledger=options["ledger"],
            # Another process may have another folder.
            weights=None if options["weights"] is None else str(options["weights"].absolute()),
        ),
        "language": options["language"],
        "show_personal": options["show_personal"],
        "policy": options["policy"],
        "pictures": 8 if options["report"] is not None else 0,
    }


_Answers = Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]


def _one(name: str, options: dict[str, Any]) -> _Answers:
    """Audit one local clip in this process: it starts fastest."""
    from vidigree.detect.isolation import Job
    from vidigree.detect.worker import audit_job, perform

    job = Job(name=name, **_job(options)).to_dict()
    with progress_bar() as progress:
        # Without a file or a stream that wants a row, an error is raised as any command's.
        as_row = options["as_json"] or options["output"] or options["report"]
        answer = perform(job) if as_row else audit_job(job, progress)
    yield answer["row"], answer["pictures"]


def _many(names: Iterable[str], options: dict[str, Any]) -> _Answers:
    from vidigree.detect.batch import audit_batch
    from vidigree.detect.fetching import FetchLimits
    from vidigree.detect.isolation import Job, WorkerLimits

    limit = options["max_seconds"]
    fetch = FetchLimits(max_bytes=options["max_mb"] << 20, max_seconds=limit)
    job = Job(name="", fetch=fetch, **_job(options))
    limits = WorkerLimits(max_seconds=limit)
    if options["cluster"] is None:
        answers = audit_batch(names, job=job, jobs=options["jobs"] or 1, limits=limits)
    else:
        from vidigree.detect.cluster import audit_cluster

        answers = audit_cluster(names, job=job, address=options["cluster"], limits=limits)
    for answer in answers:
        yield answer.row, answer.pictures
