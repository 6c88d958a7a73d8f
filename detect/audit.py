"""Audits one clip: limits first, then layer by layer, then one verdict.

The order is that of cost: the container, the credentials, the mark, the ledger, the classifier.
Mark, ledger and classifier look at the same frames, decoded once.
A layer that cannot run is recorded as not checked, with the reason; a file that cannot be read is
an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vidigree.detect.evidence import Layer
from vidigree.detect.open_ledgers import OpenLedgers
from vidigree.detect.pixels import PixelPass, detectors
from vidigree.detect.readings import (
    ClassifierLike,
    CredentialsLike,
    LedgerReading,
    NotChecked,
    Readings,
)
from vidigree.detect.settings import CHECKED_LAYERS, AuditSettings
from vidigree.detect.verdict import Verdict, judge
from vidigree.media.arguments import check_kind, path_of
from vidigree.media.errors import (
    LedgerError,
    MediaError,
    MediaNotFoundError,
    NotAVideoError,
    TruncatedMediaError,
    UnsupportedMediaError,
    VidigreeError,
)
from vidigree.media.one_line import one_line
from vidigree.media.progress import Progress, no_progress
from vidigree.media.reading import VideoInfo, VideoReader, open_video, probe_container
from vidigree.watermark.keyring import KeyRing
from vidigree.watermark.method import MarkDetector, MarkReading

if TYPE_CHECKING:
    from vidigree.detect.classifier import ClipScorer
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
    ledgers: OpenLedgers | None = None,
) -> Verdict:
    """Audit a clip.

    Args:
        path: The clip, a local file.
        settings: What to look for; ``None`` means everything, with the lists and keys of the data
            folder.
        progress: Told of every layer.
        ledgers: Ledgers that stay open from one audit to the next; ``None`` opens and closes one.

    Returns:
        The verdict, with every piece of evidence and every layer that was not looked at.

    Raises:
        MediaError: The file is missing, is no video, is truncated or too small or too large.
        UsageError: The path or the settings are of another kind.
    """
    settings = AuditSettings() if settings is None else settings
    check_kind(settings, AuditSettings, "the settings")
    path = path_of(path, "clip")
    with ExitStack() as stack:
        # Credentials lie in the container; for them alone no frame is decoded.
        looks = set(settings.layers) != {"credentials"}
        video = stack.enter_context(open_video(path)) if looks else None
        info = probe_container(path) if video is None else video.info
        _check_limits(info, settings)
        ledgers = ledgers or stack.enter_context(OpenLedgers())
        readings = _Audit(path, video, settings, progress, ledgers).readings()
    progress("audit", len(CHECKED_LAYERS), len(CHECKED_LAYERS))
    return judge(readings, path=path, media=_media_facts(info))


class _Audit:
    """Reads one layer of a clip after the other; a layer that fails becomes a reading."""

    def __init__(
        self,
        path: Path,
        video: VideoReader | None,
        settings: AuditSettings,
        progress: Progress,
        ledgers: OpenLedgers,
    ) -> None:
        self._path = path
        self._video = video
        self._settings = settings
        self._progress = progress
        self._ledgers = ledgers
        self._pixels: PixelPass | None = None
        # Opened before the frames are decoded: without a ledger nobody needs a fingerprint.
        self._ledger = self._layer("ledger", lambda: ledgers.get(settings.ledger))
        self._scorer = self._layer("classifier", self._make_scorer)

    def readings(self) -> Readings:
        """Read all layers, in the order of their cost."""
        return Readings(
            credentials=self._told("credentials", self._read_credentials),
            marks=self._told("mark", self._read_marks),
            ledger=self._told("ledger", self._look_up),
            classifier=self._told("classifier", self._classify),
        )

    def _told(self, layer: Layer, read: Callable[[], T]) -> T | NotChecked:
        self._progress("audit", CHECKED_LAYERS.index(layer), len(CHECKED_LAYERS))
        return self._layer(layer, read)

    def _layer(self, layer: Layer, read: Callable[[], T]) -> T | NotChecked:
        if layer not in self._settings.layers:
            return NotChecked(layer=layer, why="", asked=True)
        try:
            return read()
        except _FILE_ERRORS:
            raise
        except VidigreeError as error:
            why = one_line(str(error))  # it may name the file
            by_clip = isinstance(error, MediaError)
            return NotChecked(layer=layer, why=why, by_clip=by_clip)
        except ModuleNotFoundError as error:
            return NotChecked(
                layer=layer, why=f"the Python package {error.name!r} is not installed."
            )

    def _read_credentials(self) -> CredentialsLike:
        from vidigree.watermark.credentials import read_credentials

        return read_credentials(self._path, trust=self._trust())

    def _read_marks(self) -> tuple[MarkReading, ...]:
        settings = self._settings
        keys = KeyRing.load() if settings.keys is None else settings.keys
        video = self._opened()
        return self._look(detectors(video, methods=settings.mark_methods, keys=keys.keys)).marks()

    def _look_up(self) -> LedgerReading | NotChecked:
        from vidigree.detect.look_up import look_up

        if self._ledger is None:
            return LedgerReading(exists=False)
        if isinstance(self._ledger, NotChecked):
            return self._ledger
        pixels = self._pixels or self._look(())
        try:
            return look_up(
                self._path,
                marks=pixels.marks(),
                fingerprint=pixels.fingerprint(),
                ledger=self._ledger,
                trust=self._trust(),
            )
        except LedgerError:
            self._ledgers.drop(self._settings.ledger)
            raise

    def _classify(self) -> ClassifierLike | NotChecked:
        if isinstance(self._scorer, NotChecked):
            return self._scorer
        pixels = self._pixels or self._look(())
        # Where costs three times as much as whether; it is looked for where somebody will ask.
        return pixels.classification(where=None)

    def _make_scorer(self) -> ClipScorer:
        from vidigree.detect.classifier import ClipScorer
        from vidigree.detect.classifier.weights_file import kept_model

        weights = self._settings.weights
        model = None if weights is None else kept_model(weights)
        return ClipScorer(self._opened().info, model=model)

    def _look(self, looking: Sequence[MarkDetector]) -> PixelPass:
        wanted = self._ledger is not None and not isinstance(self._ledger, NotChecked)
        scorer = None if isinstance(self._scorer, NotChecked) else self._scorer
        self._pixels = PixelPass(
            self._opened(), detectors=looking, fingerprint=wanted, scorer=scorer
        )
        return self._pixels

    def _opened(self) -> VideoReader:
        assert self._video is not None  # noqa: S101 - it is, for all layers but the credentials
        return self._video

    def _trust(self) -> TrustSettings:
        from vidigree.watermark.credentials import TrustSettings

        return TrustSettings.load() if self._settings.trust is None else self._settings.trust


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
