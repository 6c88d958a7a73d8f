from __future__ import annotations

import numpy as np
import pytest

from vidigree.detect.classifier.kernel import gaussian_kernel, mixed_kernel, ridge_dual


def _points(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3))


def test_kernel_is_one_at_home_and_falls_with_distance() -> None:
    left, right = _points(5, 0), _points(4, 1)
    found = gaussian_kernel(left, right, 0.3)
    expected = [[np.exp(-0.3 * ((a - b) ** 2).sum()) for b in right] for a in left]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(np.diag(gaussian_kernel(left, left, 0.3)), 1.0)


def test_groups_speak_together_and_apart() -> None:
    left, right = _points(5, 0), _points(4, 1)
    groups = [(1, 0.25), (2, 0.75)]
    widths = {"gamma": 2.0, "additive_gamma": 0.1}
    found = mixed_kernel(left, right, groups=groups, additive_share=0.6, **widths)
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            first, *second = (one - other) ** 2
            together = np.exp(-2.0 * (first + sum(second)))
            # A group's own squared distance is in units of its weight.
            additive = 0.25 * np.exp(-0.1 * first / 0.25) + 0.75 * np.exp(-0.1 * sum(second) / 0.75)
            assert found[i, j] == pytest.approx(0.4 * together + 0.6 * additive)
    alone = mixed_kernel(left, right, groups=groups, additive_share=0.0, **widths)
    np.testing.assert_array_equal(alone, gaussian_kernel(left, right, 2.0))


def test_a_group_that_is_known_is_not_silenced_by_one_that_is_not() -> None:
    known, strange = np.zeros((1, 2)), np.array([[0.0, 100.0]])
    groups = [(1, 0.5), (1, 0.5)]
    for share, least in ((0.0, 0.0), (0.5, 0.25)):
        found = mixed_kernel(
            known, strange, groups=groups, gamma=1.0, additive_share=share, additive_gamma=1.0
        )
        assert found[0, 0] == pytest.approx(least)


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
