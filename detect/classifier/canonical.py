"""The one canonical form, for training and for use: what a clip is before any feature sees it.

Frame rate, length, size, aspect, bars, corner logos and encoder settings tell real from synthetic
clips in every collection, and none of them is a trace of synthesis. Here they are made equal:
2-second windows at a fixed rate, bars trimmed, the centre kept, fixed square views, one re-encode.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import CODING, DecodedView, decode_view, encode_view
from vidigree.detect.classifier.geometry import (
    LARGEST_SHORT_SIDE,
    VIEW_SIZE,
    VIEWS,
    Box,
    bounded,
    centre_box,
    content_box,
    view,
)
from vidigree.detect.classifier.quality import Quality, is_blank, measure_quality
from vidigree.detect.classifier.sampling import SAMPLE_RATE, SampledFrame, SamplingClock
from vidigree.media.frame import Frame

__all__ = [
    "RECIPE",
    "RECIPE_ID",
    "SHORTEST_WINDOW",
    "SMALLEST_SIDE",
    "WINDOW_FRAMES",
    "CanonicalWindow",
    "WindowCutter",
    "canonical_windows",
    "make_window",
]

WINDOW_FRAMES = 16
"""Frames in a full window: two seconds."""

SHORTEST_WINDOW = 4
"""Fewest frames in the only window of a clip: half a second."""

SHORTEST_TAIL = 8
"""Fewest frames in a later window; a shorter rest is left out."""

_LEAST_BYTES = 1200
"""Fewest bytes of a window's canonical key frame (256 x 256 at CRF 23) with texture to judge."""

SMALLEST_SIDE = 64
"""Smallest short side of the kept centre, in source pixels. Below it nothing is left to see."""

RECIPE = (
    f"v1: nearest frame at {SAMPLE_RATE} Hz, windows of {WINDOW_FRAMES} frames, bars trimmed, "
    f"centre 0.8, at most {LARGEST_SHORT_SIDE} px, views {'+'.join(VIEWS)} of {VIEW_SIZE} px, "
    f"{CODING}"
)
"""The canonical form in words; weights belong to one recipe and refuse another."""

RECIPE_ID = hashlib.sha256(RECIPE.encode()).hexdigest()[:12]
"""Short name of RECIPE."""


@dataclass(frozen=True, kw_only=True)
class CanonicalWindow:
    """One window of a clip in canonical form.

    Attributes:
        start: Seconds from the first frame of the clip.
        end: Seconds from the first frame, exclusive.
        num_frames: Sampled frames, SHORTEST_WINDOW to WINDOW_FRAMES.
        repeated: Part of the sampled frames, in [0, 1], that repeat the one before.
        short_side: Short side of the kept centre in source pixels; a quality, never a feature.
        views: Name of the view to its H.264 access units.
        quality: What the source pixels were like; decides whether to answer, never a feature.
            ``None`` where the part was told, and for windows read from a cache.
        features: What feature groups have made of it, float32 by block, so that nobody makes it
            twice; begins empty.
    """

    start: float
    end: float
    num_frames: int
    repeated: float
    short_side: int
    views: Mapping[str, tuple[bytes, ...]]
    quality: Quality | None = None
    features: dict[object, NDArray[np.float32]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def has_detail(self) -> bool:
        """Whether there is texture to judge: neither flat nor blank nor compressed to nothing."""
        return len(next(iter(self.views.values()))[0]) >= _LEAST_BYTES

    def decode(self, kind: str) -> DecodedView:
        """Return one view as pixels and motion vectors."""
        return decode_view(self.views[kind], repeated=self.repeated)


class WindowCutter:
    """Cuts a clip into windows, frame by frame; holds at most one window of frames, two of blanks.

    Windows whose kept centre is smaller than SMALLEST_SIDE, and clips shorter than
    SHORTEST_WINDOW frames, yield nothing.

    Args:
        kinds: The views to make; fewer cost less.
        every: Make every n-th window only, the first always; for long clips.
    """

    def __init__(self, *, kinds: Sequence[str] = VIEWS, every: int = 1) -> None:
        self._kinds = kinds
        self._every = every
        self._clock = SamplingClock(wanted=lambda tick: tick // WINDOW_FRAMES % self._every == 0)
        self._samples: list[SampledFrame] = []
        self._blank_first: list[SampledFrame] = []

    def feed(self, frame: Frame) -> Iterator[CanonicalWindow]:
        """Take the next frame, in display order; yield the windows that are full with it."""
        for sample in self._clock.feed(frame):
            image = bounded(sample.image)
            self._samples.append(SampledFrame(image, tick=sample.tick, repeated=sample.repeated))
            if len(self._samples) == WINDOW_FRAMES:
                yield from self._made()

    def finish(self) -> Iterator[CanonicalWindow]:
        """Yield what is left, where it is long enough."""
        first = bool(self._samples) and self._samples[0].tick == 0
        if len(self._samples) >= (SHORTEST_WINDOW if first else SHORTEST_TAIL):
            yield from self._made()

    def halve(self) -> None:
        """Make half as many windows from here on: every second one of those that would be made."""
        self._every *= 2
        # A slow clip may have given the beginning of a window that is not wanted any more.
        self._samples = [
            sample for sample in self._samples if sample.tick // WINDOW_FRAMES % self._every == 0
        ]

    def past_blank(self) -> CanonicalWindow | None:
        """Cut the last window anew, from where a picture is that was blank at its beginning.

        A window has no detail where its first frame has none. In use that leaves nothing to judge
        of a short clip that begins black; clips trained on are cut from their first frame alone.

        Returns:
            The window, up to the end of the samples and of WINDOW_FRAMES; ``None`` where the last
            one did not begin blank, or less than SHORTEST_WINDOW samples are left.
        """
        if not self._blank_first:
            return None
        last = self._blank_first[-1].tick
        # Of long clips what lies between two windows is missing.
        rest = [sample for sample in self._samples if sample.tick <= last + WINDOW_FRAMES]
        both = [*self._blank_first, *rest]
        left = list(dropwhile(lambda sample: not _shows_detail(sample, self._kinds), both))
        if len(left) < SHORTEST_WINDOW:
            return None
        return make_window(left[:WINDOW_FRAMES], self._kinds)

    def _made(self) -> Iterator[CanonicalWindow]:
        samples, self._samples = self._samples, []
        self._blank_first = []
        if (window := make_window(samples, self._kinds)) is not None:
            if window.views and not window.has_detail and is_blank(samples[0].image):
                self._blank_first = samples
            yield window


def _shows_detail(sample: SampledFrame, kinds: Sequence[str]) -> bool:
    """Say whether a window that begins with this sample would have detail."""
    box = centre_box(content_box([sample.image]))
    window = make_window([sample], kinds[:1], box=box)
    return window is not None and window.has_detail


def canonical_windows(
    frames: Iterable[Frame], *, every: int = 1, kinds: Sequence[str] = VIEWS
) -> Iterator[CanonicalWindow]:
    """Yield the windows of a clip in order; see :class:`WindowCutter`.

    Args:
        frames: The clip's frames in display order.
        kinds: The views to make.
        every: Make every n-th window only.
    """
    cutter = WindowCutter(kinds=kinds, every=every)
    for frame in frames:
        yield from cutter.feed(frame)
    yield from cutter.finish()


def make_window(
    samples: Sequence[SampledFrame], kinds: Sequence[str], *, box: Box | None = None
) -> CanonicalWindow | None:
    """Bring successive samples into canonical form.

    Args:
        samples: SHORTEST_WINDOW to WINDOW_FRAMES samples of one shape.
        kinds: The views to make.
        box: The part of the picture to look at; ``None`` for the centre inside the bars.

    Returns:
        The window, or ``None`` where the part is smaller than SMALLEST_SIDE.
    """
    images = [sample.image for sample in samples]
    whole = box is None
    box = centre_box(content_box(images)) if box is None else box
    if box.short_side < SMALLEST_SIDE:
        return None
    return CanonicalWindow(
        start=samples[0].tick / SAMPLE_RATE,
        end=(samples[-1].tick + 1) / SAMPLE_RATE,
        num_frames=len(samples),
        repeated=sum(sample.repeated for sample in samples) / len(samples),
        short_side=box.short_side,
        views={kind: encode_view(view(image, box, kind) for image in images) for kind in kinds},
        quality=measure_quality([box.cut(image) for image in images]) if whole else None,
    )
