"""The engine ``vae``: one code a clip, drawn from the caption's prior or changed under it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engine import EngineInfo
from vidigree.generate.engines.families.family import Asked, FamilyEngine, family_info

__all__ = ["VaeEngine"]


class VaeEngine(FamilyEngine):
    """A variational autoencoder of clips with a normalising flow for captions."""

    info: ClassVar[EngineInfo] = family_info(
        "vae",
        family="VAE",
        tasks=("text-to-video", "video-to-video"),
        description="A variational autoencoder of whole clips; edits a clip by changing its code.",
        memory="0.5 GB",
    )

    def draw(self, asked: Asked) -> Iterator[NDArray[np.uint8]]:
        """Yield the frames; see :meth:`FamilyEngine.draw`."""
        from vidigree.generate.engines.families.networks.drawing import draw_vae

        return draw_vae(asked)
