"""Tells errors that mean too little memory from defects."""

from __future__ import annotations

__all__ = ["is_out_of_memory"]

_OPENCV_NO_MEMORY = -4
"""``cv::Error::StsNoMem``; OpenCV raises one class for all its errors."""


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that there was not enough memory."""
    if isinstance(error, MemoryError):
        return True
    return type(error).__module__ == "cv2" and getattr(error, "code", 0) == _OPENCV_NO_MEMORY
