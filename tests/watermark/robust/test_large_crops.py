"""Large crops are looked at by the learned front end, at the coarse size and at the usual one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.media.frame import Frame
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark
from vidigree.watermark.robust.carrier import carrier_of
from vidigree.watermark.robust.geometry import Geometry
from vidigree.watermark.robust.reading import try_geometry
from vidigree.watermark.robust.stretches import (
    Parts,
    StretchReader,
    learned_parts,
    mixed_parts,
    parts_of,
    summed,
)

Frames = list[NDArray[np.uint8]]
FPS = Fraction(24)


def test_the_network_sees_more_of_a_large_crop(
    textured: Callable[..., Frames], x264: Callable[[Frames, int], Frames]
) -> None:
    pytest.importorskip("onnxruntime")
    frames = textured(480, 480, 24, 5)
    marked = list(RobustMark().embed(frames, 77, key=PUBLISHED_KEY, fps=FPS))
    crop = x264([frame[100:292, 60:252] for frame in marked], 28)
    reader = StretchReader(FPS)
    fed = [reader.feed(Frame(image=image, time=Fraction(0))) for image in crop]
    stretches = [one for one in (*fed, reader.finish()) if one is not None]
    carrier = carrier_of(PUBLISHED_KEY)

    def pilot(parts: Parts) -> float:
        geometry = Geometry(scale=(480 / 192, 480 / 192))
        return try_geometry(summed(parts), PUBLISHED_KEY, carrier, geometry).lock.score

    linear = pilot(parts_of(stretches, coarse=True))
    mixed = mixed_parts(stretches, 1, coarse=True)
    sizes = {part.residual.shape for _, part in mixed}
    assert sizes == {part.residual.shape for _, part in stretches[0].coarse_parts}
    learned = pilot(mixed_parts(stretches, 5, coarse=True))
    usual = pilot(learned_parts(stretches, 5))
    assert learned > linear
    assert usual > linear
