"""The engine ``autoregressive``: a transformer that writes the codes of a clip one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engine import EngineInfo
from vidigree.generate.engines.families.family import Asked, FamilyEngine, family_info

__all__ = ["AutoregressiveEngine"]


class AutoregressiveEngine(FamilyEngine):
    """Quantised frames, written code by code; a still forces the first frame's codes."""

    info: ClassVar[EngineInfo] = family_info(
        "autoregressive",
        family="autoregressive",
        tasks=("text-to-video", "image-to-video"),
        description="A transformer over quantised frames; goes on from a still.",
        memory="0.5 GB",
    )

    def draw(self, asked: Asked) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames; see :meth:`FamilyEngine.draw`."""
        from vidigree.generate.engines.families.networks.drawing import draw_autoregressive

        return draw_autoregressive(asked)
