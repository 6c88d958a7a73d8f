from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust.carrier import carrier_of
from vidigree.watermark.robust.combining import gls_weights
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.geometry import Geometry
from vidigree.watermark.robust.reading import reweighed, try_geometry
from vidigree.watermark.robust.stretches import summed

POINTS = 986


def _noise(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def test_parts_with_nothing_in_common_are_weighted_by_what_they_hold() -> None:
    rng = np.random.default_rng(1)
    levels, held = np.array([0.5, 1.0, 4.0]), np.array([1.0, 2.0, 0.5])
    seen = levels[:, None] * _noise(rng, 3, 100_000)
    np.testing.assert_allclose(gls_weights(seen, held, shrinkage=0.3), held / levels, rtol=0.05)


@pytest.mark.parametrize("shrinkage", [0.5, 0.3])
def test_a_background_that_all_parts_show_cancels(shrinkage: float) -> None:
    """One part holds twice the mark of the others, on the same picture."""
    rng = np.random.default_rng(2)
    carrier = np.exp(2j * np.pi * rng.random(POINTS))
    held = np.array([0.2, 0.1, 0.1, 0.1])
    seen = held[:, None] * carrier + 0.9 * _noise(rng, POINTS) + 0.4 * _noise(rng, 4, POINTS)

    def score(weights: np.ndarray) -> float:
        total = weights @ seen
        return float(np.sum((total * np.conj(carrier)).real) / np.linalg.norm(total))

    assert score(gls_weights(seen, held, shrinkage=shrinkage)) > 1.2 * score(held)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 8))
def test_the_keyed_phases_of_the_points_make_no_difference(seed: int, count: int) -> None:
    """Or the p-value, which takes them for independent of the weights, would not hold."""
    rng = np.random.default_rng(seed)
    seen, held = _noise(rng, count, 60), rng.uniform(0.02, 2, count)
    turned = seen * np.exp(2j * np.pi * rng.random(60))
    np.testing.assert_allclose(
        gls_weights(turned, held, shrinkage=0.3),
        gls_weights(seen, held, shrinkage=0.3),
        rtol=1e-6,
    )


@pytest.mark.parametrize("held", [0.0, 1.0])
def test_a_black_part_and_the_same_part_twice_are_no_trouble(held: float) -> None:
    rng = np.random.default_rng(3)
    one = _noise(rng, 50)
    seen = np.stack([one, one, np.zeros(50)])
    total = gls_weights(seen, np.array([1.0, 1.0, held]), shrinkage=0.3) @ seen
    assert np.all(np.isfinite(total))
    assert np.corrcoef(total.real, one.real)[0, 1] > 0.999


def test_a_strong_mark_is_not_taken_for_background() -> None:
    """Parts that hardly show anything else correlate as much, and would be subtracted."""
    rng = np.random.default_rng(4)
    pattern = rng.normal(size=(64, 64)).astype(np.float32)
    noise = rng.normal(size=(4, 64, 64)).astype(np.float32)
    shown = np.array([1.0, 1.0, 1.0, 0.3], np.float32)[:, None, None] * pattern + 0.2 * noise
    pictures = [Picture(residual=one, step=(1.0, 1.0)) for one in shown]
    parts = list(zip([1.0, 1.0, 1.0, 0.4], pictures, strict=True))
    alike = np.corrcoef(summed(parts).residual.ravel(), pattern.ravel())[0, 1]
    plain = np.corrcoef(shown.sum(axis=0).ravel(), pattern.ravel())[0, 1]
    assert alike > 0.98 * plain


def test_a_part_that_may_hold_nothing_is_not_all_of_the_sum() -> None:
    """Of a still clip the first frame would be: it should hold most and shows what all do."""
    rng = np.random.default_rng(5)
    seen = 0.95 * _noise(rng, POINTS) + 0.3 * _noise(rng, 8, POINTS)
    usual = np.array([2.5, *[1.0] * 7])
    sure = np.maximum(gls_weights(seen, usual, shrinkage=0.5), 0)
    doubted = np.maximum(gls_weights(seen, usual, shrinkage=0.5, spread=0.25 * usual), 0)
    assert sure[1:].sum() < 0.05 * sure[0]
    assert doubted[1:].sum() > 0.25 * doubted[0]


def test_the_weights_of_parts_know_nothing_of_the_phases_of_the_data() -> None:
    carrier, rng = carrier_of(PUBLISHED_KEY), np.random.default_rng(6)
    still = gaussian_filter(rng.normal(size=(256, 256)), 1.5)
    residuals = [still + gaussian_filter(rng.normal(size=still.shape), 1.5) for _ in range(5)]
    parts = [(1.0, Picture(residual=one.astype(np.float32), step=(1.0, 1.0))) for one in residuals]
    trial = try_geometry(summed(parts), PUBLISHED_KEY, carrier, Geometry())
    turned = carrier.phases.copy()
    turned[carrier.data] *= np.exp(2j * np.pi * rng.random(len(carrier.data)))
    other = replace(trial, carrier=replace(carrier, phases=turned.astype(np.complex64)))
    first, second = reweighed(trial, parts, stay=True), reweighed(other, parts, stay=True)
    np.testing.assert_array_equal(first.spectrum, second.spectrum)
    assert not np.array_equal(first.spectrum, trial.spectrum)
