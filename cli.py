"""The ``vidigree`` command: finds the sub-command, runs it, turns errors into one line and a code.

Sub-commands live in their rooms (``vidigree.<room>.commands``) and are imported only when they
are called, so that ``vidigree --help`` stays fast.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import re
import signal
import sys
import traceback
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, cast

import click

from vidigree import __version__

if TYPE_CHECKING:
    from vidigree.media.errors import VidigreeError

__all__ = ["main"]

# name -> (module:attribute, one-line help)
_COMMANDS: dict[str, tuple[str, str]] = {
    "generate": (
        "vidigree.generate.commands:generate",
        "Make a clip from a prompt, marked and signed.",
    ),
    "engines": ("vidigree.generate.commands:engines", "List the generator engines."),
    "generator": (
        "vidigree.generate.training.commands:generator",
        "Train and measure the embedded models.",
    ),
    "stamp": ("vidigree.watermark.commands:stamp", "Mark and sign a clip that was made elsewhere."),
    "keys": (
        "vidigree.watermark.credentials.commands:keys",
        "Make and show signing keys and watermark keys.",
    ),
    "trust": (
        "vidigree.watermark.credentials.trust_commands:trust",
        "Choose whom audits believe.",
    ),
    "watermark": (
        "vidigree.watermark.bench.commands:watermark",
        "Measure watermarks under attack.",
    ),
    "ledger": ("vidigree.watermark.ledger.commands:ledger", "Show what was issued, and check it."),
    "read-noise": (
        "vidigree.generate.engines.diffusers.commands:read_noise",
        "Read the initial-noise mark of a clip, with its model.",
    ),
    "audit": ("vidigree.detect.commands:audit", "Say where a clip comes from, and why."),
    "serve": ("vidigree.detect.service.commands:serve", "Serve the auditor over HTTP."),
    "classifier": (
        "vidigree.detect.classifier.commands:classifier",
        "Train, evaluate and run the classifier.",
    ),
}

# Imported package -> the extra that brings it, for commands that import it as they need it.
_EXTRAS = {
    "PIL": "diffusers",
    "accelerate": "diffusers",
    "diffusers": "diffusers",
    "matplotlib": "bench",
    "onnx": "train",
    "safetensors": "families",
    "sklearn": "train",
    "torch": "families",
    "transformers": "diffusers",
}

# Commands that load the numeric libraries.
_WITH_FRAMES = frozenset(
    {"audit", "classifier", "generate", "generator", "read-noise", "serve", "stamp", "watermark"}
)
_HELP = frozenset({"-h", "--help"})

# The address space that the libraries map: to read one clip, for each thread of the numeric ones,
# and for each thread of the decoder, a stack and an arena of the C library in all. With less they
# crash or hang while they are loaded, rather than say so.
_LEAST_SPACE = 512 << 20
_SPACE_PER_NUMERIC_THREAD = 216 << 20
_SPACE_PER_DECODER_THREAD = 72 << 20
_MOST_NUMERIC_THREADS = 64
_MOST_DECODER_THREADS = 16

# What the loader of the C library says; packages wrap it into words of their own.
_UNMAPPED = re.compile(
    r"([^\s/:]+): (?:failed to map segment|cannot allocate|cannot create shared object descriptor)"
)

_LIMITED = {
    errno.EMFILE: "open files (ulimit -n)",
    errno.ENFILE: "open files",
    errno.EAGAIN: "processes or threads (ulimit -u)",
}
_NO_TEMPORARY = "No usable temporary directory"  # in the words of `tempfile`

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

EXIT_INTERNAL = 1
EXIT_USAGE = 2
EXIT_OUTPUT = 4
EXIT_HUNG_UP = 129
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
EXIT_TERMINATED = 143


class _ReaderGone(Exception):  # noqa: N818 - nobody made an error
    """Whoever read the output went away (``| head``)."""


class _NoRoomError(Exception):
    """The numeric libraries do not fit into the address space that there is."""


class _LazyGroup(click.Group):
    """A group that imports a sub-command when it is called, not when it is listed."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in _WITH_FRAMES and _HELP.isdisjoint(args):
            _require_address_space()
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        return cast("click.Command", getattr(importlib.import_module(module), attribute))

    def invoke(self, ctx: click.Context) -> object:
        # click would turn a broken pipe into exit code 1 before main() hears of it.
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGone from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    epilog="Exit codes: see docs/exit-codes.md.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="vidigree")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def _vidigree(debug: bool) -> None:
    """A pedigree for every generated clip.

    Clips leave with a robust watermark and signed C2PA content credentials, and any clip can be
    audited for both.
    """
    del debug  # read by main() from the context


def _report(message: str, hint: str = "") -> None:
    """Print one line on stderr: what happened, and what to do."""
    from vidigree.media.one_line import one_line

    click.echo(f"vidigree: {one_line(f'{message} {hint}')}", err=True)


def _report_usage(error: click.ClickException) -> int:
    """Print a wrong call as one line that names the help to look at; return the exit code."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context is not None else "vidigree"
    _report(error.format_message(), f"See '{command} --help'.")
    return error.exit_code


class _Signals:
    """Which signal asked to stop.

    In the middle of an import its exception may come out as any other, so that what was asked for
    is remembered.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._codes = {int(signal.SIGTERM): EXIT_TERMINATED}
        signal.signal(signal.SIGTERM, self._terminate)
        # Where hang-ups are ignored, as under nohup, they stay so; Windows has none.
        hangup = getattr(signal, "SIGHUP", None)
        if hangup is not None and signal.getsignal(hangup) is signal.SIG_DFL:
            self._codes[int(hangup)] = EXIT_HUNG_UP
            signal.signal(hangup, self._terminate)
        # Where interrupts are ignored, as in the background of a shell, they stay so.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)

    def _terminate(self, number: int, frame: FrameType | None) -> NoReturn:
        """Leave through the ``finally`` blocks, which delete what is unfinished."""
        del frame
        self.number = number
        sys.exit(self._codes[number])

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        signal.default_int_handler(number, frame)

    def exit_code(self) -> int:
        """Say that we were asked to stop, with nothing that must be imported; return the code."""
        code = self._codes.get(self.number or 0, EXIT_INTERRUPTED)
        what = "Interrupted" if code == EXIT_INTERRUPTED else "Terminated"
        with contextlib.suppress(OSError):  # the terminal may be gone
            click.echo(f"vidigree: {what}; nothing partial was left behind.", err=True)
        return code


def _fill_closed_streams() -> None:
    """Put the null device where a standard stream is closed.

    The next file that is opened would get its number, and what libraries print would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number is free
    for name in ("stdout", "stderr"):  # a list that is read from a closed input is told as such
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123


def _require_address_space() -> None:
    """Refuse to load the numeric libraries where a limit leaves no room for them.

    Raises:
        _NoRoomError: It does.
    """
    try:
        import resource
    except ModuleNotFoundError:  # not on Windows, which has no such limit
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    needed = _needed_space()
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise _NoRoomError(
            f"The address space is limited to {limit >> 20} MiB, and the numeric libraries need"
            f" {needed >> 20} MiB. Raise the limit (ulimit -v), or set OMP_NUM_THREADS=1."
        )


def _needed_space() -> int:
    """Return the least address space in bytes: libraries start a thread a core, or as asked."""
    affinity = getattr(os, "sched_getaffinity", None)  # on Linux
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    asked = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or ""
    threads = min(int(asked), cores) if asked.isdecimal() and int(asked) else cores
    return (
        _LEAST_SPACE
        + _SPACE_PER_NUMERIC_THREAD * min(threads, _MOST_NUMERIC_THREADS)
        + _SPACE_PER_DECODER_THREAD * min(cores, _MOST_DECODER_THREADS)
    )


def _silence_output() -> None:
    """Keep Python from complaining at its end that what is left cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _package_error() -> type[VidigreeError]:
    """Return the base of our errors; imported late because the media room imports PyAV."""
    from vidigree.media.errors import VidigreeError

    return VidigreeError


def _package_of(error: ModuleNotFoundError) -> str:
    """Return the package that is not installed, of a module in it."""
    return (error.name or "").partition(".")[0]


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        args: Arguments without the program name; ``None`` takes them from ``sys.argv``.

    Raises:
        SystemExit: Always, with one of the documented exit codes.
    """
    arguments = sys.argv[1:] if args is None else args
    _fill_closed_streams()
    signals = _Signals()
    try:
        result = _vidigree.main(arguments, prog_name="vidigree", standalone_mode=False)
    except BaseException as error:
        if signals.number is not None or isinstance(error, click.Abort | KeyboardInterrupt):
            sys.exit(signals.exit_code())
        if isinstance(error, SystemExit):
            raise
        sys.exit(_failure(error, debug="--debug" in arguments))
    sys.exit(result if isinstance(result, int) else 0)


def _no_room(error: BaseException) -> str:
    """Return what to say where libraries find no memory to be loaded into; empty if that is not it.

    What reports other errors may need these very libraries.
    """
    if isinstance(error, _NoRoomError):
        return str(error)
    # ImportError and OSError as a rule; RuntimeError where the C2PA library is looked for.
    known = isinstance(error, ImportError | OSError | RuntimeError)
    found = _UNMAPPED.search(str(error)) if known else None
    if not found:
        return ""
    return f"There is not enough memory to load {found[1]!r}. Free some, or raise the limit."


def _short_of(error: BaseException) -> str | None:
    """Return what the system allows too little of; ``None`` if that is not it."""
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return _LIMITED[errno.EAGAIN]
    return _LIMITED.get(error.errno or 0) if isinstance(error, OSError) else None


def _failure(error: BaseException, *, debug: bool) -> int:
    """Say in one line what went wrong; return the exit code."""
    if text := _no_room(error):
        if debug:
            traceback.print_exception(error)
        click.echo(f"vidigree: {text}", err=True)
        return EXIT_INTERNAL
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.ClickException):
        return _report_usage(error)
    if isinstance(error, BrokenPipeError | _ReaderGone):
        _silence_output()
        return EXIT_BROKEN_PIPE
    if debug:
        traceback.print_exception(error)
    if isinstance(error, _package_error()):
        _report(error.message, error.hint)
        return error.exit_code
    return _foreign_failure(error)


def _foreign_failure(error: BaseException) -> int:
    """Say what went wrong where others raised it; return the exit code."""
    from vidigree.media.memory import is_out_of_memory

    if isinstance(error, OSError) and error.errno in _FULL:
        _report(
            f"The output cannot be written: {error.strerror}.", "Make room, or write elsewhere."
        )
        _silence_output()
        return EXIT_OUTPUT
    if (allowed := _short_of(error)) is not None:
        _report(f"The system allows too few {allowed}.", "End some, or raise the limit.")
        return EXIT_INTERNAL
    if isinstance(error, FileNotFoundError) and _NO_TEMPORARY in str(error):
        _report(
            "There is no folder for temporary files that can be written to.",
            "Make room there, or name another folder with TMPDIR.",
        )
        return EXIT_OUTPUT
    if isinstance(error, ModuleNotFoundError) and (package := _package_of(error)) in _EXTRAS:
        _report(
            f"This needs the Python package {package}, which is not installed.",
            f"Install it with: pip install 'vidigree[{_EXTRAS[package]}]'",
        )
        return EXIT_USAGE
    if is_out_of_memory(error):
        _report("There is not enough memory.", "Free some, or raise the limit.")
        return EXIT_INTERNAL
    # The last line of defence: one line, not a traceback.
    _report(
        f"Unexpected error, which is a defect of vidigree: {type(error).__name__}: {error}.",
        "Run it again with --debug and report what it prints.",
    )
    return EXIT_INTERNAL


if __name__ == "__main__":
    main()
