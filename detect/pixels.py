"""One pass over the frames for all who want to see them: mark detectors and the fingerprint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidigree.media.errors import VidigreeError
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

__all__ = ["PixelPass", "detectors"]


class PixelPass:
    """Decodes a clip once, when the first result is asked for.

    Args:
        video: The open clip.
        detectors: Who looks for marks; none if nobody does.
        fingerprint: Whether a fingerprint is wanted.
    """

    def __init__(
        self, video: VideoReader, *, detectors: Sequence[MarkDetector], fingerprint: bool
    ) -> None:
        self._video = video
        self._detectors = detectors
        self._fingerprinter = Fingerprinter(video.info.fps) if fingerprint else None
        self._marks: tuple[MarkReading, ...] | None = None
        self._done = False
        self._failure: VidigreeError | None = None

    def marks(self) -> tuple[MarkReading, ...]:
        """Return a reading for every mark of every method, and one for a method without any.

        Raises:
            MediaError: The clip cannot be read.
        """
        self._decode()
        if self._marks is None:
            self._marks = tuple(reading for one in self._detectors for reading in one.finish())
        return self._marks

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint.

        Raises:
            MediaError: The clip cannot be read.
        """
        self._decode()
        assert self._fingerprinter is not None  # noqa: S101 - it was asked for
        return self._fingerprinter.finish()

    def _decode(self) -> None:
        if not self._done:
            self._done = True
            try:
                for frame in self._video:
                    for one in self._detectors:
                        one.feed(frame)
                    if self._fingerprinter is not None:
                        self._fingerprinter.feed(frame)
            except VidigreeError as error:
                self._failure = error
        if self._failure is not None:
            raise self._failure


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
