"""The engine ``flow-gan``: a still that is moved by optical flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engine import EngineInfo
from vidigree.generate.engines.families.family import Asked, FamilyEngine, family_info

__all__ = ["FlowGanEngine"]


class FlowGanEngine(FamilyEngine):
    """Moves a still as the caption says; without one, the first frame of ``gan``."""

    info: ClassVar[EngineInfo] = family_info(
        "flow-gan",
        family="flow-based GAN",
        tasks=("text-to-video", "image-to-video"),
        description="Moves a still by learned optical flow; for text alone, a still from gan.",
        memory="0.5 GB",
    )

    def draw(self, asked: Asked) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames; see :meth:`FamilyEngine.draw`."""
        from vidigree.generate.engines.families.networks.drawing import draw_flow_gan

        return draw_flow_gan(asked)
