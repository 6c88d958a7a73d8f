"""One pass over the frames for all who look: mark detectors, fingerprint and classifier."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vidigree.media.errors import VidigreeError
from vidigree.media.frame import Frame
from vidigree.media.reading import VideoReader, open_video
from vidigree.watermark.fingerprint import Fingerprint, Fingerprinter
from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.method import (
    MarkDetector,
    MarkReading,
    StreamingMethod,
    WatermarkMethod,
    watermark_methods,
)

if TYPE_CHECKING:
    from vidigree.detect.classifier import ClassifierReading, ClipScorer

__all__ = ["PixelPass", "detectors"]


class _Looker(Protocol):
    """Somebody who takes frames one by one."""

    def feed(self, frame: Frame) -> None: ...


class PixelPass:
    """Decodes a clip once, when the first result is asked for.

    Whoever cannot look at a frame fails alone; the others go on looking.

    Args:
        video: The open clip.
        detectors: Who looks for marks; none if nobody does.
        fingerprint: Whether a fingerprint is wanted.
        scorer: The classifier; ``None`` if nobody asks it.
    """

    def __init__(
        self,
        video: VideoReader,
        *,
        detectors: Sequence[MarkDetector],
        fingerprint: bool,
        scorer: ClipScorer | None = None,
    ) -> None:
        self._video = video
        self._detectors = detectors
        self._fingerprinter = Fingerprinter(video.info.fps) if fingerprint else None
        self._scorer = scorer
        self._marks: tuple[MarkReading, ...] | None = None
        self._done = False
        self._failure: VidigreeError | None = None
        self._failures: dict[int, VidigreeError] = {}

    def marks(self) -> tuple[MarkReading, ...]:
        """Return a reading for every mark of every method, and one for a method without any.

        Raises:
            MediaError: The clip cannot be read.
        """
        self._decode(*self._detectors)
        if self._marks is None:
            self._marks = tuple(reading for one in self._detectors for reading in one.finish())
        return self._marks

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint.

        Raises:
            MediaError: The clip cannot be read.
        """
        assert self._fingerprinter is not None  # noqa: S101 - it was asked for
        self._decode(self._fingerprinter)
        return self._fingerprinter.finish()

    def classification(self, *, where: bool | None) -> ClassifierReading:
        """Return what the classifier says.

        Args:
            where: See :meth:`vidigree.detect.classifier.ClipScorer.finish`.

        Raises:
            MediaError: The clip cannot be read.
        """
        assert self._scorer is not None  # noqa: S101 - it was asked for
        self._decode(self._scorer)
        return self._scorer.finish(where=where)

    def _decode(self, *asked: _Looker) -> None:
        """Show every frame to everybody, once, and raise what stopped those who are asked now."""
        if not self._done:
            self._done = True
            try:
                for frame in self._video:
                    self._show(frame)
            except VidigreeError as error:
                self._failure = error
        failures = [self._failures[id(one)] for one in asked if id(one) in self._failures]
        for failure in (self._failure, *failures):
            if failure is not None:
                raise failure

    def _show(self, frame: Frame) -> None:
        lookers: tuple[_Looker | None, ...] = (
            *self._detectors,
            self._fingerprinter,
            self._scorer,
        )
        for one in lookers:
            if one is not None and id(one) not in self._failures:
                try:
                    one.feed(frame)
                except VidigreeError as error:
                    self._failures[id(one)] = error


def detectors(
    video: VideoReader, *, methods: Sequence[str], keys: Sequence[MarkKey]
) -> list[MarkDetector]:
    """Return a detector for each method.

    Args:
        video: The open clip.
        methods: Names of registered watermark methods.
        keys: Keys to try.

    Raises:
        UsageError: There is no such method.
    """
    found: list[MarkDetector] = []
    for name in methods:
        method = watermark_methods.get(name)()
        if isinstance(method, StreamingMethod):
            found.append(method.detector(keys=keys, fps=video.info.fps))
        else:
            found.append(_PassOfItsOwn(video.info.path, method, keys))
    return found


class _PassOfItsOwn:
    """A method that wants to pull its frames itself: it decodes the clip once more."""

    def __init__(self, path: Path, method: WatermarkMethod, keys: Sequence[MarkKey]) -> None:
        self._path = path
        self._method = method
        self._keys = keys

    def feed(self, frame: object) -> None:
        """Wait for the end."""

    def finish(self) -> list[MarkReading]:
        """Read the clip."""
        with open_video(self._path) as video:
            images = video.images()
            return [self._method.detect(images, keys=self._keys, fps=video.info.fps)]
