"""The one door: a clip leaves with a mark that was read back, credentials, and a ledger entry.

The order is fixed, because nothing may touch the file after it is signed:

1. draw a clip id
2. embed the mark, frame by frame, into the encoder
3. read the encoded file back and extract the mark; it must be the clip id
4. take the fingerprint of what was encoded
5. sign the content credentials into a second file and read them back
6. record the clip in the ledger, as not confirmed yet
7. rename the finished file into place
8. confirm the record

Any step before the last that fails raises, and leaves no output file. A kill at any point leaves
either no file, or a file with its record: ``vidigree ledger check`` tells what was left.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import (
    LedgerError,
    MediaError,
    StampError,
    UnsupportedMediaError,
    UsageError,
)
from vidigree.media.output import output_file, scratch_file
from vidigree.media.progress import Progress, no_progress
from vidigree.media.reading import open_video
from vidigree.media.writing import VideoWriter
from vidigree.watermark.clip import Clip, Origin
from vidigree.watermark.config import Config
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    Timestamping,
    TrustSettings,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.signers import open_signer
from vidigree.watermark.fingerprint import Fingerprint, fingerprint_frames
from vidigree.watermark.keyring import KeyRing
from vidigree.watermark.ledger import Ledger, LedgerEntry
from vidigree.watermark.method import MarkReading, WatermarkMethod, watermark_methods

__all__ = ["StampReceipt", "StampSettings", "stamp"]


@dataclass(frozen=True, kw_only=True)
class StampSettings:
    """What a stamp is made with.

    Attributes:
        identity: Key and certificate that sign the credentials.
        ledger: Where the clip is recorded.
        keys: Ring of mark keys; the active one marks.
        method: Registered watermark method; its message must have 64 bits.
        crf: x264 constant rate factor of the output, 0 (lossless) to 51.
        preset: x264 preset of the output.
        pad_odd: Repeat the last row or column of a clip with an odd side; refused otherwise.
        overwrite: Whether an existing output may be replaced.
        timestamping: Whether and where the signature is time-stamped.
    """

    identity: SigningIdentity
    ledger: Ledger
    keys: KeyRing = field(default_factory=KeyRing)
    method: str = "robust"
    crf: float = 18
    preset: str = "medium"
    pad_odd: bool = False
    overwrite: bool = False
    timestamping: Timestamping = field(default_factory=Timestamping)

    @classmethod
    def load(cls, *, config: Config | None = None, **changes: Any) -> StampSettings:
        """Load signer, keys and ledger as the settings in the data folder say.

        Args:
            config: Settings to follow; ``None`` reads ``config.toml`` in the data folder.
            **changes: Other attributes than the defaults.

        Raises:
            UsageError: The settings mean nothing.
            CredentialsError: There is no signing identity yet, or it cannot be used.
            LedgerError: The ledger cannot be opened.
        """
        config = Config.load() if config is None else config
        settings = cls(
            identity=open_signer(config.signer),
            ledger=Ledger.open(),
            keys=KeyRing.load(),
            timestamping=config.timestamping,
        )
        return replace(settings, **changes)


@dataclass(frozen=True, kw_only=True)
class StampReceipt:
    """What was issued.

    Attributes:
        path: The finished file.
        clip_id: Message of the mark, 64 bits; the soft binding and the ledger key.
        key_id: Mark key.
        method: Watermark method.
        num_frames: Frames written.
        width: Width in pixels.
        height: Height in pixels.
        duration: Seconds.
        reading: What the detector read back from the finished pixels.
        signer: Common name of the certificate that signed.
        timestamped: Whether the signature carries a time stamp.
        notes: Things a person should know, such as words of a prompt that were not understood.
    """

    path: Path
    clip_id: int
    key_id: str
    method: str
    num_frames: int
    width: int
    height: int
    duration: float
    reading: MarkReading
    signer: str
    timestamped: bool = False
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return the receipt as a few lines of text."""
        lines = [
            (
                f"{self.path}  {self.width} x {self.height}, {self.num_frames} frames,"
                f" {self.duration:.2f} s"
            ),
            (
                f"  mark         clip id {self.clip_id:016x}, key {self.key_id}, read back"
                f" (p = {self.reading.p_value:.0e})"
            ),
            f"  credentials  C2PA, signed by {self.signer}"
            + (", time-stamped" if self.timestamped else ""),
            "  ledger       recorded",
        ]
        return "\n".join([*lines, *(f"  note         {note}" for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """Return the receipt as JSON values; the clip id as 16 hex digits."""
        return {
            "path": str(self.path),
            "clip_id": f"{self.clip_id:016x}",
            "key_id": self.key_id,
            "method": self.method,
            "num_frames": self.num_frames,
            "width": self.width,
            "height": self.height,
            "duration": self.duration,
            "mark": self.reading.to_dict(),
            "signer": self.signer,
            "timestamped": self.timestamped,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Frames with their times, wherever they come from."""

    frames: Iterable[tuple[NDArray[np.uint8], Fraction | None]]
    width: int
    height: int
    fps: Fraction
    num_frames: int | None
    origin: Origin
    path: Path | None = None
    clip_id: int | None = None


def stamp(
    source: Clip | Path,
    output: Path,
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
        StampError: The mark could not be embedded, or could not be read back.
        CredentialsError: The credentials could not be signed or do not validate.
        LedgerError: The clip could not be recorded.
        MediaError: The source cannot be read.
        OutputError: The output cannot be written.
    """
    if output.suffix.lower() != ".mp4":
        raise UsageError(
            f"The output {output.name!r} must end in .mp4.", hint="Only MP4 files are written."
        )
    method = _method(settings.method)
    with ExitStack() as stack:
        finished = stack.enter_context(output_file(output, overwrite=settings.overwrite))
        encoded = stack.enter_context(scratch_file(output))
        opened = _open_source(source, origin, stack)
        job = _Job(
            settings=settings,
            method=method,
            clip_id=opened.clip_id or _draw_clip_id(settings.ledger),
            source=opened,
            output=output,
            progress=progress,
        )
        result = job.encode(encoded)
        reading = job.read_back(encoded)
        fingerprint = _fingerprint(encoded)
        store, timestamped = job.sign(encoded, finished, result.duration)
        job.record(store, fingerprint, result.duration)
    notes = _confirm(settings.ledger, job.clip_id)
    return StampReceipt(
        path=output,
        clip_id=job.clip_id,
        key_id=settings.keys.active.key_id,
        method=settings.method,
        num_frames=result.num_frames,
        width=result.width,
        height=result.height,
        duration=float(result.duration),
        reading=reading,
        signer=settings.identity.common_name,
        timestamped=timestamped,
        notes=(*job.notes, *notes),
    )


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
    clip_id: int
    source: _Source
    output: Path
    progress: Progress
    notes: list[str] = field(default_factory=list)

    def encode(self, path: Path) -> _Encoded:
        """Embed the mark, frame by frame, into the encoder."""
        source, settings = self.source, self.settings
        width, height = source.width, source.height
        if settings.pad_odd:
            width, height = width + width % 2, height + height % 2
        # The embedder looks ahead, so the times wait here until their frames come out of it.
        times: deque[Fraction | None] = deque()
        images = _padded(_timed(source.frames, times), width, height)
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
        ) as video:
            for image in marked:
                last = times.popleft()
                video.write(image, last)
                self.progress("Marking and encoding", video.num_frames, source.num_frames)
            written = video.num_frames
        if times:
            raise StampError(f"The mark lost {len(times)} frames.", hint="Please report this.")
        step = 1 / source.fps
        duration = written * step if last is None else last + step
        return _Encoded(num_frames=written, width=width, height=height, duration=duration)

    def read_back(self, path: Path) -> MarkReading:
        """Extract the mark from the encoded file, as a stranger would, and compare."""
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
        return reading

    def sign(self, encoded: Path, finished: Path, duration: Fraction) -> tuple[bytes, bool]:
        """Sign into ``finished`` and read it back.

        Returns:
            The manifest store, and whether it is time-stamped.
        """
        request = ManifestRequest(
            origin=self.source.origin,
            title=self.output.name,
            clip_id=self.clip_id,
            key_id=self.settings.keys.active.key_id,
            duration=duration,
            parent=self.source.path,
        )
        store = sign_file(
            encoded,
            finished,
            request=request,
            identity=self.settings.identity,
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


def _method(name: str) -> WatermarkMethod:
    method = watermark_methods.get(name)
    if method.message_bits != 64:
        raise UsageError(
            f"The method {name!r} carries {method.message_bits} bits; a clip id needs 64.",
            hint="Use the method 'robust'.",
        )
    return method()


def _open_source(source: Clip | Path, origin: Origin | None, stack: ExitStack) -> _Source:
    if isinstance(source, Clip):
        return _Source(
            frames=((image, None) for image in source.frames),
            width=source.width,
            height=source.height,
            fps=source.fps,
            num_frames=source.num_frames,
            origin=origin or source.origin,
            clip_id=source.clip_id,
        )
    video = stack.enter_context(open_video(source))
    info = video.info
    if info.hdr:
        raise UnsupportedMediaError(
            f"{source} is HDR video ({info.hdr}), which would lose its range.",
            hint="Convert it to SDR (BT.709) first.",
        )
    return _Source(
        frames=((frame.image, frame.time) for frame in video),
        width=info.width,
        height=info.height,
        fps=info.fps,
        num_frames=info.num_frames,
        origin=origin or Origin(),
        path=source,
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


def _padded(
    images: Iterable[NDArray[np.uint8]], width: int, height: int
) -> Iterator[NDArray[np.uint8]]:
    for image in images:
        missing = (height - image.shape[0], width - image.shape[1])
        if any(missing):
            yield np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
        else:
            yield image


def _counted(
    images: Iterable[NDArray[np.uint8]], total: int | None, progress: Progress
) -> Iterator[NDArray[np.uint8]]:
    for count, image in enumerate(images, 1):
        yield image
        progress("Reading the mark back", count, total)


def _fingerprint(path: Path) -> Fingerprint:
    with open_video(path) as video:
        return fingerprint_frames(video.images(), video.info.fps)
