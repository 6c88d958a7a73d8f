"""Marked noise looks like noise, says its message, and unmarked noise says nothing."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vidigree.media.errors import StampError
from vidigree.watermark import PUBLISHED_KEY, MarkKey
from vidigree.watermark.initial_noise import _Plan, mark_noise, read_noise

SHAPE = (1, 8, 7, 8, 8)
OTHER = MarkKey(key_id="other", secret=hashlib.sha256(b"other").digest())


def noise(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@given(message=st.integers(0, 2**64 - 1), seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_messages_come_back_exactly(message: int, seed: int) -> None:
    reading = read_noise(mark_noise(noise(seed), message, PUBLISHED_KEY), [OTHER, PUBLISHED_KEY])
    assert reading.present
    assert reading.message == message
    assert reading.key_id == PUBLISHED_KEY.key_id
    # The estimate's mean is taken off, and what lay close to nought changes its sign: 1 % or 2.
    assert reading.agreement == pytest.approx(1.0, abs=0.05)
    assert reading.p_value < 1e-100


def test_magnitudes_stay_and_marked_noise_is_normal() -> None:
    plain = noise(1)
    marked = mark_noise(plain, 0x0123456789ABCDEF, PUBLISHED_KEY)
    assert np.array_equal(np.abs(marked), np.abs(plain))
    assert stats.kstest(marked.ravel(), "norm").pvalue > 1e-3
    assert abs(np.mean(marked > 0) - 0.5) < 0.05


@pytest.mark.parametrize("kept", [0.3, 0.5])
def test_a_poor_estimate_still_says_it(kept: float) -> None:
    marked = mark_noise(noise(2), 42, PUBLISHED_KEY)
    estimate = kept * marked + np.sqrt(1 - kept**2) * noise(3)
    reading = read_noise(5 * estimate + 1, [PUBLISHED_KEY])
    assert reading.message == 42
    assert reading.agreement is not None
    assert 0.55 < reading.agreement < 0.75


@pytest.mark.slow
def test_false_alarms_stay_below_the_p_value() -> None:
    values = [
        read_noise(noise(seed, (1, 4, 3, 8, 8)), [PUBLISHED_KEY]).p_value for seed in range(150)
    ]
    for level in (0.3, 0.1, 0.03):
        assert np.mean(np.array(values) <= level) <= level
    assert min(values) > 1e-6


def test_another_key_finds_nothing() -> None:
    reading = read_noise(mark_noise(noise(4), 42, PUBLISHED_KEY), [OTHER])
    assert not reading.present
    assert reading.message is None


def test_too_little_noise_is_refused() -> None:
    with pytest.raises(StampError, match="too small"):
        mark_noise(noise(5, (382,)), 1, PUBLISHED_KEY)
    mark_noise(noise(5, (383,)), 1, PUBLISHED_KEY)


def test_the_keyed_signs_never_change() -> None:
    """Marks made today are read in ten years: the signs of a key are part of the format."""
    signs = _Plan.of(4096, PUBLISHED_KEY).pad > 0
    assert hashlib.sha256(np.packbits(signs).tobytes()).hexdigest()[:16] == "ffb265e987f92115"


@pytest.mark.parametrize("place", [0, 20, 40])
def test_of_two_messages_equally_likely_none_is_given(place: int) -> None:
    # 0x12F is a change that the checksum does not see.
    messages = (0x0123456789ABCDEF, 0x0123456789ABCDEF ^ 0x12F << place)
    first, second = (mark_noise(noise(6), message, PUBLISHED_KEY) for message in messages)
    reading = read_noise(first + second, [PUBLISHED_KEY])
    assert reading.present
    assert reading.message is None


@pytest.mark.parametrize("seed", [4, 30, 40, *range(100, 110)])
def test_a_weak_mark_is_not_read_as_another_message(seed: int) -> None:
    # The first three were, when the values that carry the key alone spoke for any message.
    rng = np.random.default_rng(seed)
    message = int.from_bytes(rng.bytes(8), "big")
    marked = mark_noise(rng.standard_normal(3584).astype(np.float32), message, PUBLISHED_KEY)
    kept = np.sin(np.pi * 0.07)  # 57 % of the signs stay
    estimate = kept * marked + np.sqrt(1 - kept**2) * rng.standard_normal(3584)
    assert read_noise(estimate.astype(np.float32), [PUBLISHED_KEY]).message in (None, message)
