import math

import numpy as np
import pytest
from scipy.special import i0e
from scipy.stats import norm

from vidigree.watermark.robust.significance import joint_p_value, p_value, weighted_p_value


def _moduli(count: int, seed: int) -> np.ndarray:
    """Return moduli as a picture has them: of complex Gaussian numbers, limited to 3."""
    rng = np.random.default_rng(seed)
    return np.minimum(np.abs(rng.normal(size=count) + 1j * rng.normal(size=count)) / 2**0.5, 3.0)


def _sampled(score: float, moduli: np.ndarray, draws: int, seed: int) -> float:
    """Return the tail probability by importance sampling: phases drawn by von Mises.

    The second way to the same number shares nothing with the first but the model.
    """
    rng = np.random.default_rng(seed)
    values = moduli / np.sqrt(np.sum(moduli**2) / 2)
    tilts = np.linspace(0.2, 3.0 * score, 400)
    means = [np.sum(values * (np.i0(t * values + 1e-4) / np.i0(t * values) - 1)) for t in tilts]
    tilt = tilts[np.argmin(np.abs(np.array(means) * 1e4 - score))]
    sums = np.sum(values * np.cos(rng.vonmises(0.0, tilt * values, (draws, len(values)))), axis=1)
    cumulant = np.sum(np.log(i0e(tilt * values)) + tilt * values)
    return float(np.mean(np.exp(cumulant - tilt * sums) * (sums >= score)))


@pytest.mark.parametrize(
    ("count", "score"), [(50, 2.0), (50, 4.5), (50, 6.5), (300, 7.0), (936, 10.0)]
)
def test_the_tail_is_what_sampling_gives(count: int, score: float) -> None:
    moduli = _moduli(count, 3)
    assert p_value(score, 1.0, moduli) == pytest.approx(_sampled(score, moduli, 20_000, 4), rel=0.1)


@pytest.mark.parametrize("count", [20, 50, 900])
def test_the_bound_without_moduli_is_a_bound(count: int) -> None:
    for score in (0.5, 1.0, 3.0, 5.0, 8.0):
        assert p_value(score, 1.0, _moduli(count, 1)) <= p_value(score, 1.0)


def test_many_equal_moduli_are_nearly_gaussian() -> None:
    assert p_value(3.0, 1.0, np.ones(100_000)) == pytest.approx(norm.sf(3.0), rel=0.01)


def test_a_perfect_match_and_an_impossible_one_are_small_not_errors() -> None:
    moduli = np.ones(10)
    whole = 10 / math.sqrt(5.0)
    for score in (0.99 * whole, whole, 2 * whole, 1e6):
        assert 0.0 < p_value(score, 1.0, moduli) < 1e-4


def test_hypotheses_multiply_and_a_p_value_ends_at_one() -> None:
    moduli = _moduli(900, 2)
    assert p_value(8.0, 1000.0, moduli) == pytest.approx(1000 * p_value(8.0, 1.0, moduli))
    assert p_value(3.0, 1e9, moduli) == 1.0
    assert p_value(-1.0, 1.0, moduli) == 1.0
    assert p_value(0.0, 1.0) == 1.0


def test_two_tests_together_keep_their_level() -> None:
    rng = np.random.default_rng(8)
    pairs = rng.random((200_000, 2))
    for level in (0.1, 0.01, 0.001):
        share = np.mean([joint_p_value(a, b) <= level for a, b in pairs])
        assert share == pytest.approx(level, rel=0.3)
    assert joint_p_value(1.0, 1.0) == 1.0
    assert 0.0 < joint_p_value(1e-300, 1e-300) < 1e-290


@pytest.mark.parametrize("weight", [0.1, 0.4, 0.9])
def test_two_weighted_tests_keep_their_level(weight: float) -> None:
    pairs = np.random.default_rng(8).random((100_000, 2))
    values = np.array([weighted_p_value(a, b, weight) for a, b in pairs])
    for level in (0.1, 0.01, 0.001):
        assert np.mean(values <= level) == pytest.approx(level, rel=0.3)


def test_what_weighs_more_counts_more_and_no_certainty_against_it_decides_alone() -> None:
    assert weighted_p_value(1e-3, 1e-9, 0.4) < weighted_p_value(1e-3, 1e-9, 0.7)
    assert weighted_p_value(1.0, 1e-60, 0.4) < 1e-20
    assert 0.0 < weighted_p_value(1e-300, 1e-300, 0.4) < 1e-200
    assert weighted_p_value(1.0, 1.0, 0.4) == pytest.approx(1.0)
