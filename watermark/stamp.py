"""The one door: a clip leaves with a mark that was read back, credentials, and a ledger entry.

The order is fixed, because nothing may touch the file after it is signed:

1. draw a clip id
2. burn in the visible label, where the profile asks for one
3. embed the mark, frame by frame, into the encoder
4. read the encoded file back and extract the mark; it must be the clip id
5. take the fingerprint of what was encoded
6. add the container tags that the profile asks for
7. sign the content credentials into another file and read them back
8. record the clip in the ledger, as not confirmed yet
9. rename the finished file into place
10. confirm the record

Any step before the last that fails raises, and leaves no output file. A kill at any point leaves
either no file, or a file with its record: ``vidigree ledger check`` tells what was left.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidigree.media.arguments import check_kind, path_of
from vidigree.media.errors import (
    LedgerError,
    MediaError,
    StampError,
    UnsupportedMediaError,
)
from vidigree.media.metadata import write_metadata
from vidigree.media.output import output_file, scratch_file
from vidigree.media.progress import Progress, no_progress
from vidigree.media.reading import open_video
from vidigree.media.writing import VideoWriter
from vidigree.watermark.clip import Clip, Origin
from vidigree.watermark.credentials import (
    ManifestRequest,
    SoftBinding,
    TrustSettings,
    check_parent,
    mark_soft_binding,
    read_credentials,
    sign_file,
)
from vidigree.watermark.fingerprint import Fingerprint, fingerprint_video
from vidigree.watermark.method import MarkReading, WatermarkMethod, issuing_method
from vidigree.watermark.profiles.application import Applied, apply_profile
from vidigree.watermark.receipt import StampReceipt
from vidigree.watermark.stamp_settings import StampSettings
from vidigree.watermark.stamp_source import (
    StampSource,
    check_name,
    check_size,
    keep_source,
    open_source,
    padded,
)

if TYPE_CHECKING:
    from vidigree.watermark.ledger import Ledger

__all__ = ["StampReceipt", "StampSettings", "stamp"]


def stamp(
    source: Clip | Path | str,
    output: Path | str,
    *,
    settings: StampSettings,
    origin: Origin | None = None,
    progress: Progress = no_progress,
) -> StampReceipt:
    """Mark, encode, verify, sign and record a clip; the file appears only if all of it worked.

    Args:
        source: A generated clip, or a video file made elsewhere (its audio is carried over).
        output: The MP4 file to write.
        settings: Keys, ledger and quality.
        origin: What made the clip, where the caller knows better than ``source``.
        progress: Called as frames are written and read back.

    Returns:
        What was issued.

    Raises:
        UsageError: The output's name is not one, it is the source itself, the settings do not fit
            the clip, or something is of another kind.
        EngineError: The frames of a generated clip are drawn meanwhile, and that failed.
        StampError: The mark could not be embedded, or could not be read back.
        CredentialsError: The credentials could not be signed or do not validate.
        LedgerError: The clip could not be recorded.
        MediaError: The source cannot be read.
        OutputError: The output cannot be written.
    """
    output = path_of(output, "output")
    check_name(output)
    check_kind(settings, StampSettings, "the settings")
    if not isinstance(source, Clip):
        source = path_of(source, "clip to stamp")
        keep_source(source, output)
    method, algorithm = issuing_method(settings.method)
    with ExitStack() as stack:
        finished = stack.enter_context(output_file(output, overwrite=settings.overwrite))
        encoded = stack.enter_context(scratch_file(output))
        tagged = stack.enter_context(scratch_file(output))
        opened = open_source(source, origin, stack)
        check_size(opened.width, opened.height)
        if opened.path is not None:
            check_parent(opened.path)
        job = _Job(
            settings=settings,
            method=method(),
            algorithm=algorithm,
            clip_id=opened.clip_id or _draw_clip_id(settings.ledger),
            source=opened,
            output=output,
            progress=progress,
            applied=_apply_profile(opened, settings),
        )
        job.notes.extend((*opened.notes, *job.applied.notes))
        result = job.encode(encoded)
        reading = job.read_back(encoded, result.duration)
        fingerprint = fingerprint_video(encoded)
        unsigned = job.tag(encoded, tagged)
        store, timestamped = job.sign(unsigned, finished, result.duration)
        job.record(store, fingerprint, result.duration)
    job.notes.extend(_confirm(settings.ledger, job.clip_id))
    return job.receipt(result, reading, timestamped=timestamped)


# Of the time; the ends of what carries a mark are known to half a second.
_COVERED = 0.9


@dataclass(frozen=True, kw_only=True)
class _Encoded:
    """What the encoder wrote; duration in seconds."""

    num_frames: int
    width: int
    height: int
    duration: Fraction


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One clip on its way through the steps."""

    settings: StampSettings
    method: WatermarkMethod
    algorithm: str
    clip_id: int
    source: StampSource
    output: Path
    progress: Progress
    applied: Applied
    notes: list[str] = field(default_factory=list)

    def encode(self, path: Path) -> _Encoded:
        """Embed the mark, frame by frame, into the encoder."""
        source, settings = self.source, self.settings
        width, height = source.width, source.height
        if settings.pad_odd:
            width, height = width + width % 2, height + height % 2
        elif width % 2 or height % 2:
            raise UnsupportedMediaError(
                f"H.264 in 4:2:0 needs even sizes, and this clip is {width} x {height}.",
                hint="Ask for a repeated last row or column (--pad-odd), or crop it first.",
            )
        # The embedder looks ahead, so the times wait here until their frames come out of it.
        times: deque[Fraction | None] = deque()
        frames = self.applied.label_frames(source.frames, source.fps)
        images = padded(_timed(frames, times), width, height)
        key = settings.keys.active
        marked: Iterable[NDArray[np.uint8]] = images
        if source.clip_id is None:
            marked = self.method.embed(images, self.clip_id, key=key, fps=source.fps)
        last: Fraction | None = None
        with VideoWriter(
            path,
            width=width,
            height=height,
            fps=source.fps,
            crf=settings.crf,
            preset=settings.preset,
            audio_from=source.path,
            pixel_aspect=source.pixel_aspect,
            primaries=source.primaries,
            transfer=source.transfer,
        ) as video:
            for image in marked:
                last = times.popleft()
                video.write(image, last)
                self.progress("Marking and encoding", video.num_frames, source.num_frames)
            written = video.num_frames
        self.notes.extend((*video.notes, *source.told()))
        if times:
            raise StampError(f"The mark lost {len(times)} frames.", hint="Please report this.")
        step = 1 / source.fps
        duration = written * step if last is None else last + step
        return _Encoded(num_frames=written, width=width, height=height, duration=duration)

    def read_back(self, path: Path, duration: Fraction) -> MarkReading:
        """Extract the mark from the encoded file, as a stranger would, and compare.

        Args:
            path: The encoded file.
            duration: Its length in seconds.

        Raises:
            StampError: The mark cannot be read, is another one, or, where it was in the frames
                before they came here, is in less than nine tenths of the time.
        """
        keys = [self.settings.keys.active]
        try:
            with open_video(path) as video:
                images = _counted(video.images(), video.info.num_frames, self.progress)
                reading = self.method.detect(images, keys=keys, fps=video.info.fps)
        except MediaError as error:
            raise StampError(f"The encoded clip cannot be read back: {error.message}") from error
        if not reading.present or reading.message != self.clip_id:
            raise StampError(
                "The mark cannot be read back from the encoded clip, so it was not issued.",
                hint="Encode at a better quality (a lower --crf), or use a longer or larger clip.",
            )
        if self.source.clip_id is not None:
            _check_covered(reading, duration)
        return reading

    def tag(self, encoded: Path, tagged: Path) -> Path:
        """Return the file to sign: a copy with the container tags of the profile, if it has any."""
        tags, xmp = self.applied.tags(self._binding.value)
        if not tags and not xmp:
            return encoded
        write_metadata(encoded, tagged, tags=tags, xmp=xmp)
        return tagged

    @property
    def _binding(self) -> SoftBinding:
        key_id = self.settings.keys.active.key_id
        return mark_soft_binding(self.clip_id, key_id, alg=self.algorithm)

    def sign(self, encoded: Path, finished: Path, duration: Fraction) -> tuple[bytes, bool]:
        """Sign into ``finished`` and read it back.

        Returns:
            The manifest store, and whether it is time-stamped.
        """
        request = ManifestRequest(
            origin=self.source.origin,
            title=self.output.name if self.settings.title is None else self.settings.title,
            clip_id=self.clip_id,
            key_id=self.settings.keys.active.key_id,
            duration=duration,
            parent=self.source.path,
            actions=self.applied.actions,
            disclosure=self.applied.disclosure,
            metadata=self.applied.metadata,
            mark=self._binding,
        )
        store = sign_file(
            encoded,
            finished,
            request=request,
            identity=self.settings.identity,
            # What the inputs' manifests are worth by the user's lists is written into ours.
            trust=TrustSettings.load(),
            timestamping=self.settings.timestamping,
            report=self.notes.append,
        )
        reading = read_credentials(finished, trust=TrustSettings())
        if reading.status != "present" or reading.integrity != "intact":
            raise StampError(
                f"The signed credentials do not validate ({', '.join(reading.codes.failure)}).",
                hint="Please report this.",
            )
        return store, reading.timestamp in ("trusted", "unlisted")

    def record(self, store: bytes, fingerprint: Fingerprint, duration: Fraction) -> None:
        """Write the clip into the ledger."""
        from vidigree.watermark.ledger import LedgerEntry

        origin = self.source.origin
        self.settings.ledger.record(
            LedgerEntry(
                clip_id=self.clip_id,
                key_id=self.settings.keys.active.key_id,
                method=self.settings.method,
                manifest_store=store,
                fingerprint=fingerprint.to_bytes(),
                created_at=datetime.now(UTC),
                engine=origin.engine,
                model=origin.model,
                request_hash=origin.prompt_sha256,
                duration=float(duration),
                file=str(self.output.absolute()),
                confirmed=False,
            )
        )

    def receipt(self, result: _Encoded, reading: MarkReading, *, timestamped: bool) -> StampReceipt:
        """Return what was issued."""
        settings, label = self.settings, self.applied.label
        return StampReceipt(
            path=self.output,
            clip_id=self.clip_id,
            key_id=settings.keys.active.key_id,
            method=settings.method,
            num_frames=result.num_frames,
            width=result.width,
            height=result.height,
            duration=float(result.duration),
            reading=reading,
            signer=settings.identity.common_name,
            timestamped=timestamped,
            profile=settings.profile.name,
            label=label.text if label else "",
            notes=tuple(self.notes),
        )


def _apply_profile(source: StampSource, settings: StampSettings) -> Applied:
    return apply_profile(
        settings.profile,
        origin=source.origin,
        provider=settings.provider,
        timestamping=settings.timestamping,
        label=settings.label,
        size=(source.width, source.height),
        parent=source.path,
    )


def _check_covered(reading: MarkReading, duration: Fraction) -> None:
    """Refuse a clip of which only a part was marked before it came here, or with several marks.

    Raises:
        StampError: Less than nine tenths of the time carry the mark that was read.
    """
    carried = sum(one.end - one.start for one in reading.segments if one.message == reading.message)
    if carried < _COVERED * float(duration):
        raise StampError(
            f"Only {carried:.1f} s of {float(duration):.1f} s carry the mark that these frames "
            "came with, so they were not issued.",
            hint="Join frames before any is marked, or issue the parts and join the files.",
        )


def _draw_clip_id(ledger: Ledger) -> int:
    """Draw 64 random bits that no other clip of this ledger has."""
    while True:
        clip_id = secrets.randbits(64)
        if clip_id and ledger.find_clip(clip_id) is None:
            return clip_id


def _confirm(ledger: Ledger, clip_id: int) -> tuple[str, ...]:
    """Note that the file is in place; the clip is issued and recorded even if that fails."""
    try:
        ledger.confirm(clip_id)
    except LedgerError as error:
        return (f"{error.message} Run `vidigree ledger check --repair`.",)
    return ()


def _timed(
    frames: Iterable[tuple[NDArray[np.uint8], Fraction | None]], times: deque[Fraction | None]
) -> Iterator[NDArray[np.uint8]]:
    for image, time in frames:
        times.append(time)
        yield image


def _counted(
    images: Iterable[NDArray[np.uint8]], total: int | None, progress: Progress
) -> Iterator[NDArray[np.uint8]]:
    for count, image in enumerate(images, 1):
        yield image
        progress("Reading the mark back", count, total)
