"""The robust mark: 64 keyed, error-corrected bits that outlive codecs, crops and rotation."""

from vidigree.watermark.robust.embedder import MINIMUM_SIDE, EmbedSettings, check_sides
from vidigree.watermark.robust.mark import RobustMark

__all__ = ["MINIMUM_SIDE", "EmbedSettings", "RobustMark", "check_sides"]
