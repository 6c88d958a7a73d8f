"""One decoded frame: its picture is converted when somebody asks for it, and never twice.

Converting a frame to RGB costs about as much as decoding it, and most readers want less: a mark and
a fingerprint want luma, a classifier every third frame.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from vidigree.media.colour import shown_as_bt709
from vidigree.media.errors import UnsupportedMediaError

if TYPE_CHECKING:
    import av

    from vidigree.media.orientation import Orientation

__all__ = ["MOST_PIXELS", "DecodedFrame", "Frame"]

MOST_PIXELS = 8192 * 4320
"""Pixels of the largest picture that is stamped, and that is audited unless settings say else."""

_LUMA_FIRST = frozenset(
    {
        *("gray", "nv12", "nv16", "nv21", "nv24", "yuva420p", "yuva422p", "yuva444p"),
        *(f"yuv{kind}p" for kind in (410, 411, 420, 422, 440, 444)),
        *(f"yuvj{kind}p" for kind in (411, 420, 422, 440, 444)),
    }
)
"""Pixel formats whose first plane is luma of 8 bits."""

_FULL_RANGE = 2  # FFmpeg's AVCOL_RANGE_JPEG
_BLACK, _LEVELS = 16, 219  # of limited range (ITU-R BT.601, section 2.5.1)


class Frame:
    """One frame of a clip.

    Args:
        image: uint8 RGB of shape (height, width, 3), upright.
        time: Presentation time in seconds from the start of the clip.

    Attributes:
        time: Presentation time in seconds from the start of the clip.
    """

    def __init__(self, *, image: NDArray[np.uint8] | None, time: Fraction) -> None:
        self.time = time
        self._image = image
        self._luma: NDArray[np.uint8] | None = None

    @property
    def image(self) -> NDArray[np.uint8]:
        """The picture, uint8 RGB of shape (height, width, 3), upright.

        Raises:
            UnsupportedMediaError: It cannot be converted to RGB.
        """
        if self._image is None:
            self._image = self._convert()
        return self._image

    @property
    def luma(self) -> NDArray[np.uint8]:
        """The luma, uint8 of shape (height, width), full range, upright.

        Of a decoded frame it is what the codec kept, without a way through RGB; of an RGB picture
        the sum of ITU-R BT.601.

        Raises:
            UnsupportedMediaError: It cannot be converted.
        """
        if self._luma is None:
            self._luma = self._read_luma()
        return self._luma

    def _convert(self) -> NDArray[np.uint8]:
        raise NotImplementedError

    def _read_luma(self) -> NDArray[np.uint8]:
        import cv2

        return np.asarray(cv2.cvtColor(self.image, cv2.COLOR_RGB2GRAY), np.uint8)


class DecodedFrame(Frame):
    """A frame as it came out of a decoder.

    Args:
        decoded: The decoder's frame; it is kept.
        orientation: How to set it upright.
        time: Presentation time in seconds from the start of the clip.
        name: The file, for messages.
        as_shown: See :func:`vidigree.media.reading.open_video`.
    """

    def __init__(
        self,
        decoded: av.VideoFrame,
        *,
        orientation: Orientation,
        time: Fraction,
        name: str,
        as_shown: bool = False,
    ) -> None:
        super().__init__(image=None, time=time)
        self._decoded = decoded
        self._orientation = orientation
        self._name = name
        self._as_shown = as_shown

    def _convert(self) -> NDArray[np.uint8]:
        import av.error

        decoded = self._decoded
        bt709 = self._as_shown and shown_as_bt709(decoded.colorspace, decoded.width, decoded.height)
        try:
            image = decoded.to_ndarray(format="rgb24", src_colorspace="ITU709" if bt709 else None)
        except (MemoryError, BlockingIOError):  # of the latter, no thread for it
            raise  # says nothing of the format
        except (av.error.FFmpegError, ValueError) as error:
            raise UnsupportedMediaError(
                f"{self._name}: pixel format {decoded.format.name} cannot be converted to RGB.",
                hint="Convert it to H.264 yuv420p first.",
            ) from error
        return self._orientation.apply(cast("NDArray[np.uint8]", image))

    def _read_luma(self) -> NDArray[np.uint8]:
        plane = self._decoded.planes[0] if self._decoded.format.name in _LUMA_FIRST else None
        # A negative line size turns the picture upside down in memory; RGB is the way round it.
        if plane is None or plane.line_size < plane.width:
            return super()._read_luma()
        data = cast("memoryview", plane)
        stored = np.frombuffer(data, np.uint8).reshape(plane.height, plane.line_size)
        luma = self._orientation.apply(stored[:, : plane.width])
        name = self._decoded.format.name
        full = name == "gray" or name.startswith("yuvj") or self._decoded.color_range == _FULL_RANGE
        return luma if full else _stretched(luma)


def _stretched(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return luma of limited range (16 to 235) as luma of full range, rounded and limited."""
    import cv2

    # One pass for both steps: faster than two, or than a table of 256 levels, and the same.
    factor = 255 / _LEVELS
    return np.asarray(cv2.addWeighted(luma, factor, luma, 0, -_BLACK * factor), np.uint8)
