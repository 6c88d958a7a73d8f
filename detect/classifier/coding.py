"""The fixed re-encode: every view becomes a short H.264 stream of one recipe, held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.sampling import SAMPLE_RATE

__all__ = ["CODING", "DecodedView", "decode_view", "encode_view"]

CODING = "libx264 crf23 medium g16 bf0 scenecut0 yuv420p"
"""The recipe of the re-encode, part of the recipe id. B-frames are off so that every motion
vector points one frame back."""

_X264 = "keyint=16:min-keyint=16:scenecut=0:threads=1:log-level=none"


def encode_view(images: Iterable[NDArray[np.uint8]]) -> tuple[bytes, ...]:
    """Encode frames by the fixed recipe.

    Args:
        images: uint8 RGB frames of one even shape (H, W, 3).

    Returns:
        One H.264 access unit per frame.
    """
    encoder: Any = None
    units: list[bytes] = []
    for index, image in enumerate(images):
        if encoder is None:
            encoder = _encoder(width=image.shape[1], height=image.shape[0])
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = index
        units += [bytes(packet) for packet in encoder.encode(frame)]
    if encoder is not None:
        units += [bytes(packet) for packet in encoder.encode(None)]
    return tuple(units)


def _encoder(*, width: int, height: int) -> Any:
    encoder = cast("Any", av.CodecContext.create("libx264", "w"))
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate = Fraction(SAMPLE_RATE)
    encoder.time_base = 1 / Fraction(SAMPLE_RATE)
    encoder.gop_size, encoder.max_b_frames, encoder.thread_count = 16, 0, 1
    encoder.options = {"crf": "23", "preset": "medium", "x264-params": _X264}
    return encoder


@dataclass(frozen=True)
class DecodedView:
    """What the features look at: pixels and motion vectors after the fixed re-encode.

    Attributes:
        luma: float32 (F, H, W) in [0, 255].
        chroma: float32 (2, F, H / 2, W / 2) in [0, 255], Cb then Cr.
        motion: Per frame float32 (blocks, 5): width, height, centre x and y in pixels, then the
            vector's x and y in quarter pixels; six columns. Empty on the key frame.
        sizes: Bytes of each access unit, int64 (F,).
        repeated: Part of the frames, in [0, 1], that repeat the one before because the source is
            slower than the sampling clock.
        shared: What feature groups make of it and others need too, by name; begins empty.
    """

    luma: NDArray[np.float32]
    chroma: NDArray[np.float32]
    motion: tuple[NDArray[np.float32], ...]
    sizes: NDArray[np.int64]
    repeated: float
    shared: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def steady(self) -> bool:
        """Whether temporal statistics mean anything: enough frames, hardly any repeated."""
        return len(self.luma) >= 4 and self.repeated <= 0.13


def decode_view(units: Sequence[bytes], *, repeated: float = 0.0) -> DecodedView:
    """Decode what :func:`encode_view` made.

    Args:
        units: H.264 access units.
        repeated: See DecodedView.
    """
    decoder = cast("Any", av.CodecContext.create("h264", "r"))
    decoder.thread_count = 1
    decoder.options = {"flags2": "+export_mvs"}
    frames: list[Any] = []
    for unit in units:
        frames += decoder.decode(av.Packet(unit))
    frames += decoder.decode(None)
    planes = [_planes(frame) for frame in frames]
    return DecodedView(
        luma=np.stack([plane[0] for plane in planes]),
        chroma=np.stack([[plane[1] for plane in planes], [plane[2] for plane in planes]]),
        motion=tuple(_motion(frame) for frame in frames),
        sizes=np.array([len(unit) for unit in units], dtype=np.int64),
        repeated=repeated,
    )


def _planes(frame: Any) -> list[NDArray[np.float32]]:
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, dtype=np.uint8).reshape(plane.height, plane.line_size)
        planes.append(rows[:, : plane.width].astype(np.float32))
    return planes


def _motion(frame: Any) -> NDArray[np.float32]:
    data = frame.side_data.get("MOTION_VECTORS")
    if data is None:
        return np.zeros((0, 6), np.float32)
    vectors = data.to_ndarray()
    names = ("w", "h", "dst_x", "dst_y", "motion_x", "motion_y")
    return np.stack([vectors[name].astype(np.float32) for name in names], axis=1)
