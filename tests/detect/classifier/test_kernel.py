from __future__ import annotations

import numpy as np
import pytest

from vidigree.detect.classifier.kernel import gaussian_kernel, ridge_dual


def _points(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3))


def test_kernel_is_one_at_home_and_falls_with_distance() -> None:
    left, right = _points(5, 0), _points(4, 1)
    found = gaussian_kernel(left, right, 0.3)
    expected = [[np.exp(-0.3 * ((a - b) ** 2).sum()) for b in right] for a in left]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(np.diag(gaussian_kernel(left, left, 0.3)), 1.0)


def test_a_weight_of_two_is_a_row_that_is_there_twice() -> None:
    points, labels = _points(12, 2), np.arange(12) % 3 == 0
    weights = np.where(labels, 2.0, 1.0)  # total weight 8 of either class
    twice = np.concatenate([np.arange(12), np.flatnonzero(labels)])
    once = ridge_dual(gaussian_kernel(points, points, 0.3), labels, weights, 0.1 * 12)
    doubled = ridge_dual(
        gaussian_kernel(points[twice], points[twice], 0.3), labels[twice], np.ones(16), 0.1 * 16
    )
    new = _points(6, 3)
    np.testing.assert_allclose(
        gaussian_kernel(new, points, 0.3) @ once,
        gaussian_kernel(new, points[twice], 0.3) @ doubled,
        atol=1e-9,
    )


def test_classes_pull_alike_however_many_rows_they_have() -> None:
    points = np.array([[-1.0]] * 9 + [[1.0]])
    labels = np.arange(10) == 9
    dual = ridge_dual(gaussian_kernel(points, points, 0.5), labels, np.ones(10), 0.1)
    middle = gaussian_kernel(np.zeros((1, 1)), points, 0.5) @ dual
    assert middle[0] == pytest.approx(0.0, abs=1e-9)
