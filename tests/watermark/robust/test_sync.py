import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidigree.watermark.keyring import PUBLISHED_KEY, MarkKey
from vidigree.watermark.robust.carrier import SHORT_SIDE, TILE, carrier_of
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.geometry import Geometry
from vidigree.watermark.robust.reading import refine, try_geometry
from vidigree.watermark.robust.search import candidates
from vidigree.watermark.robust.significance import p_value
from vidigree.watermark.robust.spectrum import lattice_spectrum, synthesise, whiten
from vidigree.watermark.robust.sync import SHIFTS, _surface, find_shift, find_shifts

CARRIER = carrier_of(PUBLISHED_KEY)


def _pattern(
    shift: tuple[float, float], size: tuple[int, int], step: tuple[float, float], seed: int = 0
) -> np.ndarray:
    """Return the pilot and random data, shifted, with noise of twice its deviation."""
    rng = np.random.default_rng(seed)
    symbols = np.exp(2j * np.pi * rng.random(len(CARRIER.waves)))
    symbols[CARRIER.pilots] = 1.0
    turns = CARRIER.waves @ np.array(shift) / TILE
    whole = symbols * CARRIER.phases * CARRIER.amplitudes * np.exp(-2j * np.pi * turns)
    pattern = synthesise(whole.astype(np.complex64), CARRIER, size, step)
    noise = rng.normal(size=size).astype(np.float32) * pattern.std() * 2
    return pattern + noise


@given(st.floats(0, TILE - 0.01), st.floats(0, TILE - 0.01))
@settings(max_examples=20, deadline=None)
def test_any_shift_is_found_to_half_a_carrier_pixel(x: float, y: float) -> None:
    residual = _pattern((x, y), (256, 384), (1.0, 1.0))
    spectrum = whiten(lattice_spectrum(residual, CARRIER, (1.0, 1.0)), CARRIER)
    lock = find_shift(spectrum, CARRIER)
    error = (np.array(lock.shift) - [x, y] + TILE / 2) % TILE - TILE / 2
    assert np.abs(error).max() <= 0.5
    assert p_value(lock.score, SHIFTS) < 1e-6


@given(st.floats(0.7, 1.45), st.floats(-40, 40), st.booleans())
@settings(max_examples=8, deadline=None)
def test_the_wide_search_finds_scale_rotation_and_mirroring(
    scale: float, rotation: float, mirrored: bool
) -> None:
    import cv2

    flat = _pattern((5.0, 9.0), (700, 700), (1.0, 1.0))
    # Turn and scale about the middle, cut out what a camera would see.
    matrix = cv2.getRotationMatrix2D((350, 350), rotation, scale)
    matrix[:, 2] -= [350 - 192, 350 - 128]
    seen = cv2.warpAffine(flat, matrix, (384, 256), flags=cv2.INTER_AREA)
    seen = np.ascontiguousarray(seen[:, ::-1]) if mirrored else seen
    picture = Picture(residual=seen, step=(1.0, 1.0))
    best = candidates(picture, CARRIER, 1.0, 1)[0].geometry
    trials = [
        try_geometry(picture, PUBLISHED_KEY, CARRIER, geometry)
        for geometry in (best, best.nudged(turn=180.0))
    ]
    trial, _ = refine(picture, max(trials, key=lambda one: one.lock.score), 0.003)
    found = trial.geometry
    assert found.mirrored == mirrored
    assert abs(np.sqrt(np.prod(found.scale)) / scale - 1) < 0.01
    assert abs((found.rotation - rotation + 180) % 360 - 180) < 0.7


def test_a_very_long_picture_is_searched_by_one_end() -> None:
    seen = _pattern((5.0, 9.0), (256, 2400), (1.0, 1.0))
    (best,) = candidates(Picture(residual=seen, step=(1.0, 1.0)), CARRIER, 1.0, 1)
    assert best.score > 10
    assert np.allclose(best.geometry.scale, 1.0, atol=0.01)


def test_as_many_shifts_are_looked_at_as_are_charged_for() -> None:
    spectrum = np.ones(len(CARRIER.waves), np.complex64)
    assert _surface(spectrum, CARRIER).size == SHIFTS == (2 * TILE) ** 2


def test_noise_stays_below_the_bound() -> None:
    # The bound must hold, and must not be idle: the largest of 300 is within reach of it.
    rng = np.random.default_rng(11)
    scores = []
    for _ in range(300):
        residual = rng.normal(size=(SHORT_SIDE, SHORT_SIDE)).astype(np.float32)
        spectrum = whiten(lattice_spectrum(residual, CARRIER, (1.0, 1.0)), CARRIER)
        scores.append(find_shift(spectrum, CARRIER).score)
    assert min(p_value(score, SHIFTS) for score in scores) > 1e-4
    assert max(scores) > 4.0


def test_synthesis_and_analysis_are_inverse() -> None:
    rng = np.random.default_rng(2)
    wanted = (rng.normal(size=(2, len(CARRIER.waves))).T @ [1, 1j]).astype(np.complex64)
    pattern = synthesise(wanted, CARRIER, (2 * TILE, 3 * TILE), (1.0, 1.0))
    seen = lattice_spectrum(pattern, CARRIER, (1.0, 1.0)) / np.sqrt(6.0) / TILE
    assert np.allclose(seen, wanted, atol=1e-4)
    assert np.isclose(np.mean(pattern**2), 2 * np.sum(np.abs(wanted) ** 2), rtol=1e-4)


def test_carriers_of_two_keys_are_unrelated_and_each_is_fixed() -> None:
    other = carrier_of(MarkKey(key_id="other", secret=bytes(32)))
    shared = np.sum(CARRIER.phases * np.conj(other.phases)) / len(CARRIER.phases)
    assert abs(shared) < 0.15
    # Frozen: marks already issued must stay readable.
    assert CARRIER.waves.shape == (986, 2)
    assert CARRIER.pilots[:4].tolist() == [21, 38, 47, 67]
    assert np.allclose(CARRIER.phases[:2], [0.62058 - 0.78415j, -0.14644 + 0.98922j], atol=1e-5)


def test_geometry_is_undone_in_the_right_order() -> None:
    residual = _pattern((0.0, 0.0), (256, 384), (1.0, 1.0))
    turned = np.ascontiguousarray(np.rot90(residual)[:, ::-1])
    picture = Picture(residual=turned, step=(1.0, 1.0))
    geometry = Geometry(rotation=90.0, mirrored=True)
    assert try_geometry(picture, PUBLISHED_KEY, CARRIER, geometry).lock.score > 8


# The second tile starts at the edge of the surface of shifts, where it repeats.
@pytest.mark.parametrize("start", [(40.0, 90.0), (0.25, 0.25)])
def test_further_shifts_come_in_order_and_none_is_a_neighbour_of_another(
    start: tuple[float, float],
) -> None:
    residual = _pattern(start, (256, 384), (1.0, 1.0), seed=4)
    spectrum = whiten(lattice_spectrum(residual, CARRIER, (1.0, 1.0)), CARRIER)
    found = find_shifts(spectrum, CARRIER, 12)
    assert found[0] == find_shift(spectrum, CARRIER)
    assert len(found) == 12
    scores = [lock.score for lock in found]
    assert scores == sorted(scores, reverse=True)
    places = np.array([lock.shift for lock in found])
    apart = np.abs((places[:, None] - places[None] + TILE / 2) % TILE - TILE / 2).max(axis=2)
    assert np.all(apart[~np.eye(len(found), dtype=bool)] > 1.0)


@given(st.integers(0, 255), st.integers(0, 255))
@settings(max_examples=20, deadline=None)
def test_a_shift_found_anew_stays_within_a_carrier_pixel(right: int, down: int) -> None:
    noise = np.random.default_rng(9).normal(size=(256, 384)).astype(np.float32)
    spectrum = whiten(lattice_spectrum(noise, CARRIER, (1.0, 1.0)), CARRIER)
    near = (right / 2, down / 2)
    lock = find_shift(spectrum, CARRIER, near)
    error = (np.array(lock.shift) - near + TILE / 2) % TILE - TILE / 2
    assert np.abs(error).max() <= 1.0
    assert lock.score <= find_shift(spectrum, CARRIER).score
