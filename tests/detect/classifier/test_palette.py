"""Pairs of levels and colours: where they fall, and that small changes stay small."""

from __future__ import annotations

import numpy as np

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.palette import Palette

NAMES = Palette().names()


def _view(luma: np.ndarray, cb: float = 128, cr: float = 128) -> DecodedView:
    chroma = np.stack([np.full((8, 128, 128), level, np.float32) for level in (cb, cr)])
    return DecodedView(
        luma=np.broadcast_to(luma, (8, 256, 256)).astype(np.float32),
        chroma=chroma,
        motion=(np.zeros((0, 6), np.float32),) * 8,
        sizes=np.full(8, 20),
        repeated=0.0,
    )


def _row(view: DecodedView) -> dict[str, float]:
    return dict(zip(NAMES, Palette().extract(view), strict=True))


def test_every_pair_of_planes_is_a_distribution() -> None:
    rng = np.random.default_rng(1)
    row = Palette().extract(_view(rng.uniform(0, 255, (256, 256)), cb=150, cr=90))
    sums = (row.reshape(6, 64) ** 2).sum(axis=1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_flat_picture_falls_into_the_bins_of_its_level_and_colour() -> None:
    row = _row(_view(np.full((256, 256), 16.0), cb=168, cr=88))
    assert row["beside-y-y-0-0"] == 1
    assert row["upon-y-cb-0-7"] == 1
    assert row["upon-y-cr-0-0"] == 1
    assert row["upon-cb-cr-7-0"] == 1


def test_upright_edge_is_seen_beside_and_a_level_one_is_not() -> None:
    upright = np.repeat([[16.0, 236.0]], 128, axis=1).repeat(256, axis=0)
    crossed = "beside-y-y-0-7"
    assert _row(_view(upright))[crossed] > 0.1
    assert _row(_view(upright.T))[crossed] == 0


def test_a_small_change_of_level_is_a_small_change_of_the_row() -> None:
    before, after = (Palette().extract(_view(np.full((256, 256), level))) for level in (80, 80.5))
    assert 0 < np.abs(before - after).max() < 0.2
