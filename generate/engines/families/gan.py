"""The engine ``gan``: content and motion drawn apart, frames made of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engine import EngineInfo
from vidigree.generate.engines.families.family import Asked, FamilyEngine, family_info

__all__ = ["GanEngine"]


class GanEngine(FamilyEngine):
    """A generator in the manner of MoCoGAN."""

    info: ClassVar[EngineInfo] = family_info(
        "gan",
        family="GAN",
        tasks=("text-to-video",),
        description="A small MoCoGAN-like generator; a few colours, bodies, motions and grounds.",
        memory="0.5 GB",
    )

    def draw(self, asked: Asked) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames; see :meth:`FamilyEngine.draw`."""
        from vidigree.generate.engines.families.networks.drawing import draw_gan

        return draw_gan(asked)
