"""The attack list, as data: name, group, and what is done, in one place.

Ratios are per edge. Groups are the rows of the report. Every attack gets a generator seeded by
the clip and the attack, so that a run can be repeated and resumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.bench import codecs as c
from vidigree.watermark.bench import distortions as d

__all__ = ["ATTACKS", "Attack"]

Frames = list[NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One attack.

    Attributes:
        name: Unique name, as the report shows it.
        group: Heading in the report.
        goal: Share of messages to be recovered from clips with a short side of 480 and more;
            ``None`` where none is set.
        small_goal: The same for short sides of 256 to 479.
        core: Whether the short list has it.
        apply: What is done.
    """

    name: str
    group: str
    apply: Callable[[Frames, Fraction, np.random.Generator], Frames]
    goal: float | None = None
    small_goal: float | None = None
    core: bool = False


def _platform(frames: Frames, fps: Fraction) -> Frames:
    height, width = frames[0].shape[:2]
    small = c.coded(d.resized(frames, 0.5, 0.5), "libx264", 28, fps)
    rows, columns = small[0].shape[:2]
    return d.resized(small, width / columns, height / rows)


def _codec(encoder: str, crf: int) -> Callable[[Frames, Fraction, np.random.Generator], Frames]:
    return lambda f, fps, _: c.coded(f, encoder, crf, fps)


def _chain(crf: int) -> Callable[[Frames, Fraction, np.random.Generator], Frames]:
    return lambda f, fps, r: d.brightened(d.cropped(c.coded(f, "libx264", crf, fps), 0.71, r), 0.5)


def _second_half(crf: int) -> Callable[[Frames, Fraction, np.random.Generator], Frames]:
    return lambda f, fps, _: c.coded(f[len(f) // 2 :], "libx264", crf, fps)


def _row(
    name: str,
    group: str,
    goals: tuple[float | None, float | None],
    apply: Callable[[Frames, Fraction, np.random.Generator], Frames],
    core: bool = False,
) -> Attack:
    return Attack(
        name=name, group=group, apply=apply, goal=goals[0], small_goal=goals[1], core=core
    )


ATTACKS: tuple[Attack, ...] = (
    _row("none", "pixels", (1.0, 0.99), lambda f, _t, _r: f, core=True),
    _row("JPEG 40", "pixels", (1.0, 0.99), lambda f, _t, _r: d.jpeg(f, 40), core=True),
    _row("grayscale", "pixels", (1.0, 0.99), lambda f, _t, _r: d.grayscale(f)),
    _row("hue .25", "pixels", (1.0, 0.99), lambda f, _t, _r: d.hue_turned(f, 0.25)),
    _row("saturation .5", "pixels", (1.0, 0.99), lambda f, _t, _r: d.saturated(f, 0.5)),
    _row("saturation 1.5", "pixels", (1.0, 0.99), lambda f, _t, _r: d.saturated(f, 1.5)),
    _row("contrast .5", "pixels", (1.0, 0.99), lambda f, _t, _r: d.contrasted(f, 0.5)),
    _row("contrast 1.5", "pixels", (1.0, 0.99), lambda f, _t, _r: d.contrasted(f, 1.5)),
    _row("brightness .5", "pixels", (1.0, 0.99), lambda f, _t, _r: d.brightened(f, 0.5), core=True),
    _row("brightness 1.5", "pixels", (1.0, 0.99), lambda f, _t, _r: d.brightened(f, 1.5)),
    _row("blur k9", "pixels", (1.0, 0.99), lambda f, _t, _r: d.blurred(f, 9), core=True),
    _row("median k9", "pixels", (1.0, 0.99), lambda f, _t, _r: d.median_filtered(f, 9)),
    _row("noise .05", "pixels", (1.0, 0.99), lambda f, _t, r: d.noisy(f, 0.05, r)),
    _row("H.264 CRF 23", "codecs", (1.0, 0.97), _codec("libx264", 23), core=True),
    _row("H.264 CRF 28", "codecs", (1.0, 0.97), _codec("libx264", 28), core=True),
    _row("H.264 CRF 30", "codecs", (0.99, 0.85), _codec("libx264", 30), core=True),
    _row("H.264 CRF 36", "codecs", (0.95, 0.5), _codec("libx264", 36)),
    _row("H.264 CRF 40", "codecs", (0.8, None), _codec("libx264", 40), core=True),
    _row("H.264 CRF 50", "codecs", (0.2, None), _codec("libx264", 50)),
    _row("H.265 CRF 28", "codecs", (1.0, 0.97), _codec("libx265", 28)),
    _row("H.265 CRF 30", "codecs", (0.99, 0.85), _codec("libx265", 30)),
    _row("H.265 CRF 36", "codecs", (0.95, 0.5), _codec("libx265", 36)),
    _row("H.265 CRF 40", "codecs", (0.8, None), _codec("libx265", 40)),
    _row("VP9 CRF 33", "codecs", (1.0, 0.97), _codec("libvpx-vp9", 33)),
    _row("AV1 CRF 35", "codecs", (1.0, 0.97), _codec("libsvtav1", 35)),
    _row("AV1 CRF 45", "codecs", (0.95, 0.5), _codec("libsvtav1", 45)),
    _row("AV1 CRF 50", "codecs", (0.8, None), _codec("libsvtav1", 50)),
    _row("resize .25", "geometry", (0.95, None), lambda f, _t, _r: d.resized(f, 0.25, 0.25)),
    _row(
        "resize .55", "geometry", (1.0, 0.95), lambda f, _t, _r: d.resized(f, 0.55, 0.55), core=True
    ),
    _row("resize .71", "geometry", (1.0, 0.95), lambda f, _t, _r: d.resized(f, 0.71, 0.71)),
    _row("resize 1.5", "geometry", (1.0, 0.95), lambda f, _t, _r: d.resized(f, 1.5, 1.5)),
    _row("squeeze 1.0 x .8", "geometry", (1.0, 0.95), lambda f, _t, _r: d.resized(f, 1.0, 0.8)),
    _row("crop .71", "geometry", (1.0, 0.95), lambda f, _t, r: d.cropped(f, 0.71, r), core=True),
    _row("crop .55", "geometry", (0.99, 0.85), lambda f, _t, r: d.cropped(f, 0.55, r), core=True),
    _row("crop .32", "geometry", (0.9, None), lambda f, _t, r: d.cropped(f, 0.32, r)),
    _row("rotate 2", "geometry", (0.99, 0.9), lambda f, _t, _r: d.rotated(f, 2)),
    _row("rotate 10", "geometry", (0.99, 0.9), lambda f, _t, _r: d.rotated(f, 10), core=True),
    _row("rotate 30", "geometry", (0.9, 0.9), lambda f, _t, _r: d.rotated(f, 30)),
    _row("rotate 90", "geometry", (0.99, 0.9), lambda f, _t, _r: d.rotated(f, 90)),
    _row("rotate 180", "geometry", (0.99, 0.9), lambda f, _t, _r: d.rotated(f, 180)),
    _row("mirror", "geometry", (0.99, 0.9), lambda f, _t, _r: d.mirrored(f), core=True),
    _row("perspective .5", "geometry", (0.9, 0.9), lambda f, _t, r: d.perspective(f, 0.5, r)),
    _row("CRF 23 + crop .71 + half bright", "chains", (1.0, 0.85), _chain(23), core=True),
    _row("CRF 30 + crop .71 + half bright", "chains", (0.95, 0.6), _chain(30)),
    _row("CRF 40 + crop .71 + half bright", "chains", (0.65, None), _chain(40)),
    _row(
        "half size + CRF 28, upscaled back",
        "chains",
        (0.97, 0.6),
        lambda f, t, _r: _platform(f, t),
        core=True,
    ),
    _row("letterbox", "chains", (0.99, 0.95), lambda f, _t, _r: d.letterboxed(f)),
    _row(
        "picture in picture .5",
        "chains",
        (0.99, 0.95),
        lambda f, _t, r: d.picture_in_picture(f, 0.5, r),
    ),
    _row("logo overlay", "chains", (0.99, 0.95), lambda f, _t, _r: d.stamped_with_logo(f)),
    _row(
        "10 % border cut + subtitle band",
        "chains",
        (0.99, 0.95),
        lambda f, _t, _r: d.bordered_and_subtitled(f),
    ),
    _row(
        "screen filmed + CRF 26",
        "chains",
        (0.75, None),
        lambda f, t, r: c.coded(d.filmed_off_a_screen(f, r), "libx264", 26, t),
    ),
    _row("24 to 15 fps", "time", (0.99, 0.97), lambda f, _t, _r: c.resampled(f, 24, 15)),
    _row("24 to 30 fps", "time", (0.99, 0.97), lambda f, _t, _r: c.resampled(f, 24, 30)),
    _row("every 2nd frame dropped", "time", (0.99, 0.97), lambda f, _t, _r: f[::2]),
    _row("10 % of frames dropped", "time", (0.99, 0.97), lambda f, _t, r: c.dropped(f, 0.1, r)),
    _row("10 % of frames swapped", "time", (0.99, 0.97), lambda f, _t, r: c.swapped(f, 0.1, r)),
    _row("averaged by 3", "time", (0.99, 0.97), lambda f, _t, _r: c.averaged(f, 3)),
    _row("reversed", "time", (0.99, 0.97), lambda f, _t, _r: f[::-1]),
    _row("trimmed to 1 s", "time", (0.99, 0.97), lambda f, t, r: c.trimmed(f, 1.0, t, r)),
    # The frame of a scene that is marked most is gone before the encoder sees it.
    _row("first half cut + CRF 30", "time", (None, None), _second_half(30)),
    _row("first half cut + CRF 36", "time", (None, None), _second_half(36)),
    _row("speed x1.25", "time", (0.99, 0.97), lambda f, _t, _r: c.resampled(f, 1.25, 1.0)),
    _row("one frame, PNG", "time", (0.95, 0.85), lambda f, _t, _r: [f[len(f) // 2]], core=True),
    _row("one frame, JPEG 70", "time", (0.85, 0.6), lambda f, _t, _r: d.jpeg([f[len(f) // 2]], 70)),
    _row("bilateral denoising", "removal", (None, None), lambda f, _t, _r: d.denoised(f)),
    _row("blur k17", "removal", (None, None), lambda f, _t, _r: d.blurred(f, 17)),
)
