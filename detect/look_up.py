"""The ledger layer: was this clip issued here, and does what was issued look like it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.evidence import Evidence
from vidigree.detect.readings import LedgerReading
from vidigree.media.errors import LedgerError
from vidigree.media.home import home_folder
from vidigree.media.reading import open_video
from vidigree.watermark.method import MarkReading

if TYPE_CHECKING:
    from vidigree.watermark.credentials import TrustSettings
    from vidigree.watermark.fingerprint import Fingerprint
    from vidigree.watermark.ledger import Ledger, LedgerEntry

__all__ = ["DIFFERENT", "SAME", "ledger_evidence", "look_up"]

SAME = 0.6
"""Likeness of fingerprints from which two clips count as the same content."""

DIFFERENT = 0.22
"""Likeness of fingerprints below which they count as different content. What lies between is not
decided. Both figures come from benchmarks/fingerprint_likeness.py: a large logo brings a true copy
down to 0.26, and to call it a stranger would be an accusation."""

_FRAMES_A_SECOND = 8
"""Frames a second that go into the fingerprint of a clip that is looked up."""

_AS_EMBEDDED = 0.03
"""Largest deviation of a mark's scale from 1 at which the picture counts as neither cropped nor
enlarged."""


_NOT_MADE_HERE = {"", "external"}
"""Engines of clips that were only stamped here. Where a manifest cannot be read against this kind
of file, any other engine's name says that the clip was generated."""


def look_up(
    path: Path, *, marks: Sequence[MarkReading], url: str | None, trust: TrustSettings
) -> LedgerReading:
    """Look a clip up, by the messages of its marks first, then by its fingerprint.

    Args:
        path: The clip.
        marks: What the mark layer read.
        url: Database URL of the ledger; ``None`` means the one in the data folder, which is not
            made if it is not there.
        trust: Whom to believe, for the recovered manifest.

    Raises:
        LedgerError: The ledger cannot be opened or read.
        MediaError: The clip cannot be read.
    """
    from vidigree.watermark.ledger import Ledger
    from vidigree.watermark.ledger.connection import missing_file

    if url is None and not (home_folder() / "ledger.sqlite3").exists():
        return LedgerReading(exists=False)
    missing = None if url is None else missing_file(url)
    if missing is not None:
        # An empty ledger made in its place would answer, wrongly, that nobody issued the clip.
        raise LedgerError(f"There is no ledger {missing}.", hint="Check the path in the URL.")
    with Ledger.open(url) as ledger:
        for mark in marks:
            entry = None if mark.message is None else ledger.find_clip(mark.message)
            if entry is not None:
                likeness = _likeness(_fingerprint(path, mirrored=mark.mirrored), entry)
                same = _same_content(likeness, mark)
                return _reading(path, entry, likeness, trust, found_by="mark", same=same)
        return _by_fingerprint(path, ledger, trust)


def _by_fingerprint(path: Path, ledger: Ledger, trust: TrustSettings) -> LedgerReading:
    if ledger.count() == 0:
        return LedgerReading()
    fingerprint = _fingerprint(path)
    best = ledger.find_similar(fingerprint.to_bytes(), limit=1) if fingerprint.usable else []
    if not best or best[0][1] < SAME:
        return LedgerReading()
    entry, likeness = best[0]
    return _reading(path, entry, likeness, trust, found_by="fingerprint", same=True)


def _fingerprint(path: Path, *, mirrored: bool = False) -> Fingerprint:
    from vidigree.watermark.fingerprint import fingerprint_frames

    with open_video(path) as reader:
        # The fingerprint averages over half seconds: a few frames of each come close to the stamp's
        # average of all (likeness 0.90 for the two bouncing balls of the README, untouched).
        step = max(1, round(reader.info.fps / _FRAMES_A_SECOND))
        images: Iterator[NDArray[np.uint8]] = islice(reader.images(), 0, None, step)
        if mirrored:
            images = (np.ascontiguousarray(image[:, ::-1]) for image in images)
        return fingerprint_frames(images, reader.info.fps / step)


def _likeness(fingerprint: Fingerprint, entry: LedgerEntry) -> float | None:
    """Return the likeness to an entry, ``None`` if there is nothing to compare."""
    from vidigree.watermark.fingerprint import Fingerprint, is_current, similarity

    if not is_current(entry.fingerprint):
        return None  # recorded by another version
    issued = Fingerprint.from_bytes(entry.fingerprint)
    return similarity(fingerprint, issued) if fingerprint.usable and issued.usable else None


def _same_content(likeness: float | None, mark: MarkReading) -> bool | None:
    """Say whether a marked picture is the one that was issued; ``None`` if that is not clear.

    A crop beyond the fingerprint's views lowers the likeness as much as another picture does, but
    it shows in the scale at which the mark is found. So only a mark that sits as it was embedded
    can be called a stranger to its picture.
    """
    if likeness is None:
        return None
    if likeness >= SAME:
        return True
    moved = mark.scale is None or abs(mark.scale - 1) > _AS_EMBEDDED or abs(mark.rotation or 0) > 1
    return None if moved or likeness >= DIFFERENT else False


def _reading(
    path: Path,
    entry: LedgerEntry,
    likeness: float | None,
    trust: TrustSettings,
    *,
    found_by: str,
    same: bool | None,
) -> LedgerReading:
    from vidigree.watermark.credentials import read_credentials

    recovered = read_credentials(path, trust=trust, store=entry.manifest_store)
    return LedgerReading(
        found_by=found_by,
        clip_id=f"{entry.clip_id:016x}",
        similarity=likeness,
        same_content=same,
        claimed_source=recovered.claimed_source,
        generated=recovered.generated_somewhere
        or (recovered.status != "present" and entry.engine not in _NOT_MADE_HERE),
        engine=entry.engine,
        model=entry.model,
        issued_at=entry.created_at.isoformat(timespec="seconds"),
        credentials=recovered.to_dict(),
    )


def ledger_evidence(reading: LedgerReading, *, marked: bool) -> list[Evidence]:
    """Turn a ledger reading into evidence.

    Args:
        reading: What the ledger knows.
        marked: Whether a mark with a readable message was found in the pixels.

    Returns:
        Evidence for the entry found and what its manifest claims, or one piece that says that
        there is no entry.
    """
    if not reading.exists:
        return [Evidence(code="ledger.empty")]
    if reading.found_by == "none":
        return [Evidence(code="ledger.mark-unknown" if marked else "ledger.nothing")]
    evidence = [
        Evidence(
            code=_entry_code(reading),
            similarity=reading.similarity,
            values={
                "clip_id": reading.clip_id or "",
                "engine": reading.engine,
                "model": reading.model,
                "issued_at": reading.issued_at or "",
                "source": reading.claimed_source,
            },
        )
    ]
    if reading.same_content is not False:
        evidence.append(_manifest_evidence(reading.credentials or {}))
        evidence.append(Evidence(code=_claim_code(reading)))
    return evidence


def _manifest_evidence(manifest: Mapping[str, Any]) -> Evidence:
    """Say whether the manifest that the ledger kept is whole, and whether it fits the file."""
    codes = tuple(manifest.get("codes", {}).get("failure", ()))
    if manifest.get("manifest_integrity") != "intact":
        return Evidence(code="ledger.manifest-broken", status_codes=codes)
    signer = (manifest.get("signer") or {}).get("organization", "")
    whole = manifest.get("content_binding") == "match"
    code = "ledger.manifest-unchanged" if whole else "ledger.manifest-recovered"
    return Evidence(code=code, status_codes=codes, values={"signer": signer})


def _claim_code(reading: LedgerReading) -> str:
    if reading.generated:
        return "ledger.says-generated"
    return "ledger.says-captured" if reading.claimed_source == "captured" else "ledger.says-nothing"


def _entry_code(reading: LedgerReading) -> str:
    if reading.found_by == "fingerprint":
        return "ledger.entry-by-fingerprint"
    if reading.same_content is None:
        return "ledger.entry-unverified"
    return "ledger.entry-by-mark" if reading.same_content else "ledger.transplanted"
