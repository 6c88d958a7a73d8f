"""``vidigree serve``: the auditor as an HTTP service, and its API keys."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import signal
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from vidigree.media.errors import UsageError, VidigreeError
from vidigree.watermark.file_path import FILE_PATH

if TYPE_CHECKING:
    from vidigree.detect.service.settings import ServiceSettings

__all__ = ["serve"]

# Far above what any machine can do, and what the system's own calls take.
_WORKERS = click.IntRange(1, 1024)
_MEBIBYTES = click.IntRange(1, 1 << 24)
_PER_MINUTE = click.IntRange(1, 1_000_000)

_LEDGER = click.option(
    "--ledger",
    envvar="VIDIGREE_LEDGER",
    metavar="URL",
    help="Database of ledger, jobs and keys; by default $VIDIGREE_LEDGER, else a file in the data"
    " folder.",
)


@click.group(invoke_without_command=True)
@_LEDGER
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    default=8400,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen at; 0 takes a free one.",
)
@click.option("--workers", type=_WORKERS, help="Audits at a time.  [default: cores]")
@click.option(
    "--max-queue",
    type=click.IntRange(min=1),
    help="Most unfinished jobs; then 429.  [default: 32]",
)
@click.option(
    "--max-per-address",
    type=click.IntRange(min=1),
    help="Most of these from one address without a key.  [default: a quarter]",
)
@click.option("--max-upload-mb", type=_MEBIBYTES, help="Largest upload, in MiB.  [default: 1024]")
@click.option(
    "--max-kept-mb",
    type=_MEBIBYTES,
    help="Answers in the database, in MiB; then none is kept.  [default: 1024]",
)
@click.option(
    "--job-seconds",
    type=click.FloatRange(1, 1e9),
    help="Longest time for one audit.  [default: 600]",
)
@click.option(
    "--worker-memory-mb",
    type=click.IntRange(1024, 1 << 24),  # libraries and a small clip need most of it
    help="Address space, in MiB.  [default: 6144]",
)
@click.option("--per-minute", type=_PER_MINUTE, help="Audits a minute per address.  [default: 20]")
@click.option(
    "--require-key", is_flag=True, help="Audit for holders of an API key only; /c2pa/v1 stays open."
)
@click.option(
    "--spool", metavar="FOLDER", help="Folder for waiting uploads.  [default: in the data folder]"
)
@click.option(
    "--weights",
    type=FILE_PATH,
    help="Weights of the classifier, as `vidigree classifier calibrate` makes them.",
)
@click.option("--allow-private-urls", is_flag=True, help="Fetch from private networks as well.")
@click.option(
    "--allowed-host",
    metavar="NAME",
    multiple=True,
    help="A name by which the service is asked, again for each. By default any, but at a loopback"
    " address without --behind-proxy only its own.",
)
@click.option(
    "--behind-proxy",
    metavar="ADDRESSES",
    help="Believe X-Forwarded-For of these proxies (addresses, networks, or * for all), so that"
    " limits count their clients.",
)
@click.pass_context
def serve(ctx: click.Context, /, ledger: str | None, **options: Any) -> None:
    """Serve the auditor over HTTP, with a web page at /.

    Give this to the public or to other programs. The interface is described at /openapi.json.
    """
    for name in ("ledger", "spool"):  # an empty one would mean the default, or the folder we are in
        if (ledger if name == "ledger" else options[name]) == "":
            raise UsageError(f"--{name} is empty.", hint="Leave it out for the default.")
    ctx.obj = ledger
    if ctx.invoked_subcommand is None:
        _run(ledger, **options)
        return
    for name in options:  # e.g. --per-minute, which `keys add` has as well
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise UsageError(
                f"--{name.replace('_', '-')} is for serving, not for '{ctx.invoked_subcommand}'.",
                hint=f"See 'vidigree serve {ctx.invoked_subcommand} --help'.",
            )


@serve.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command("add")
@click.argument("name")
@click.option("--per-minute", type=_PER_MINUTE, help="Audits a minute with this key.")
@click.pass_obj
def add_key(ledger: str | None, name: str, per_minute: int | None) -> None:
    """Make a key for NAME, and print it once.

    Only its hash is kept, so that it cannot be shown again.
    """
    click.echo(_key_store(ledger).add(name, per_minute=per_minute))


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_keys(ledger: str | None, as_json: bool) -> None:
    """List keys, oldest first, without their secrets."""
    rows = _key_store(ledger).list()
    if as_json:
        click.echo(json.dumps({"version": 1, "keys": [row.to_dict() for row in rows]}, indent=2))
        return
    for row in rows:
        made = datetime.fromtimestamp(row.created_at, UTC)
        state = "revoked" if row.revoked_at else "valid"
        click.echo(f"{row.key_id}  {made:%Y-%m-%d}  {state:8s} {row.name}")


@keys.command("revoke")
@click.argument("key_id")
@click.pass_obj
def revoke_key(ledger: str | None, key_id: str) -> None:
    """Make a key invalid from now on."""
    _key_store(ledger).revoke(key_id)


def _key_store(ledger: str | None) -> Any:
    from vidigree.detect.service.api_keys import ApiKeyStore
    from vidigree.detect.service.database import open_database

    return ApiKeyStore(open_database(ledger))


def _run(ledger: str | None, **options: Any) -> None:
    try:
        from vidigree.detect.service.app import create_app
        from vidigree.detect.service.server import Server, configured
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The service needs the Python package {error.name!r}.",
            hint="Install it with: pip install 'vidigree[service]'",
        ) from error
    from vidigree.detect.service.host_names import accepted_names, read_names
    from vidigree.detect.service.journal import log_event, log_to_stderr
    from vidigree.detect.service.listening import address_of, listening_sockets, trusted_proxies

    host, proxy = options["host"], options["behind_proxy"]
    proxies = None if proxy is None else trusted_proxies(proxy)
    allowed = read_names(options["allowed_host"])
    settings = _settings(ledger, options)
    listeners = listening_sockets(host, options["port"])
    names = accepted_names(
        allowed, host=host, listeners=listeners, behind_proxy=proxies is not None
    )
    log_to_stderr()
    app = create_app(replace(settings, host_names=names))
    log_event("serving", url=address_of(listeners[0], host), hint="Ctrl-C ends it.")
    # The log stays JSON to its end: the command has no last word of its own.
    signal.signal(signal.SIGTERM, _terminate)
    server = Server(configured(app, proxies), app.state.context)
    with contextlib.ExitStack() as opened, contextlib.suppress(KeyboardInterrupt):
        for listener in listeners:
            opened.enter_context(listener)
        server.run(sockets=listeners)
    if not server.started:
        log_event("service-not-started", level=logging.ERROR)
        raise click.exceptions.Exit(VidigreeError.exit_code)


def _settings(ledger: str | None, options: Mapping[str, Any]) -> ServiceSettings:
    """Return the settings that the command line asks for, and defaults where it says nothing."""
    from vidigree.detect.service.settings import ServiceSettings

    if options["weights"] is not None:
        from vidigree.detect.classifier.weights_file import kept_model

        kept_model(options["weights"])  # damage is told now, not clip by clip
    if options["job_seconds"] is not None and math.isnan(options["job_seconds"]):
        raise UsageError("--job-seconds is not a number.", hint="Give a time in seconds.")
    wishes = {
        "workers": options["workers"],
        "max_queue": options["max_queue"],
        "max_per_address": options["max_per_address"],
        "max_upload_bytes": _bytes(options["max_upload_mb"]),
        "max_kept_bytes": _bytes(options["max_kept_mb"]),
        "job_seconds": options["job_seconds"],
        "worker_memory_bytes": _bytes(options["worker_memory_mb"]),
        "per_minute": options["per_minute"],
        "spool": Path(options["spool"]) if options["spool"] else None,
        "weights": options["weights"],
    }
    return ServiceSettings(
        ledger=ledger,
        require_key=options["require_key"],
        public_only=not options["allow_private_urls"],
        **{name: value for name, value in wishes.items() if value is not None},
    )


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise click.exceptions.Exit(128 + number)


def _bytes(mebibytes: int | None) -> int | None:
    return None if mebibytes is None else mebibytes << 20
