"""The fast forms of the transforms against their definitions, written out."""

import numpy as np
import pytest
import scipy.fft

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust.carrier import TILE, carrier_of
from vidigree.watermark.robust.spectrum import _medians, lattice_spectrum, whiten
from vidigree.watermark.robust.sync import find_shift

CARRIER = carrier_of(PUBLISHED_KEY)


@pytest.mark.parametrize(("size", "step"), [((64, 96), (1.3, 0.7)), ((33, 20), (0.25, 2.0))])
def test_the_lattice_spectrum_is_the_direct_transform(
    size: tuple[int, int], step: tuple[float, float]
) -> None:
    residual = np.random.default_rng(1).normal(size=size).astype(np.float32)
    y, x = (np.arange(length) + 0.5 for length in size)
    got = lattice_spectrum(residual, CARRIER, step)
    for index in range(0, len(CARRIER.waves), 97):
        u, v = CARRIER.waves[index]
        turns = (u * x[None] * step[0] + v * y[:, None] * step[1]) / TILE
        direct = np.sum(residual * np.exp(-2j * np.pi * turns)) / np.sqrt(residual.size)
        assert got[index] == pytest.approx(direct, abs=1e-4)


def test_the_shift_is_where_the_whole_inverse_transform_peaks() -> None:
    random = np.random.default_rng(2)
    noise = random.normal(size=(2, len(CARRIER.waves)))
    spectrum = (noise[0] + 1j * noise[1]).astype(np.complex64)
    chosen = spectrum[CARRIER.pilots] * np.conj(CARRIER.phases[CARRIER.pilots])
    waves = CARRIER.waves[CARRIER.pilots]
    grid = np.zeros((2 * TILE, 2 * TILE), np.complex64)
    grid[waves[:, 1], waves[:, 0]] = chosen
    surface = scipy.fft.ifft2(grid, norm="forward").real
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    lock = find_shift(spectrum, CARRIER)
    assert lock.shift == (column / 2, row / 2)
    spread = np.sqrt(np.sum(np.abs(chosen) ** 2) / 2)
    assert lock.score == pytest.approx(surface.max() / spread, rel=1e-5)


@pytest.mark.parametrize("points", [61, 62])
def test_medians_are_those_of_numpy(points: int) -> None:
    rows = np.random.default_rng(4).random((7, points), np.float32)
    np.testing.assert_array_equal(_medians(rows), np.median(rows, axis=1))


def test_every_ring_is_brought_to_one_level() -> None:
    random = np.random.default_rng(3)
    noise = random.normal(size=(2, len(CARRIER.waves)))
    tilted = ((noise[0] + 1j * noise[1]) * CARRIER.radii**-1).astype(np.complex64)
    white = np.abs(whiten(tilted, CARRIER))
    assert white.max() <= 3.0 + 1e-6
    order = np.argsort(CARRIER.radii)
    for ring in np.array_split(order, 6):
        assert float(np.mean(white[ring] ** 2)) == pytest.approx(1.0, abs=0.25)
