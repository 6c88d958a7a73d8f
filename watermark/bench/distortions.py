"""What happens to pictures on their way: colour, sharpness, geometry, overlays.

Every function takes uint8 RGB frames of one shape and returns new ones; sizes may change. Ratios
are per edge. Random choices come from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "blurred",
    "bordered_and_subtitled",
    "brightened",
    "contrasted",
    "cropped",
    "denoised",
    "filmed_off_a_screen",
    "grayscale",
    "hue_turned",
    "jpeg",
    "letterboxed",
    "median_filtered",
    "mirrored",
    "noisy",
    "perspective",
    "picture_in_picture",
    "resized",
    "rotated",
    "saturated",
    "stamped_with_logo",
]

Frame = NDArray[np.uint8]
Frames = list[Frame]


def _each(frames: Frames, change: Callable[[Frame], NDArray[np.generic]]) -> Frames:
    return [np.ascontiguousarray(change(frame)).astype(np.uint8, copy=False) for frame in frames]


def _clipped(values: NDArray[np.floating]) -> Frame:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def jpeg(frames: Frames, quality: int) -> Frames:
    """Pass every frame through JPEG."""

    def change(frame: Frame) -> Frame:
        code = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR_RGB), np.uint8)

    return _each(frames, change)


def grayscale(frames: Frames) -> Frames:
    """Drop the colour."""
    return _each(
        frames, lambda f: np.repeat(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    )


def hue_turned(frames: Frames, turns: float) -> Frames:
    """Turn the hue by a fraction of the colour circle."""

    def change(frame: Frame) -> Frame:
        hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + round(turns * 180)) % 180
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)

    return _each(frames, change)


def saturated(frames: Frames, factor: float) -> Frames:
    """Scale the distance from gray."""

    def change(frame: Frame) -> Frame:
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
        return _clipped(gray + factor * (frame - gray))

    return _each(frames, change)


def contrasted(frames: Frames, factor: float) -> Frames:
    """Scale the distance from each frame's mean."""
    return _each(frames, lambda f: _clipped(f.mean() + factor * (f - f.mean())))


def brightened(frames: Frames, factor: float) -> Frames:
    """Scale all values."""
    return _each(frames, lambda f: _clipped(f.astype(np.float32) * factor))


def blurred(frames: Frames, size: int) -> Frames:
    """Blur with a Gaussian of this kernel size (sigma by OpenCV's rule)."""
    return _each(frames, lambda f: cv2.GaussianBlur(f, (size, size), 0))


def median_filtered(frames: Frames, size: int) -> Frames:
    """Filter with a median."""
    return _each(frames, lambda f: cv2.medianBlur(f, size))


def denoised(frames: Frames) -> Frames:
    """Smooth with a bilateral filter, as a removal attempt would."""
    return _each(frames, lambda f: cv2.bilateralFilter(f, 9, 30, 5))


def noisy(frames: Frames, sigma: float, rng: np.random.Generator) -> Frames:
    """Add Gaussian noise; sigma on a scale of 0 to 1."""

    def change(frame: Frame) -> Frame:
        noise = rng.normal(0, 255 * sigma, frame.shape)
        return _clipped(frame.astype(np.float32) + noise.astype(np.float32))

    return _each(frames, change)


def resized(frames: Frames, x: float, y: float) -> Frames:
    """Scale the edges."""
    height, width = frames[0].shape[:2]
    size = (max(1, round(width * x)), max(1, round(height * y)))
    how = cv2.INTER_AREA if x < 1 or y < 1 else cv2.INTER_CUBIC
    return _each(frames, lambda f: cv2.resize(f, size, interpolation=how))


def cropped(frames: Frames, ratio: float, rng: np.random.Generator) -> Frames:
    """Cut out a part from a random place; not scaled back."""
    height, width = frames[0].shape[:2]
    rows, columns = int(height * ratio), int(width * ratio)
    y, x = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    return _each(frames, lambda f: f[y : y + rows, x : x + columns])


def rotated(frames: Frames, degrees: float) -> Frames:
    """Turn; right angles without loss, others with black corners at the same size."""
    if degrees % 90 == 0:
        return _each(frames, lambda f: np.rot90(f, round(degrees / 90)))
    height, width = frames[0].shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return _each(frames, lambda f: cv2.warpAffine(f, matrix, (width, height)))


def mirrored(frames: Frames) -> Frames:
    """Exchange left and right."""
    return _each(frames, lambda f: f[:, ::-1])


def perspective(frames: Frames, strength: float, rng: np.random.Generator) -> Frames:
    """Move each corner inwards by up to strength / 2 of half an edge, as torchvision does."""
    height, width = frames[0].shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)
    reach = rng.random((4, 2)) * np.array([width, height]) * strength / 2
    moved = (corners + inward * reach).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    return _each(frames, lambda f: cv2.warpPerspective(f, matrix, (width, height)))


def letterboxed(frames: Frames) -> Frames:
    """Add black bars above and below, a quarter of the height each."""
    bar = frames[0].shape[0] // 4
    return _each(frames, lambda f: cv2.copyMakeBorder(f, bar, bar, 0, 0, cv2.BORDER_CONSTANT))


def picture_in_picture(frames: Frames, ratio: float, rng: np.random.Generator) -> Frames:
    """Show the clip small in a corner of a smooth moving background of the same size."""
    height, width = frames[0].shape[:2]
    small = resized(frames, ratio, ratio)
    rows, columns = small[0].shape[:2]
    cloud = cv2.GaussianBlur(rng.normal(size=(height, width + len(frames), 3)), (0, 0), 12)
    cloud = _clipped(128 + 40 * cloud / cloud.std())
    result = []
    for index, picture in enumerate(small):
        canvas = np.ascontiguousarray(cloud[:, index : index + width])
        canvas[height // 20 : height // 20 + rows, width // 20 : width // 20 + columns] = picture
        result.append(canvas)
    return result


def stamped_with_logo(frames: Frames) -> Frames:
    """Put an opaque sign of a fifth of the width into the lower right corner."""
    height, width = frames[0].shape[:2]

    def change(frame: Frame) -> Frame:
        picture = frame.copy()
        left, top = int(width * 0.77), int(height * 0.85)
        cv2.rectangle(
            picture, (left, top), (int(width * 0.97), int(height * 0.97)), (20, 20, 90), -1
        )
        scale = width / 900
        cv2.putText(
            picture, "CHANNEL 9", (left + 4, int(height * 0.93)), 0, scale, (255, 255, 255), 2
        )
        return picture

    return _each(frames, change)


def bordered_and_subtitled(frames: Frames) -> Frames:
    """Cut 10 % off every edge and lay a black band with text over the lower sixth."""
    height, width = frames[0].shape[:2]
    y, x = height // 10, width // 10

    def change(frame: Frame) -> Frame:
        picture = np.ascontiguousarray(frame[y : height - y, x : width - x])
        rows, columns = picture.shape[:2]
        picture[rows * 5 // 6 :] = 0
        cv2.putText(
            picture, "so this is what was said", (columns // 8, rows - rows // 18), 0,
            columns / 640, (255, 255, 255), 1,
        )  # fmt: skip
        return picture

    return _each(frames, change)


def filmed_off_a_screen(frames: Frames, rng: np.random.Generator) -> Frames:
    """Simulate a camera before a screen: perspective, moire, gamma, noise; no codec."""
    height, width = frames[0].shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    shake = rng.uniform(-0.03, 0.03, (4, 2)) * np.array([width, height])
    matrix = cv2.getPerspectiveTransform(corners, (corners + shake).astype(np.float32))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = np.sin(x * 0.9 + y * 0.31) * np.sin(y * 0.83 - x * 0.12)
    moire = (1 + 0.04 * waves)[..., None]

    def change(frame: Frame) -> Frame:
        seen = cv2.warpPerspective(frame, matrix, (width, height)).astype(np.float32)
        seen = 255 * (seen / 255) ** np.float32(1.15) * moire
        seen = cv2.GaussianBlur(seen, (0, 0), 0.7)
        return _clipped(seen + rng.normal(0, 4.0, seen.shape).astype(np.float32))

    return _each(frames, change)
