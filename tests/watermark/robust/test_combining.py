import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidigree.watermark.robust.combining import cancelling_weights
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.stretches import summed

POINTS = 986


def _noise(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def test_parts_with_nothing_in_common_are_weighted_by_what_they_hold() -> None:
    rng = np.random.default_rng(1)
    levels, held = np.array([0.5, 1.0, 4.0]), np.array([1.0, 2.0, 0.5])
    seen = levels[:, None] * _noise(rng, 3, 100_000)
    np.testing.assert_allclose(cancelling_weights(seen, held, 0.7), held / levels, rtol=0.05)


@pytest.mark.parametrize("trusted", [0.5, 0.7])
def test_a_background_that_all_parts_show_cancels(trusted: float) -> None:
    """One part holds twice the mark of the others, on the same picture."""
    rng = np.random.default_rng(2)
    carrier = np.exp(2j * np.pi * rng.random(POINTS))
    held = np.array([0.2, 0.1, 0.1, 0.1])
    seen = held[:, None] * carrier + 0.9 * _noise(rng, POINTS) + 0.4 * _noise(rng, 4, POINTS)

    def score(weights: np.ndarray) -> float:
        total = weights @ seen
        return float(np.sum((total * np.conj(carrier)).real) / np.linalg.norm(total))

    assert score(cancelling_weights(seen, held, trusted)) > 1.2 * score(held)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 8))
def test_the_keyed_phases_of_the_points_make_no_difference(seed: int, count: int) -> None:
    """Or the p-value, which takes them for independent of the weights, would not hold."""
    rng = np.random.default_rng(seed)
    seen, held = _noise(rng, count, 60), rng.uniform(0.02, 2, count)
    turned = seen * np.exp(2j * np.pi * rng.random(60))
    np.testing.assert_allclose(
        cancelling_weights(turned, held, 0.7), cancelling_weights(seen, held, 0.7), rtol=1e-6
    )


def test_a_black_part_and_the_same_part_twice_are_no_trouble() -> None:
    rng = np.random.default_rng(3)
    one = _noise(rng, 50)
    seen = np.stack([one, one, np.zeros(50)])
    total = cancelling_weights(seen, np.array([1.0, 1.0, 0.0]), 0.7) @ seen
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
