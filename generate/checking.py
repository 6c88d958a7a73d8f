"""Looks at a finished clip and says whether it holds what the prompt named.

Only what a simple reader can see is checked: colours, numbers of things of one colour, whether
they move to the left or right, and whether they stand to the left or right of another colour; and,
with a tracker, the things that it knows. What could not be told of these is reported as not
checked, never as fine. Things without a colour, other motions, grounds and skies are not mentioned,
so ``holds`` covers only what is listed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.generate.claim import Claim, side_of
from vidigree.generate.engines.render.grammar import read_prompt
from vidigree.generate.engines.render.looks import pattern_of
from vidigree.generate.engines.render.reading import ObjectPhrase, PromptReading, Relation
from vidigree.generate.engines.render.staging import settled
from vidigree.generate.engines.render.vocabulary import denials, listed
from vidigree.generate.tracking import Tracker, track_claims
from vidigree.media.arguments import check_kind, path_of
from vidigree.media.output import output_file
from vidigree.media.reading import open_video

__all__ = ["CheckReport", "Claim", "check_clip", "check_path", "read_check", "write_check"]

# Hue in OpenCV's half degrees of colours that lie apart from each other, and how far they reach.
_HUES: Final = {
    "red": (0, 7),
    "orange": (13, 5),
    "yellow": (25, 6),
    "green": (62, 16),
    "blue": (115, 10),
    "purple": (137, 9),
    "magenta": (161, 8),
}
# Grounds and skies that hide a colour from a reader that only sees colours.
_HIDDEN_BY: Final = {
    "wood": {"orange", "yellow", "red"},
    "grass": {"green", "yellow"},
    "sand": {"orange", "yellow"},
    "carpet": {"red"},
    "sunset": {"orange", "yellow", "red"},
    "day": {"blue"},
    "morning": {"blue"},
    "cloudy": {"blue"},
    "night": {"blue"},
}
# Places that colours do not tell.
_UNSEEN_PLACES: Final = {
    "behind": "colours do not tell how far away things are",
    "beside": "colours do not tell how near things are to each other",
    "front": "colours do not tell how far away things are",
}
_LEAST_SATURATION, _LEAST_VALUE = 120, 45
_LEAST_AREA: Final = 4e-4
_LEAST_SHIFT: Final = 0.03
_MOST_FRAMES: Final = 240


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """Claims of a prompt held against a clip.

    Attributes:
        path: The clip.
        claims: In the order of the prompt, places beside others after the things.
    """

    path: Path
    claims: tuple[Claim, ...]

    @property
    def holds(self) -> bool | None:
        """Whether all checked claims hold; ``None`` if nothing could be checked."""
        answers = [claim.holds for claim in self.claims if claim.holds is not None]
        return all(answers) if answers else None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "path": str(self.path),
            "holds": self.holds,
            "claims": [asdict(claim) for claim in self.claims],
        }

    def summary(self) -> str:
        """Return the report as text, a line a claim."""
        signs = {True: "yes", False: "NO", None: "not checked"}
        return "\n".join(
            f"  check        {claim.expected}: {signs[claim.holds]}"
            + (f" ({claim.found or claim.reason})" if claim.found or claim.reason else "")
            for claim in self.claims
        )


def check_clip(path: Path | str, prompt: str, *, tracker: Tracker | None = None) -> CheckReport:
    """Hold a clip against its prompt.

    Args:
        path: The clip; its first 240 frames are looked at.
        prompt: What it should show.
        tracker: Asked for the things that it knows, beside the reader of colours.

    Raises:
        MediaError: The clip cannot be read.
        UsageError: Something is of another kind.
    """
    path = path_of(path, "clip")
    check_kind(prompt, str, "the prompt")
    reading = read_prompt(prompt)
    seen = _look(path)
    claims = [claim for phrase in reading.objects for claim in _claims(phrase, reading, seen)]
    claims += [_place_claim(relation, reading, seen) for relation in reading.relations]
    if tracker is not None:
        claims += track_claims(path, prompt, tracker)
    if denied := denials(reading.unknown):
        # Of "no red ball", a red ball in the clip is no claim that holds.
        reason = f"the prompt says {listed(denied)}"
        claims = [replace(claim, found="", holds=None, reason=reason) for claim in claims]
    return CheckReport(path=path, claims=tuple(claims))


def check_path(clip: Path) -> Path:
    """Return where the answer about a clip is kept: ``NAME.check.json`` beside it."""
    return clip.with_suffix(".check.json")


def write_check(report: CheckReport) -> Path:
    """Write the report beside its clip, as ``NAME.check.json``, and return the path."""
    target = check_path(report.path)
    with output_file(target, overwrite=True) as temporary:
        temporary.write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
    return target


def read_check(clip: Path) -> dict[str, Any] | None:
    """Return what :func:`write_check` kept of a clip, or ``None`` where there is no such answer."""
    try:
        kept = json.loads(check_path(clip).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # to be checked anew
        return None
    return kept if isinstance(kept, dict) and "claims" in kept else None


@dataclass(frozen=True)
class _Sight:
    """What one frame shows of one colour.

    Attributes:
        blobs: Number of separate areas.
        area: Share of the picture.
        x: Middle of them, 0 left to 1 right; ``nan`` if there is none.
    """

    blobs: int
    area: float
    x: float


def _look(path: Path) -> dict[str, list[_Sight]]:
    seen: dict[str, list[_Sight]] = {colour: [] for colour in _HUES}
    with open_video(path) as video:
        for number, image in enumerate(video.images()):
            if number == _MOST_FRAMES:
                break
            hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
            for colour in _HUES:
                seen[colour].append(_sight(hsv, colour))
    return seen


def _sight(hsv: NDArray[Any], colour: str) -> _Sight:
    hue, reach = _HUES[colour]
    away = np.abs(hsv[..., 0].astype(np.int16) - hue)
    near = np.minimum(away, 180 - away) <= reach
    mask = near & (hsv[..., 1] > _LEAST_SATURATION) & (hsv[..., 2] > _LEAST_VALUE)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, _, stats, centres = cv2.connectedComponentsWithStats(opened)
    areas = stats[1:count, cv2.CC_STAT_AREA] / mask.size
    keep = areas > max(_LEAST_AREA, 0.12 * areas.max(initial=0.0))
    if not keep.any():
        return _Sight(0, 0.0, float("nan"))
    middle = np.average(centres[1:count, 0][keep], weights=areas[keep]) / mask.shape[1]
    return _Sight(int(keep.sum()), float(areas[keep].sum()), float(middle))


def _claims(
    phrase: ObjectPhrase, reading: PromptReading, seen: dict[str, list[_Sight]]
) -> list[Claim]:
    colour = phrase.colour
    if colour is None:
        return []
    label = f"{colour} {phrase.shape}"
    asked = _wanted_direction(phrase, label)
    reason = _why_not(phrase, reading)
    if reason:
        untold = [Claim(about="colour", expected=label, reason=reason)]
        if phrase.count is not None:
            expected = _wanted_count(phrase.count, label)
            untold.append(Claim(about="count", expected=expected, reason=reason))
        if asked:
            untold.append(Claim(about="direction", expected=asked, reason=reason))
        return untold
    sights = seen[colour]
    shown = [sight for sight in sights if sight.blobs]
    share = len(shown) / max(len(sights), 1)
    claims = [
        Claim(
            about="colour",
            expected=label,
            found=f"in {100 * share:.0f} % of the frames",
            holds=share > 0.5,
        )
    ]
    claims.append(_count_claim(phrase, reading, label, shown))
    if asked:
        claims.append(_direction_claim(phrase, reading, asked, shown))
    return claims


def _wanted_count(count: int, label: str) -> str:
    return f"{count} {label}{'s' if count > 1 else ''}"


def _wanted_direction(phrase: ObjectPhrase, label: str) -> str:
    """Return what the prompt says of left and right; empty if nothing."""
    sideways = phrase.direction in ("left", "right")
    return f"{label} moves {phrase.direction}" if sideways else ""


def _why_not(phrase: ObjectPhrase, reading: PromptReading) -> str:
    if phrase.colour not in _HUES:
        return "this colour cannot be told from others"
    for place in (reading.ground, reading.sky):
        if place and phrase.colour in _HIDDEN_BY.get(place, ()):
            return f"{place} has the same colour"
    if pattern_of(phrase) != "plain" or reading.ground_colour == phrase.colour:
        return "its colour is not alone"
    return ""


def _has_twin(phrase: ObjectPhrase, reading: PromptReading) -> bool:
    """Return whether the prompt names something else of the same colour."""
    return sum(other.colour == phrase.colour for other in reading.objects) > 1


def _count_claim(
    phrase: ObjectPhrase, reading: PromptReading, label: str, shown: list[_Sight]
) -> Claim:
    expected = f"number of {label}s"
    if _has_twin(phrase, reading) or phrase.count is None or not shown:
        reason = "the prompt does not say" if phrase.count is None else "not told apart"
        return Claim(about="count", expected=expected, reason=reason)
    # Things hide each other in some frames, never the other way round.
    found = round(float(np.percentile([sight.blobs for sight in shown], 90)))
    return Claim(
        about="count",
        expected=_wanted_count(phrase.count, label),
        found=f"{found} seen",
        holds=found == phrase.count,
    )


def _direction_claim(
    phrase: ObjectPhrase, reading: PromptReading, expected: str, shown: list[_Sight]
) -> Claim:
    reason = ""
    if reading.camera:
        reason = "the camera moves as well"
    elif _has_twin(phrase, reading):
        reason = "not told apart"
    elif len(shown) < 3:
        reason = "seen too briefly"
    if reason:
        return Claim(about="direction", expected=expected, reason=reason)
    third = max(len(shown) // 3, 1)
    before = float(np.mean([sight.x for sight in shown[:third]]))
    after = float(np.mean([sight.x for sight in shown[-third:]]))
    shift = after - before
    went = side_of(shift, _LEAST_SHIFT, otherwise="nowhere")
    return Claim(
        about="direction",
        expected=expected,
        found=f"went {went}, {100 * abs(shift):.0f} % of the width",
        holds=went == phrase.direction,
    )


def _place_claim(
    relation: Relation, reading: PromptReading, seen: dict[str, list[_Sight]]
) -> Claim:
    """Compare where two colours are on average in the first third of the frames."""
    one, other = (
        reading.objects[numbers[0]] for numbers in (relation.subjects, relation.references)
    )
    names = [f"{phrase.colour or ''} {phrase.shape}".strip() for phrase in (one, other)]
    expected = f"{names[0]} {relation.words} {names[1]}"
    reason = _why_no_place(relation, reading)
    if reason:
        return Claim(about="place", expected=expected, reason=reason)
    middles = []
    for phrase in (one, other):
        sights = seen[str(phrase.colour)]
        first = sights[: max(len(sights) // 3, 1)]
        middles.append(float(np.mean([sight.x for sight in first if sight.blobs] or [np.nan])))
    apart = middles[0] - middles[1]
    if np.isnan(apart):
        return Claim(about="place", expected=expected, reason="not both seen at first")
    side = side_of(apart, _LEAST_SHIFT, otherwise="neither side")
    return Claim(
        about="place",
        expected=expected,
        found=f"{side}, {100 * abs(apart):.0f} % of the width apart",
        holds=side == relation.side,
    )


def _why_no_place(relation: Relation, reading: PromptReading) -> str:
    if relation.side in _UNSEEN_PLACES:
        return _UNSEEN_PLACES[relation.side]
    if relation not in settled(reading)[1]:
        return "what moves across does not stay there"
    for numbers in (relation.subjects, relation.references):
        phrase = reading.objects[numbers[0]]
        why = _why_not(phrase, reading) if phrase.colour else "the prompt does not say both colours"
        alike = [k for k, each in enumerate(reading.objects) if each.colour == phrase.colour]
        if why or set(alike) != set(numbers):
            return why or "not told apart"
    return ""
