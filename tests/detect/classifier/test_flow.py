"""Lengths of flow vectors: weights were trained on these very bits."""

from __future__ import annotations

import numpy as np

from vidigree.detect.classifier.features.flow import _lengths


def test_lengths_are_those_of_numpy_to_the_bit() -> None:
    state = np.random.default_rng(4)
    vectors = state.normal(0, 3, (128, 128, 2)).astype(np.float32)
    vectors[:2] = 0
    vectors[2:4] *= np.float32(1e-20)
    lengths = _lengths(vectors)
    assert lengths.dtype == np.float32
    assert np.array_equal(lengths, np.linalg.norm(vectors, axis=2))
