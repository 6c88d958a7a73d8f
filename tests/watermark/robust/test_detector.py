"""What a detector looks at: as much as a clip is worth, and no more."""

from fractions import Fraction

import numpy as np

from vidigree.media.frame import Frame
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust.detector import Detector
from vidigree.watermark.robust.geometry import UNSCALED


def test_the_last_moments_of_a_clip_are_not_searched_widely() -> None:
    detector = Detector([PUBLISHED_KEY], Fraction(2))
    random = np.random.default_rng(1)
    looked = []
    for index in range(22):  # one frame is a stretch, twenty are a block
        image = random.integers(0, 256, (64, 96, 3), dtype=np.uint8)
        detector.feed(Frame(image=image, time=Fraction(index, 2)))
        looked.append(detector.looked)
    assert looked[18] == 0
    assert looked[19] > 100
    detector.finish()
    assert detector.looked - looked[19] == len(UNSCALED)
