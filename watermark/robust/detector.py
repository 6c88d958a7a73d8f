"""Detection: from a stream of frames to what is marked, when, with which message."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, groupby

from vidigree.media.frame import Frame
from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.method import MarkSegment
from vidigree.watermark.robust.budget import Look, share_of
from vidigree.watermark.robust.carrier import carrier_of
from vidigree.watermark.robust.decision import decode_trial
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.geometry import RIGHT_ANGLES, UNSCALED, Geometry, upright_picture
from vidigree.watermark.robust.reading import (
    Finding,
    Trial,
    message_score_of,
    refine,
    try_both_ways,
    try_geometry,
    try_scales,
    try_unscaled,
)
from vidigree.watermark.robust.search import candidates, upright
from vidigree.watermark.robust.significance import PRESENT_BELOW, p_value
from vidigree.watermark.robust.stretches import (
    COARSE,
    Parts,
    Stretch,
    StretchReader,
    fine_picture,
    learned_parts,
    mixed_parts,
    parts_of,
    summed,
)
from vidigree.watermark.robust.sync import find_shifts
from vidigree.watermark.robust.timeline import carrying_runs, segments_of
from vidigree.watermark.robust.views import inset_views, straight_views

__all__ = ["BlockMark", "Detector"]

_BLOCK = 20
_MARKS = 3
_REST = 3
_DECODED = 4
_CANDIDATES = 16
_REFINED = 2
_WORTH_REFINING = 4.6
_WORTH_DECODING = 4.5
# Further shifts of an upright picture.
_FURTHER = 6
_WORTH_TRYING = 3.9
# Nearly every wide search finds a chance match above 5, and many one above 5.3; the network is not
# asked for those.
_WORTH_ASKING = 5.6
_FINE_THUMBNAILS = 12
# The learned front end looks at a few stretches, and at as many as this where they hold a trace.
_LEARNED_FIRST = 5
_LEARNED_STRETCHES = 20
_KNOWN_BELOW = 1e-9
_MORE = {Look.WIDE: Look.WIDE_MORE, Look.COARSE: Look.COARSE_MORE}
# Looks at the picture as it is: it may be whole.
_WHOLE = frozenset({Look.AS_IT_IS, Look.LEARNED, Look.LEARNED_MORE})


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockMark:
    """A mark in a block, and when; holds no pictures, so that a film's marks may be gathered.

    Attributes:
        finding: The mark.
        segments: The runs of stretches that carry it, in order of time.
    """

    finding: Finding
    segments: tuple[MarkSegment, ...]


class Detector:
    """Looks for marks in blocks of ten seconds; memory is bounded by one block.

    Each block is first tried where the last mark was found, then unscaled, laid down in eight
    ways, filtered in two and as a negative, and only then searched widely: on every block at
    first, later on ever fewer, so that a long unmarked film costs little more than decoding it.

    Args:
        keys: Keys to try; without any, nothing is found.
        fps: Frames per second.
    """

    def __init__(self, keys: Sequence[MarkKey], fps: Fraction) -> None:
        self._keys = [(key, carrier_of(key)) for key in keys]
        self._reader = StretchReader(fps)
        self._block: list[Stretch] = []
        self._known: list[Finding] = []
        self._blocks = 0
        self._searches = 0
        # As rare on unmarked clips with many keys as with one.
        self._trace = math.sqrt(_WORTH_DECODING**2 + 2.0 * math.log(max(1, len(self._keys))))
        self.looked = 0
        self.frames_used = 0

    def feed(self, frame: Frame) -> list[BlockMark]:
        """Take the next frame; return the marks of the block before, if one begins with it."""
        stretch = self._reader.feed(frame)
        return [] if stretch is None else self._added(stretch)

    def finish(self) -> list[BlockMark]:
        """Return the marks of what has not been searched yet."""
        last = self._reader.finish()
        marks = [] if last is None else self._added(last)
        return marks + (self._searched() if self._block else [])

    def _added(self, stretch: Stretch) -> list[BlockMark]:
        """Let a stretch wait; return the marks of the block that it does not belong to any more.

        Only now is it known when the stretch before it ended.
        """
        if self._block:
            self._block[-1] = replace(self._block[-1], end=stretch.start)
        full = len(self._block) == _BLOCK
        changed = bool(self._block) and self._block[0].source != stretch.source
        marks = self._searched() if full or changed else []
        self._block.append(stretch)
        return marks

    def _searched(self) -> list[BlockMark]:
        """Return the marks of the block that is waiting, strongest first."""
        block, self._block = self._block, []
        self.frames_used += sum(stretch.frames for stretch in block)
        return list(self._search(block)) if self._keys else []

    def _search(self, block: list[Stretch]) -> Iterator[BlockMark]:
        """Yield the marks of one block, strongest first."""
        self._blocks += 1
        rest = block
        for _ in range(_MARKS):
            wide = rest is block and self._wide_now(len(block))
            finding = self._find(rest, wide=wide)
            if finding is None:
                return
            if all(finding.message != known.message for known in self._known):
                self._known.append(finding)
            runs = carrying_runs(rest, finding)
            yield BlockMark(finding=finding, segments=segments_of(runs, finding))
            carrying = {id(stretch) for run in runs for stretch in run}
            rest = [stretch for stretch in rest if id(stretch) not in carrying]
            if len(rest) < _REST:
                return

    def _wide_now(self, length: int) -> bool:
        """Return whether this block is worth a wide search: 1, 2, 3, 4, 8, 16, ...

        The end of a clip that is shorter than any other block that would be searched is not.
        """
        if self._blocks > 1 and length < _REST:
            return False
        return self._blocks <= 4 or self._blocks & (self._blocks - 1) == 0

    def _find(self, stretches: list[Stretch], *, wide: bool) -> Finding | None:
        """Return the mark of a run of stretches, or ``None``."""
        parts = parts_of(stretches)
        picture = summed(parts)
        again = self._seen_again(stretches, picture)
        if again is not None:
            return again
        self._searches += 1
        finding, _ = self._direct(parts, picture, Look.AS_IT_IS)
        if finding is not None and finding.message is not None:
            return finding
        if not wide:
            return finding
        better = learned_parts(stretches, _LEARNED_FIRST)
        if better:
            seen, trace = self._direct(better, summed(better), Look.LEARNED)
            if trace and len(stretches) > _LEARNED_FIRST and (seen is None or seen.message is None):
                more = learned_parts(stretches, _LEARNED_STRETCHES)
                seen = self._direct(more, summed(more), Look.LEARNED_MORE)[0] or seen
            finding = seen or finding
        return finding or self._inside(stretches) or self._wide(stretches)

    def _seen_again(self, stretches: list[Stretch], picture: Picture) -> Finding | None:
        """Return the first known mark whose message a run of stretches holds once more."""
        messages = [known for known in self._known if known.message is not None]
        for known in messages:
            view = picture
            if known.view is not None:
                parts = known.view.parts(stretches)
                if not parts:
                    continue
                view = summed(parts)
            if p_value(message_score_of(view, known), len(messages)) <= _KNOWN_BELOW:
                return known
        return None

    def _inside(self, stretches: list[Stretch]) -> Finding | None:
        """Try what lies inside a four-sided outline on black, then inside straight borders."""
        framed = chain(straight_views(stretches), inset_views(stretches))
        for turn, view in enumerate(framed, start=1):
            finding = self._framed(view.parts(stretches), turn)
            if finding is not None:
                return replace(finding, view=view)
        return None

    def _framed(self, parts: Parts, turn: int) -> Finding | None:
        """Try a picture that was cut out and laid straight."""
        view = summed(parts)
        trials = [
            trial
            for key, carrier in self._keys
            for trial in try_unscaled(view, key, carrier, RIGHT_ANGLES)
        ]
        best, climbed = refine(view, max(trials, key=lambda trial: trial.lock.score), 0.006)
        return self._decode([best], parts, _charged(len(trials), climbed), Look.INSIDE, turn)

    def _direct(self, parts: Parts, picture: Picture, look: Look) -> tuple[Finding | None, bool]:
        """Try the sum of parts unscaled, laid down, filtered or inverted; tell of a trace."""
        trials = [
            trial
            for key, carrier in self._keys
            for trial in try_unscaled(picture, key, carrier, UNSCALED)
        ]
        trace = max(trial.lock.score for trial in trials) >= self._trace
        return self._decode(trials, parts, len(trials), look), trace

    def _wide(self, stretches: list[Stretch]) -> Finding | None:
        """Search scale, rotation, mirroring and aspect at three working sizes."""
        fine = fine_picture(stretches, _FINE_THUMBNAILS)
        octaves: list[tuple[float, Look, Parts]] = [
            (1.0, Look.WIDE, mixed_parts(stretches, _LEARNED_FIRST)),
            (COARSE, Look.COARSE, mixed_parts(stretches, _LEARNED_FIRST, coarse=True)),
            (0.5, Look.FINE, [] if fine is None else [(1.0, fine)]),
        ]
        for octave, look, seen in octaves:
            if not seen:
                continue
            best, looked = self._searched_at(octave, summed(seen))
            finding = self._decode(best, seen, looked, look)
            more = _MORE.get(look)
            if more is not None and (finding is None or finding.message is None):
                finding = self._again(best, stretches, looked, more) or finding
            if finding is not None:
                return finding
        return None

    def _searched_at(self, octave: float, view: Picture) -> tuple[list[Trial], int]:
        """Return the best geometries of one working size, and how many are charged for."""
        trials = []
        for key, carrier in self._keys:
            trials += try_scales(view, key, carrier, upright(view, octave))
            found = [one.geometry for one in candidates(view, carrier, octave, _CANDIDATES)]
            # Turning is what costs; often two candidates share it.
            for _, alike in groupby(sorted(found, key=_frame), key=_frame):
                geometries = list(alike)
                there = upright_picture(view, geometries[0])
                # Magnitudes cannot tell a geometry from the same turned by 180 degrees.
                trials += try_both_ways(there, key, carrier, geometries)
        longest = 0
        trials.sort(key=lambda trial: -trial.lock.score)
        best = []
        for trial in trials[:_REFINED]:
            if trial.lock.score < _WORTH_REFINING:
                break
            better, climbed = refine(view, trial, 0.003)
            longest = max(longest, climbed)
            best.append(better)
        return best, _charged(len(trials), longest)

    def _again(
        self, trials: list[Trial], stretches: list[Stretch], looked: int, look: Look
    ) -> Finding | None:
        """Try geometries that a few stretches point to on all that the network can see.

        That is at the working size, where a large crop's waves are longer than usual and the
        network sees them best. The geometries were chosen by the same key in some of the same
        frames, so all that the choice was from is charged again.
        """
        trials = [trial for trial in trials if trial.lock.score >= _WORTH_ASKING]
        seen_already = look is Look.WIDE_MORE and len(stretches) <= _LEARNED_FIRST
        if not trials or seen_already:
            return None
        more = learned_parts(stretches, _LEARNED_STRETCHES)
        if not more:
            return None
        view = summed(more)
        again = [try_geometry(view, trial.key, trial.carrier, trial.geometry) for trial in trials]
        return self._decode(again, more, looked, look)

    def _decode(
        self, trials: list[Trial], parts: Parts, looked: int, look: Look, turn: int | None = None
    ) -> Finding | None:
        """Read the best trials of one look; return the first that is no chance match."""
        self.looked += looked
        share = share_of(self._searches, look, turn)
        ordered = sorted(trials, key=lambda trial: -trial.lock.score)[:_DECODED]
        worth = [trial for trial in ordered if trial.lock.score >= _WORTH_DECODING]
        whole = look in _WHOLE
        further = _further(trials, worth) if whole else []
        decodes = len(worth) + len(further)
        present = None
        for trial in (*worth, *further):
            finding = decode_trial(
                trial, looked, decodes, share, parts, whole=whole, stay=trial in further
            )
            if finding.message is not None:
                return finding
            if finding.p_value <= (PRESENT_BELOW if present is None else present.p_value):
                present = finding
        return present


def _charged(tried: int, climbed: int) -> int:
    """Return how many geometries a look is charged for that climbs from the best it tried.

    Where a climb goes is told by the pilot that it is judged by: what it visited is not all that it
    could have. So each geometry is charged for a climb, as any could have been climbed from;
    ``benchmarks/mark_climb.py`` measures what that is worth.

    Args:
        tried: Geometries and keys.
        climbed: How many the longest climb visited.
    """
    return tried * (1 + climbed)


def _frame(geometry: Geometry) -> tuple[bool, float]:
    """Return what of a geometry turns a picture."""
    return geometry.mirrored, geometry.rotation


def _further(trials: list[Trial], known: list[Trial]) -> list[Trial]:
    """Return further shifts of the upright picture, where a weak mark is likeliest to be.

    Its pilot seldom tells the right shift from the best of all wrong ones, but does from most.

    Args:
        trials: Trials of a picture that is not scaled.
        known: Those that are decoded anyway.
    """
    seen = {(trial.key.key_id, trial.geometry, trial.lock.shift) for trial in known}
    further = [
        replace(trial, lock=lock)
        for trial in trials
        if trial.geometry == UNSCALED[0]
        for lock in find_shifts(trial.spectrum, trial.carrier, _FURTHER + 1)
        if lock.score >= _WORTH_TRYING
        and (trial.key.key_id, trial.geometry, lock.shift) not in seen
    ]
    return sorted(further, key=lambda trial: -trial.lock.score)[:_FURTHER]
