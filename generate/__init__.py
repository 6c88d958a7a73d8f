"""Makes clips; its only door out is :func:`vidigree.watermark.stamp`."""

from vidigree.generate.doors import export_to_video, stamp_frames, stamped
from vidigree.generate.engine import Engine, EngineInfo, RequestWarning, engine_registry
from vidigree.generate.generating import generate
from vidigree.generate.request import ClipRequest

__all__ = [
    "ClipRequest",
    "Engine",
    "EngineInfo",
    "RequestWarning",
    "engine_registry",
    "export_to_video",
    "generate",
    "stamp_frames",
    "stamped",
]
