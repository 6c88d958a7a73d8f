"""Makes clips; its only door out is :func:`vidigree.watermark.stamp`."""

from vidigree.generate.engine import Engine, EngineInfo, RequestWarning, engine_registry
from vidigree.generate.generating import generate
from vidigree.generate.request import ClipRequest

__all__ = ["ClipRequest", "Engine", "EngineInfo", "RequestWarning", "engine_registry", "generate"]
