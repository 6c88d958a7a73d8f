"""What happens to clips on the way: re-encoding, scaling, platforms. Same draws for both classes.

Laundering is applied to the source frames, before canonicalisation, as it happens in the world.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.sampling import nearest_frames
from vidigree.detect.classifier.surrogates import UPSAMPLERS, resynthesised
from vidigree.media.frame import Frame

__all__ = [
    "ALIGNED",
    "ALIGNED_PREFIX",
    "DRAWN",
    "DRAW_PREFIX",
    "LAUNDERINGS",
    "Encode",
    "Laundering",
    "draw_aligned",
    "draw_laundering",
    "launder",
]


@dataclass(frozen=True)
class Encode:
    """One pass through a lossy encoder.

    Attributes:
        codec: FFmpeg encoder name.
        crf: Constant rate factor of that encoder; higher is worse.
    """

    codec: str
    crf: int


@dataclass(frozen=True, kw_only=True)
class Laundering:
    """A chain of alterations, applied in the order of the fields.

    Attributes:
        name: Short name for tables.
        rate: Frames per second the clip is brought to by repeating and dropping; 0 for as it is.
        scale: Size relative to the source, in (0, 1].
        blur: Standard deviation of a Gaussian blur in pixels; 0 for none.
        noise: Standard deviation of added Gaussian noise in levels of 0-255; 0 for none.
        gain: Factor on all levels; 1 for none.
        logo: Whether a bright block is pasted near a corner.
        upsampler: Surrogate of a generator's last layers the frames go through after all these,
            one of UPSAMPLERS; empty for none.
        encodes: Encoders the clip passes through, in order.
        seed: Seed of the noise and of the logo's place.
    """

    name: str
    rate: int = 0
    scale: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    gain: float = 1.0
    logo: bool = False
    upsampler: str = ""
    encodes: tuple[Encode, ...] = ()
    seed: int = 0


LAUNDERINGS = {
    row.name: row
    for row in (
        Laundering(name="none"),
        Laundering(name="crf28", encodes=(Encode("libx264", 28),)),
        Laundering(name="crf35", encodes=(Encode("libx264", 35),)),
        Laundering(name="half", scale=0.5, encodes=(Encode("libx264", 23),)),
        Laundering(name="double", encodes=(Encode("libx264", 26), Encode("libx264", 30))),
        Laundering(name="h265", encodes=(Encode("libx265", 30),)),
        Laundering(
            name="social", scale=0.7, encodes=(Encode("libx264", 28), Encode("libx264", 30))
        ),
    )
}
"""The rows of the table of launderings, each reported by ``evaluate``."""

DRAW_PREFIX, ALIGNED_PREFIX = "draw-", "aligned-"
"""With a number N after it: a clip's Nth random draw, and that draw with a surrogate upsampler."""

DRAWN, ALIGNED = f"{DRAW_PREFIX}0", f"{ALIGNED_PREFIX}0"
"""The first draw of each clip, one more row of that table, and the other half of its pair."""


def draw_laundering(seed: str) -> Laundering:
    """Draw a random laundering; nothing but the seed decides, so both classes get the same draws.

    Args:
        seed: Any text, for instance the clip's hash and the number of the draw.
    """
    rng = random.Random(seed)  # noqa: S311 - augmentation, not cryptography
    passes = 2 if rng.random() < 0.25 else 1
    encodes = tuple(
        Encode("libx265", rng.randint(22, 34))
        if rng.random() < 0.12
        else Encode("libx264", rng.randint(18, 38))
        for _ in range(passes)
    )
    return Laundering(
        name="draw",
        rate=rng.choice((12, 15, 16, 24, 25, 30)) if rng.random() < 0.4 else 0,
        scale=rng.choice((1.0, 1.0, rng.uniform(0.4, 1.0))),
        blur=rng.uniform(0.3, 0.8) if rng.random() < 0.15 else 0.0,
        noise=rng.uniform(1.0, 4.0) if rng.random() < 0.15 else 0.0,
        gain=rng.uniform(0.75, 1.1) if rng.random() < 0.2 else 1.0,
        logo=rng.random() < 0.2,
        encodes=encodes,
        seed=rng.randrange(2**31),
    )


def draw_aligned(seed: str) -> Laundering:
    """Draw the synthetic half of an aligned pair; the other half is ``draw_laundering(seed)``."""
    upsampler = random.Random(f"{seed} upsampler").choice(UPSAMPLERS)  # noqa: S311 - as above
    return replace(draw_laundering(seed), upsampler=upsampler)


def launder(frames: Iterable[Frame], laundering: Laundering, *, fps: Fraction) -> Iterator[Frame]:
    """Yield the frames as they come out of the chain: same number and times unless ``rate`` is set.

    Args:
        frames: The clip, in display order, all of one shape.
        laundering: What to do.
        fps: Frames per second, for the encoders' rate control.
    """
    if laundering.rate:
        fps = Fraction(laundering.rate)
        frames = _retimed(frames, fps)
    altered: Iterable[Frame] = _altered(frames, laundering)
    for encode in laundering.encodes:
        altered = _encoded(altered, encode, fps=fps)
    yield from altered


def _retimed(frames: Iterable[Frame], fps: Fraction) -> Iterator[Frame]:
    for sample in nearest_frames(frames, fps):
        yield Frame(image=sample.image, time=sample.tick / fps)


def _altered(frames: Iterable[Frame], laundering: Laundering) -> Iterator[Frame]:
    rng = np.random.default_rng(laundering.seed)
    corner = rng.integers(4)
    for frame in frames:
        image = _even(_scaled(frame.image, laundering.scale))
        if laundering.blur:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), laundering.blur), dtype=np.uint8)
        if laundering.noise or laundering.gain != 1.0:
            levels = image * np.float32(laundering.gain)
            if laundering.noise:
                levels += rng.normal(0, laundering.noise, image.shape).astype(np.float32)
            image = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        if laundering.logo:
            image = _with_logo(image, int(corner))
        if laundering.upsampler:
            image = resynthesised(image, laundering.upsampler)
        yield Frame(image=image, time=frame.time)


def _scaled(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1.0:
        return image
    # Small clips are not scaled into nothing: no short side under 96 pixels.
    height, width = image.shape[:2]
    scale = min(1.0, max(scale, 96 / min(height, width)))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    return np.ascontiguousarray(image[: height - height % 2, : width - width % 2])


def _with_logo(image: NDArray[np.uint8], corner: int) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    rows, columns = max(4, height // 16), max(8, width // 6)
    margin = max(2, height // 40)
    top = margin if corner < 2 else height - margin - rows
    left = margin if corner % 2 == 0 else width - margin - columns
    marked = image.copy()
    marked[top : top + rows, left : left + columns] = 230
    return marked


def _encoded(frames: Iterable[Frame], encode: Encode, *, fps: Fraction) -> Iterator[Frame]:
    encoder: Any = None
    decoder = cast("Any", av.CodecContext.create("hevc" if "265" in encode.codec else "h264", "r"))
    decoder.thread_count = 1
    times: deque[Fraction] = deque()
    for index, frame in enumerate(frames):
        if encoder is None:
            encoder = _encoder(encode, frame.image, fps)
        times.append(frame.time)
        picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
        picture.pts = index
        for packet in encoder.encode(picture):
            yield from _shown(decoder.decode(av.Packet(bytes(packet))), times)
    if encoder is None:
        return
    for packet in encoder.encode(None):
        yield from _shown(decoder.decode(av.Packet(bytes(packet))), times)
    yield from _shown(decoder.decode(None), times)


def _shown(pictures: list[Any], times: deque[Fraction]) -> Iterator[Frame]:
    for picture in pictures:
        yield Frame(image=picture.to_ndarray(format="rgb24"), time=times.popleft())


def _encoder(encode: Encode, image: NDArray[np.uint8], fps: Fraction) -> Any:
    encoder = cast("Any", av.CodecContext.create(encode.codec, "w"))
    encoder.width, encoder.height = image.shape[1], image.shape[0]
    encoder.pix_fmt, encoder.thread_count = "yuv420p", 1
    encoder.framerate, encoder.time_base = fps, 1 / fps
    quiet = {"libx264": "x264-params", "libx265": "x265-params"}[encode.codec]
    encoder.options = {"crf": str(encode.crf), "preset": "veryfast", quiet: "log-level=none"}
    if encode.codec == "libx265":
        encoder.options = {**encoder.options, "preset": "ultrafast"}
    return encoder
