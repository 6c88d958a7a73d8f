"""Puts marks and credentials in, reads them back, and remembers what was issued."""

from vidigree.watermark.clip import Clip, Origin
from vidigree.watermark.keyring import PUBLISHED_KEY, KeyRing, MarkKey
from vidigree.watermark.method import (
    MarkReading,
    MarkSegment,
    WatermarkMethod,
    watermark_methods,
)
from vidigree.watermark.stamp import StampReceipt, StampSettings, stamp

__all__ = [
    "PUBLISHED_KEY",
    "Clip",
    "KeyRing",
    "MarkKey",
    "MarkReading",
    "MarkSegment",
    "Origin",
    "StampReceipt",
    "StampSettings",
    "WatermarkMethod",
    "stamp",
    "watermark_methods",
]
