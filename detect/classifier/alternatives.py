"""What else was tried in place of the shipped member, measured in the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.dataset import clip_groups, folds
from vidigree.detect.classifier.extraction import FeatureTable
from vidigree.detect.classifier.fitting import Recipe, row_weights
from vidigree.detect.classifier.kernel import gaussian_kernel, ridge_dual
from vidigree.detect.classifier.metrics import area_under_curve
from vidigree.detect.classifier.trees import extra_trees

__all__ = ["alternative_areas"]

_SHRINKAGE = 0.5
_LINEAR_RIDGE = 2.0
_DENSITY_WIDTH = 1.5
_WIDTH = 0.3
"""Of the kernel where all groups, or all features, speak together alone."""


@dataclass(frozen=True)
class _Round:
    """One fold: prepared points of training and held-out windows.

    Attributes:
        points: float64 (n, D).
        labels: bool (n,).
        weights: float64 (n,), above 0.
        held_out: float64 (m, D).
        pairs: Both halves of aligned pairs, real ones float64 (p, D) and made ones float64 (q, D).
        balance: float64 (D,), factors that gave every feature group its weight.
        kernel: The shipped one.
        ridge: Penalty.
    """

    points: NDArray[np.float64]
    labels: NDArray[np.bool_]
    weights: NDArray[np.float64]
    held_out: NDArray[np.float64]
    pairs: tuple[NDArray[np.float64], NDArray[np.float64]]
    balance: NDArray[np.float64]
    kernel: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
    ridge: float


def alternative_areas(
    recipe: Recipe, aligned: tuple[FeatureTable, FeatureTable]
) -> dict[str, float]:
    """Return areas under the curve of other members on the same features; one round.

    Args:
        recipe: The recipe; trained on all its tables, scored on the first.
        aligned: Real clips after a random laundering, and through a surrogate upsampler besides,
            see :func:`draw_aligned`: one more member is the shipped one with the former among the
            real clips and the latter among the synthetic ones.

    Raises:
        UsageError: scikit-learn is not installed.
    """
    clips, table, settings = recipe.clips, recipe.training[0], recipe.settings
    labels = np.array([clip.synthetic for clip in clips])
    fold = folds(clips, clip_groups(clips), count=settings.fold_count, seed=settings.seeds[0])
    owner = np.concatenate([part.clip for part in recipe.training])
    weights = row_weights(clips, recipe.training)
    windows = np.bincount(table.clip, minlength=len(clips))
    total = {name: np.zeros(len(clips)) for name in _MEMBERS}
    for index in range(settings.fold_count):
        model = recipe.without(fold == index)
        used = fold[owner] != index
        held_out = fold[table.clip] == index
        real, made = (
            model.prepared(half.values[fold[half.clip] != index]).astype(np.float64)
            for half in aligned
        )
        part = _Round(
            points=model.support.astype(np.float64),
            labels=labels[owner[used]],
            weights=weights[used],
            held_out=model.prepared(table.values[held_out]).astype(np.float64),
            pairs=(real, made),
            balance=model.balance.astype(np.float64),
            kernel=model.kernel,
            ridge=settings.ridge,
        )
        for name, member in _MEMBERS.items():
            np.add.at(total[name], table.clip[held_out], member(part))
    seen = windows > 0
    return {
        name: area_under_curve(scores[seen] / windows[seen], labels[seen])
        for name, scores in total.items()
    }


def _shipped(part: _Round) -> NDArray[np.float64]:
    dual = ridge_dual(part.kernel(part.points, part.points), part.labels, part.weights, part.ridge)
    return part.kernel(part.held_out, part.points) @ dual


def _together(part: _Round) -> NDArray[np.float64]:
    return _ridge(part, part.points, part.held_out)


def _unbalanced(part: _Round) -> NDArray[np.float64]:
    """Give every feature, not every group, the same say."""
    scale = part.balance * len(part.balance) ** 0.5
    return _ridge(part, part.points / scale, part.held_out / scale)


def _whitened(part: _Round) -> NDArray[np.float64]:
    """Measure distances after shrunk within-class whitening (Hatch et al., 2006)."""
    centred = part.points.copy()
    for label in (False, True):
        centred[part.labels == label] -= part.points[part.labels == label].mean(axis=0)
    covariance = centred.T @ centred / len(centred)
    size = np.trace(covariance) / len(covariance)
    covariance = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * size * np.eye(len(covariance))
    values, vectors = np.linalg.eigh(covariance)
    whitening = (vectors * (size / values) ** 0.5) @ vectors.T
    return _ridge(part, part.points @ whitening, part.held_out @ whitening)


def _ridge(
    part: _Round, points: NDArray[np.float64], held_out: NDArray[np.float64]
) -> NDArray[np.float64]:
    kernel = gaussian_kernel(points, points, _WIDTH)
    dual = ridge_dual(kernel, part.labels, part.weights, part.ridge)
    return gaussian_kernel(held_out, points, _WIDTH) @ dual


def _with_pairs(part: _Round) -> NDArray[np.float64]:
    """Let the pairs carry a quarter of either class."""
    real, made = part.pairs
    points = np.concatenate([part.points, real, made])
    labels = np.concatenate([part.labels, np.zeros(len(real), bool), np.ones(len(made), bool)])
    weights = [
        np.full(len(half), part.weights[part.labels == label].sum() / 3 / max(1, len(half)))
        for label, half in ((False, real), (True, made))
    ]
    kernel = part.kernel(points, points)
    dual = ridge_dual(kernel, labels, np.concatenate([part.weights, *weights]), part.ridge)
    return part.kernel(part.held_out, points) @ dual


def _linear(part: _Round) -> NDArray[np.float64]:
    dual = ridge_dual(part.points @ part.points.T, part.labels, part.weights, _LINEAR_RIDGE)
    return np.asarray(part.held_out @ (part.points.T @ dual), dtype=np.float64)


def _one_class(part: _Round) -> NDArray[np.float64]:
    """Return how unlikely a window is among real ones, by a kernel density of these alone."""
    reals = ~part.labels
    kernel = gaussian_kernel(part.held_out, part.points[reals], _DENSITY_WIDTH)
    return np.asarray(-np.log(kernel @ part.weights[reals] + 1e-12), dtype=np.float64)


def _forest(part: _Round) -> NDArray[np.float64]:
    forest = extra_trees()(200, min_samples_leaf=3, max_features=0.1, random_state=0)
    forest.fit(part.points, part.labels, sample_weight=part.weights)
    return np.asarray(forest.predict_proba(part.held_out)[:, 1], dtype=np.float64)


_MEMBERS: dict[str, Callable[[_Round], NDArray[np.float64]]] = {
    "the shipped one: kernel ridge regression, the groups weighted, together and apart": _shipped,
    "the groups together alone": _together,
    "every feature the same say": _unbalanced,
    "distances after within-class whitening": _whitened,
    "linear ridge regression": _linear,
    "extremely randomised trees": _forest,
    "one-class: density of real clips alone": _one_class,
    "the shipped one, trained on aligned pairs as well": _with_pairs,
}
