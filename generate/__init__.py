"""Makes clips; its only door out is :func:`vidigree.watermark.stamp`."""

from vidigree.generate.batch import BatchRow, generate_batch, read_requests
from vidigree.generate.checking import CheckReport, check_clip
from vidigree.generate.claim import Claim
from vidigree.generate.doors import export_to_video, stamp_frames, stamped
from vidigree.generate.engine import Engine, EngineInfo, RequestWarning, engine_registry
from vidigree.generate.estimate import Estimate, estimate
from vidigree.generate.generating import generate
from vidigree.generate.policy import Policy, load_policy
from vidigree.generate.request import ClipRequest

__all__ = [
    "BatchRow",
    "CheckReport",
    "Claim",
    "ClipRequest",
    "Engine",
    "EngineInfo",
    "Estimate",
    "Policy",
    "RequestWarning",
    "check_clip",
    "engine_registry",
    "estimate",
    "export_to_video",
    "generate",
    "generate_batch",
    "load_policy",
    "read_requests",
    "stamp_frames",
    "stamped",
]
