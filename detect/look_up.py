"""The ledger layer: was this clip issued here, and does what was issued look like it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidigree.detect.credentials import is_vouched, is_vouched_generated
from vidigree.detect.evidence import Evidence, Segment
from vidigree.detect.readings import LedgerReading
from vidigree.watermark.clip import MADE_ELSEWHERE
from vidigree.watermark.method import MarkReading

if TYPE_CHECKING:
    from vidigree.watermark.credentials import TrustSettings
    from vidigree.watermark.fingerprint import Fingerprint
    from vidigree.watermark.ledger import Ledger, LedgerEntry

__all__ = ["CUT", "DIFFERENT", "SAME", "ledger_evidence", "look_up"]

SAME = 0.6
"""Likeness of fingerprints from which two clips count as the same content."""

DIFFERENT = 0.22
"""Likeness of fingerprints below which they count as different content. What lies between is not
decided. Both figures come from benchmarks/fingerprint_likeness.py: a large logo brings a true copy
down to 0.26, and to call it a stranger would be an accusation."""

CUT = 0.28
"""Likeness to what a cut leaves of the issued clip from which on a picture is not called another
one; from the same benchmark."""

_AS_EMBEDDED = 0.03
"""Largest deviation of a mark's scale from 1 at which the picture counts as neither cropped nor
enlarged."""

_CUT = 0.01
"""Share of the short side from which on a picture counts as cut at its left or upper edge: a mark's
place is known to less than half of it."""

_MOST_EARLIER = 64
"""Earlier entries of the same picture whose manifests are read; likely generated ones come first.
"""


def look_up(
    path: Path,
    *,
    marks: Sequence[MarkReading],
    fingerprint: Fingerprint,
    ledger: Ledger,
    trust: TrustSettings,
) -> LedgerReading:
    """Look a clip up, by the messages of its marks first, then by its fingerprint.

    Each of several marks is looked up on its own, and compared with its own part of the clip. Where
    all that is found was stamped only, a clip that was issued before with the same picture, as
    generated, is found too: whoever stamps a clip again must not hide what it was.

    Args:
        path: The clip, to hold recovered manifests against.
        marks: What the mark layer read.
        fingerprint: Of the whole clip.
        ledger: What was issued.
        trust: Whom to believe, for the recovered manifest.

    Raises:
        LedgerError: The ledger cannot be read.
        MediaError: The clip cannot be read.
    """
    told = {mark.message: mark for mark in reversed(marks) if mark.message is not None}
    several = len(told) > 1
    found, unknown = [], []
    for message, mark in reversed(told.items()):
        segments = _segments(mark) if several else ()
        entry = ledger.find_clip(message)
        if entry is None:
            unknown.append(LedgerReading(segments=segments, marked=True))
            continue
        part = fingerprint
        if segments:
            part = fingerprint.between(segments[0].start, segments[-1].end)
        likeness, same = _compared(part, entry, mark)
        reading = _reading(path, entry, likeness, trust, found_by="mark", same=same)
        found.append(replace(reading, segments=segments, marked=True))
    if not found:
        found = _by_fingerprint(path, fingerprint, ledger, trust)
        unknown = unknown if not found else []
    if found and not any(one.generated and one.vouched for one in found):
        found += _generated_before(path, fingerprint, found, ledger, trust)
    first, *others = (*found, *unknown) or (LedgerReading(),)
    return replace(first, others=tuple(others))


def _segments(mark: MarkReading) -> tuple[Segment, ...]:
    return tuple(Segment(start=part.start, end=part.end) for part in mark.segments)


def _by_fingerprint(
    path: Path, fingerprint: Fingerprint, ledger: Ledger, trust: TrustSettings
) -> list[LedgerReading]:
    return [
        _reading(path, entry, likeness, trust, found_by="fingerprint", same=True)
        for entry, likeness in _alike(fingerprint, ledger, 1)
    ]


def _generated_before(
    path: Path,
    fingerprint: Fingerprint,
    stamped: Sequence[LedgerReading],
    ledger: Ledger,
    trust: TrustSettings,
) -> list[LedgerReading]:
    """Return what the ledger knows of a generated clip with this picture, older than ``stamped``.

    A younger one may have been made from the recording. One that somebody vouches for comes before
    one of which nobody does, which anybody can have had stamped.
    """
    youngest = max((one.issued_at for one in stamped if one.issued_at), default=None)
    if youngest is None or not fingerprint.usable:
        return []
    earlier = ledger.find_earlier(
        fingerprint.to_bytes(), before=datetime.fromisoformat(youngest), likeness=SAME
    )
    unvouched: list[LedgerReading] = []
    with closing(earlier):
        for entry, likeness in islice(earlier, _MOST_EARLIER):
            reading = _reading(path, entry, likeness, trust, found_by="fingerprint", same=True)
            if reading.generated and reading.vouched:
                return [reading]
            unvouched += [reading] if reading.generated else []
    return [] if any(one.generated for one in stamped) else unvouched[:1]


def _alike(fingerprint: Fingerprint, ledger: Ledger, limit: int) -> list[tuple[LedgerEntry, float]]:
    if not fingerprint.usable:
        return []
    best = ledger.find_similar(fingerprint.to_bytes(), limit=limit)
    return [(entry, likeness) for entry, likeness in best if likeness >= SAME]


def _time(entry: LedgerEntry) -> str:
    return entry.created_at.isoformat(timespec="seconds")


def _compared(
    part: Fingerprint, entry: LedgerEntry, mark: MarkReading
) -> tuple[float | None, bool | None]:
    """Return the likeness to an entry, and whether it is the same picture.

    Args:
        part: Of the part of the clip that is marked.
        entry: What the mark leads to.
        mark: It tells how the picture was laid down.

    Returns:
        ``None`` for the likeness if there is nothing to compare, for the other if it is not clear.
    """
    from vidigree.watermark.fingerprint import Fingerprint, is_current, similarity

    if not is_current(entry.fingerprint):
        return None, None  # recorded by another version
    issued = Fingerprint.from_bytes(entry.fingerprint)
    if not (part.usable and issued.usable):
        return None, None
    seen = part.mirrored() if mark.mirrored else part
    seen = seen.negative() if mark.negative else seen
    likeness = similarity(seen, issued)
    if likeness >= SAME:
        return likeness, True
    return likeness, False if likeness < DIFFERENT and _another(seen, issued, mark) else None


def _another(seen: Fingerprint, issued: Fingerprint, mark: MarkReading) -> bool:
    """Return whether a picture that is not alike is another one, not a part of the same.

    A crop beyond the fingerprint's views lowers the likeness as much as another picture does, but
    it shows in the scale at which the mark is found or, where only the long side was cut, in its
    place. So only a mark that sits as it was embedded can be called a stranger to its picture; and
    if it may have been cut at the far end of its long side, that shows in neither.
    """
    from vidigree.watermark.cut_likeness import cut_likeness

    moved = mark.scale is None or abs(mark.scale - 1) > _AS_EMBEDDED or abs(mark.rotation or 0) > 1
    # Places are known modulo a half, so just below it is just left of the edge.
    cut = any(_CUT < place < 0.5 - _CUT for place in mark.offset or ())
    if moved or cut:
        return False
    return cut_likeness(seen, issued, anywhere=mark.offset is None) < CUT


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
    # Where the manifest cannot be read, the name of an engine says that the clip was generated.
    made_here = recovered.status != "present" and entry.engine not in MADE_ELSEWHERE
    own = recovered.claims_generated and is_vouched(recovered, recovered.timestamp)
    return LedgerReading(
        found_by=found_by,
        clip_id=f"{entry.clip_id:016x}",
        similarity=likeness,
        same_content=same,
        claimed_source=recovered.claimed_source,
        generated=recovered.generated_somewhere or made_here,
        passed_on=recovered.generated_somewhere and not own,
        vouched=made_here or is_vouched_generated(recovered, recovered.timestamp),
        engine=entry.engine,
        model=entry.model,
        issued_at=_time(entry),
        credentials=recovered.to_dict(),
    )


def ledger_evidence(reading: LedgerReading) -> list[Evidence]:
    """Turn a ledger reading into evidence.

    Args:
        reading: What the ledger knows.

    Returns:
        Evidence for each entry found and what its manifest claims, or one piece that says that
        there is no entry; and whether it is nobody's own word that the clip was generated.
    """
    if not reading.exists:
        return [Evidence(code="ledger.empty")]
    evidence = [piece for one in reading.all for piece in _one_entry(one)]
    generated = [one for one in reading.all if one.generated and one.same_content is not False]
    if generated and all(one.passed_on for one in generated):
        evidence.append(Evidence(code="ledger.claim-passed-on"))
    return evidence


def _one_entry(reading: LedgerReading) -> list[Evidence]:
    segments = reading.segments
    if reading.found_by == "none":
        code = "ledger.mark-unknown" if reading.marked else "ledger.nothing"
        return [Evidence(code=code, segments=segments)]
    evidence = [
        Evidence(
            code=_entry_code(reading),
            similarity=reading.similarity,
            segments=segments,
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
        evidence.append(replace(_manifest_evidence(reading.credentials or {}), segments=segments))
        evidence.append(Evidence(code=_claim_code(reading), segments=segments))
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
        return f"ledger.{'says-generated' if reading.vouched else 'generated-unvouched'}"
    return "ledger.says-captured" if reading.claimed_source == "captured" else "ledger.says-nothing"


def _entry_code(reading: LedgerReading) -> str:
    if reading.found_by == "fingerprint":
        return "ledger.entry-by-fingerprint"
    if reading.same_content is None:
        return "ledger.entry-unverified"
    return "ledger.entry-by-mark" if reading.same_content else "ledger.transplanted"
