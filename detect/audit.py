"""Audits one clip: limits first, then layer by layer, then one verdict.

The order is that of cost: the container, the credentials, the mark, the ledger, the classifier.
A layer that cannot run is recorded as not checked, with the reason; a file that cannot be read is
an error.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vidigree.detect.evidence import Layer
from vidigree.detect.marks import read_marks
from vidigree.detect.readings import (
    ClassifierLike,
    CredentialsLike,
    LedgerReading,
    NotChecked,
    Readings,
)
from vidigree.detect.settings import CHECKED_LAYERS, AuditSettings
from vidigree.detect.verdict import Verdict, judge
from vidigree.media.errors import (
    MediaNotFoundError,
    NotAVideoError,
    TruncatedMediaError,
    UnsupportedMediaError,
    VidigreeError,
)
from vidigree.media.progress import Progress, no_progress
from vidigree.media.reading import VideoInfo, probe
from vidigree.watermark.keyring import KeyRing
from vidigree.watermark.method import MarkReading

if TYPE_CHECKING:
    from vidigree.watermark.credentials import TrustSettings

__all__ = ["audit"]

T = TypeVar("T")

_MIN_SIDE = 32
"""Pixels. Smaller pictures hold neither a mark nor statistics; audits of them would mislead."""

_FILE_ERRORS = (MediaNotFoundError, NotAVideoError, TruncatedMediaError)


def audit(
    path: Path | str,
    *,
    settings: AuditSettings | None = None,
    progress: Progress = no_progress,
) -> Verdict:
    """Audit a clip.

    Args:
        path: The clip, a local file.
        settings: What to look for; ``None`` means everything, with the lists and keys of the data
            folder.
        progress: Told of every layer.

    Returns:
        The verdict, with every piece of evidence and every layer that was not looked at.

    Raises:
        MediaError: The file is missing, is no video, is truncated or too small or too large.
    """
    settings = settings or AuditSettings()
    path = Path(path)
    info = probe(path)
    _check_limits(info, settings)
    run = _LayerRunner(settings, progress)
    credentials: CredentialsLike | NotChecked = run(
        "credentials", lambda: _credentials(path, settings)
    )
    marks: tuple[MarkReading, ...] | NotChecked = run("mark", lambda: _marks(path, settings))
    ledger: LedgerReading | NotChecked = run("ledger", lambda: _ledger(path, settings, marks))
    classifier: ClassifierLike | NotChecked = run("classifier", lambda: _classifier(path))
    progress("audit", len(CHECKED_LAYERS), len(CHECKED_LAYERS))
    readings = Readings(credentials=credentials, marks=marks, ledger=ledger, classifier=classifier)
    return judge(readings, path=path, media=_media_facts(info))


class _LayerRunner:
    """Runs one layer after the other and turns their failures into readings."""

    def __init__(self, settings: AuditSettings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress

    def __call__(self, layer: Layer, read: Callable[[], T]) -> T | NotChecked:
        self._progress("audit", CHECKED_LAYERS.index(layer), len(CHECKED_LAYERS))
        if layer not in self._settings.layers:
            return NotChecked(layer=layer, why="", asked=True)
        try:
            return read()
        except _FILE_ERRORS:
            raise
        except VidigreeError as error:
            return NotChecked(layer=layer, why=str(error))
        except ModuleNotFoundError as error:
            return NotChecked(
                layer=layer, why=f"the Python package {error.name!r} is not installed."
            )


def _check_limits(info: VideoInfo, settings: AuditSettings) -> None:
    size = f"{info.path} is {info.width} x {info.height} pixels"
    if min(info.width, info.height) < _MIN_SIDE:
        raise UnsupportedMediaError(
            f"{size}, too small to hold any evidence.",
            hint=f"Give a clip of at least {_MIN_SIDE} x {_MIN_SIDE} pixels.",
        )
    if info.width * info.height > settings.max_pixels:
        raise UnsupportedMediaError(
            f"{size}; the limit is {settings.max_pixels} in all.", hint="Scale it down first."
        )
    if settings.max_seconds is not None and (info.duration or 0) > settings.max_seconds:
        raise UnsupportedMediaError(
            f"{info.path} is {float(info.duration or 0):.0f} s long;"
            f" the limit is {settings.max_seconds:.0f} s.",
            hint="Cut it into parts.",
        )


def _trust(settings: AuditSettings) -> TrustSettings:
    from vidigree.watermark.credentials import TrustSettings

    return TrustSettings.load() if settings.trust is None else settings.trust


def _credentials(path: Path, settings: AuditSettings) -> CredentialsLike:
    from vidigree.watermark.credentials import read_credentials

    return read_credentials(path, trust=_trust(settings))


def _marks(path: Path, settings: AuditSettings) -> tuple[MarkReading, ...]:
    keys = KeyRing.load() if settings.keys is None else settings.keys
    return read_marks(path, methods=settings.mark_methods, keys=keys.keys)


def _ledger(
    path: Path,
    settings: AuditSettings,
    marks: tuple[MarkReading, ...] | NotChecked,
) -> LedgerReading:
    from vidigree.detect.look_up import look_up

    found = () if isinstance(marks, NotChecked) else marks
    return look_up(path, marks=found, url=settings.ledger, trust=_trust(settings))


def _classifier(path: Path) -> ClassifierLike:
    from vidigree.detect.classifier import score_video

    # Where costs three times as much as whether; it is looked for where somebody will ask.
    return score_video(path, where=None)


def _media_facts(info: VideoInfo) -> dict[str, Any]:
    return {
        "bytes": info.path.stat().st_size,
        "width": info.width,
        "height": info.height,
        "fps": round(float(info.fps), 3),
        "frames": info.num_frames,
        "seconds": None if info.duration is None else round(float(info.duration), 3),
        "codec": info.codec,
        "container": info.container,
        "has_audio": info.has_audio,
    }
