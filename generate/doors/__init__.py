"""Ways to the stamp for people who generate with their own code."""

from vidigree.generate.doors.export import export_to_video, stamp_frames
from vidigree.generate.doors.stamped import MarkedFrames, StampedPipeline, stamped

__all__ = ["MarkedFrames", "StampedPipeline", "export_to_video", "stamp_frames", "stamped"]
