"""The fast forms of the transforms against their definitions, written out."""

import numpy as np
import pytest
import scipy.fft

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import frontend
from vidigree.watermark.robust.carrier import TILE, carrier_of
from vidigree.watermark.robust.frontend import Picture, residual_of
from vidigree.watermark.robust.geometry import (
    FILTERED,
    UNSCALED,
    Geometry,
    _unfiltered,
    kept_spectrum,
    observed_spectrum,
    spectra_both_ways,
    unscaled_spectra,
    upright_picture,
)
from vidigree.watermark.robust.search import _frames, _power_table, _scan, _spacing, upright
from vidigree.watermark.robust.spectrum import (
    _medians,
    lattice_spectra,
    lattice_spectrum,
    whiten,
)
from vidigree.watermark.robust.sync import find_shift

CARRIER = carrier_of(PUBLISHED_KEY)


@pytest.mark.parametrize("size", [(64, 96), (33, 20), (45, 31), (1, 7), (1, 1)])
def test_lattice_spectra_are_the_direct_transform_at_every_step(size: tuple[int, int]) -> None:
    residual = np.random.default_rng(1).normal(size=size).astype(np.float32)
    y, x = (np.arange(length) + 0.5 for length in size)
    steps = [(1.3, 0.7), (0.25, 2.0), (1.0, 1.0)]
    for step, got in zip(steps, lattice_spectra(residual, CARRIER, steps), strict=True):
        np.testing.assert_allclose(lattice_spectrum(residual, CARRIER, step), got, atol=1e-5)
        for index in range(0, len(CARRIER.waves), 97):
            u, v = CARRIER.waves[index]
            turns = (u * x[None] * step[0] + v * y[:, None] * step[1]) / TILE
            direct = np.sum(residual * np.exp(-2j * np.pi * turns)) / np.sqrt(residual.size)
            assert got[index] == pytest.approx(direct, abs=1e-4)


def test_a_picture_turned_by_180_degrees_needs_no_look_of_its_own() -> None:
    residual = np.random.default_rng(7).normal(size=(203, 151)).astype(np.float32)
    picture = Picture(residual=residual, step=(1.1, 0.9))
    geometry = Geometry(scale=(0.8, 1.3), rotation=31.0, mirrored=True)
    upright = upright_picture(picture, geometry)
    back = Picture(residual=upright.residual[::-1, ::-1].copy(), step=upright.step)
    [there], [turned] = spectra_both_ways(upright, CARRIER, [geometry])
    expected = observed_spectrum(picture, CARRIER, geometry)
    np.testing.assert_allclose(there, expected, atol=1e-4)
    straight = Geometry(scale=geometry.scale)
    np.testing.assert_allclose(turned, observed_spectrum(back, CARRIER, straight), atol=1e-4)


def test_spectra_of_unscaled_geometries_are_what_each_look_gives() -> None:
    residual = np.random.default_rng(8).normal(size=(160, 231)).astype(np.float32)
    picture = Picture(residual=residual, step=(1.2, 1.1))
    spectra = unscaled_spectra(picture, CARRIER, UNSCALED)
    for geometry, spectrum in zip(UNSCALED, spectra, strict=True):
        expected = observed_spectrum(picture, CARRIER, geometry)
        np.testing.assert_allclose(spectrum, expected, atol=1e-4)
        assert kept_spectrum(picture, CARRIER, geometry) is kept_spectrum(
            picture, CARRIER, geometry
        )
        np.testing.assert_array_equal(kept_spectrum(picture, CARRIER, geometry), expected)


def _whitened_by_fft(luma: np.ndarray) -> np.ndarray:
    """Whiten every 16 x 16 block by its own spectrum, and add what overlaps."""
    height, width = luma.shape
    padded = np.pad(
        luma, ((16, 16 + -height % 8), (16, 16 + -width % 8)), "reflect" if height > 32 else "edge"
    )
    window = np.outer(*[np.sqrt(np.hanning(17)[:16])] * 2)
    radius = np.hypot(np.fft.fftfreq(16)[:, None], np.fft.fftfreq(16))
    band = (radius >= 0.03) & (radius <= 0.25)
    total = np.zeros_like(padded)
    for y in range(0, padded.shape[0] - 15, 8):
        for x in range(0, padded.shape[1] - 15, 8):
            block = padded[y : y + 16, x : x + 16]
            spectrum = np.fft.fft2((block - block.mean()) * window)
            spectrum *= band / (np.abs(spectrum) ** 2 + 64) ** 0.6
            total[y : y + 16, x : x + 16] += np.fft.ifft2(spectrum).real * window
    return 16 * total[16 : 16 + height, 16 : 16 + width]


@pytest.mark.parametrize("size", [(48, 64), (37, 51), (20, 9)])
def test_the_residual_is_every_blocks_spectrum_whitened(size: tuple[int, int]) -> None:
    luma = np.random.default_rng(5).uniform(0, 255, size)
    residual = residual_of(luma.astype(np.float32))
    np.testing.assert_allclose(residual, _whitened_by_fft(luma), atol=1e-4)


@pytest.mark.parametrize("blocks", [1, 7, 20])
def test_a_residual_is_the_same_in_strips(monkeypatch: pytest.MonkeyPatch, blocks: int) -> None:
    luma = np.random.default_rng(5).uniform(0, 255, (93, 71)).astype(np.float32)
    whole = residual_of(luma)
    monkeypatch.setattr(frontend, "_BLOCKS_AT_ONCE", blocks)
    np.testing.assert_allclose(residual_of(luma), whole, atol=1e-4)


@pytest.mark.parametrize("level", [0.0, 117.28125, 255.0])
def test_a_picture_of_one_colour_has_no_residual(level: float) -> None:
    assert not residual_of(np.full((64, 114), level, np.float32)).any()


def test_the_power_table_is_the_whole_transform_flattened() -> None:
    residual = np.random.default_rng(9).normal(size=(40, 90)).astype(np.float32)
    table = _power_table(residual)
    assert table.shape == (512, 512)
    middle = table[32:-31, 32:-31]  # nearer to the edge, the level is of what is reflected
    np.testing.assert_allclose(middle, middle[::-1, ::-1], rtol=1e-3)
    window = [np.ones(40), np.ones(90)]
    for line, edge in zip(window, (5, 11), strict=True):
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
        line[:edge], line[-edge:] = ramp, ramp[::-1]
    power = np.abs(np.fft.fft2(residual * np.outer(*window), (512, 512))) ** 2
    around = np.fft.fftshift(power)[240:271, 270:301]
    assert table[255, 285] == pytest.approx(min(6.0, around[15, 15] / around.mean()), rel=1e-3)


def test_the_scan_is_the_mean_of_the_table_where_the_pilot_would_be() -> None:
    table = np.random.default_rng(6).uniform(0, 2, (512, 512)).astype(np.float32)
    scales, step = np.array([0.4, 1.0, 1.5]), (1.1, 0.9)
    frames = [(False, 0.0, 1.0), (True, 33.0, 1.0), (False, 0.0, 1.4)]
    pilots = CARRIER.waves[CARRIER.pilots]
    got = _scan(table, step, CARRIER, scales, frames)
    for row, (mirrored, rotation, aspect) in enumerate(frames):
        turn = np.deg2rad(rotation)
        for column, scale in enumerate(scales):
            fx, fy = pilots[:, 0] / TILE / scale, pilots[:, 1] / TILE / (scale * aspect)
            gx = (fx * np.cos(turn) + fy * np.sin(turn)) * step[0] * (-1 if mirrored else 1)
            gy = (fy * np.cos(turn) - fx * np.sin(turn)) * step[1]
            x, y = (np.rint(256 + 512 * g).astype(int) for g in (gx, gy))
            inside = (x >= 0) & (x < 512) & (y >= 0) & (y < 512)
            values = np.where(inside, table[y.clip(0, 511), x.clip(0, 511)], 1.0)
            expected = (values.mean() - 1) * np.sqrt(len(pilots))
            assert got[row, column] == pytest.approx(expected, abs=1e-4)
    assert got.shape == (3, 3)


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


def test_the_grid_of_the_search_is_as_fine_as_the_picture_asks_for() -> None:
    """Half a cycle at the carrier's finest waves, within limits that a search can afford."""
    for size, step in (((60, 100), 0.012), ((256, 256), 2.4 / 256), ((2400, 256), 0.005)):
        picture = Picture(residual=np.zeros(size, np.float32), step=(1.0, 1.0))
        assert _spacing(picture) == pytest.approx(step)
        frames = list(_frames(step))
        assert frames[len(frames) // 2 :] == [
            (True, *frame) for _, *frame in frames[: len(frames) // 2]
        ]
        plain = frames[: len(frames) // 2]
        turned = np.array([rotation for _, rotation, aspect in plain if aspect == 1.0])
        np.testing.assert_allclose(np.diff(turned, append=180.0)[:-1], np.rad2deg(step))
        assert turned[0] == 0.0
        assert 0 < 180.0 - turned[-1] <= np.rad2deg(step) + 1e-9
        squeezed = np.log([aspect for _, rotation, aspect in plain if aspect != 1.0])
        assert all(rotation == 0.0 for _, rotation, aspect in plain if aspect != 1.0)
        np.testing.assert_allclose(squeezed[::2], -squeezed[1::2])
        np.testing.assert_allclose(np.diff(squeezed[::2]), 1.4 * step)
        assert squeezed[0] == pytest.approx(step)
        assert 0 < 0.5 - squeezed[-2] <= 1.4 * step  # of 1 to 1.65 either way
        scales = np.log([geometry.scale[0] / 2.3 for geometry in upright(picture, 2.3)])
        np.testing.assert_allclose(np.diff(scales), max(0.006, step))
        assert scales[0] == pytest.approx(np.log(0.66))
        assert 0 < np.log(1.52) - scales[-1] <= max(0.006, step)


def test_two_radii_serve_filters_that_invert_fine_waves() -> None:
    """Of discs out of focus, whose waves change their sign at 1, 1.83 and 2.66 times a radius."""
    served = []
    for first_zero in np.arange(0.1, 0.171, 0.005):
        zeros = first_zero * np.array([1.0, 1.831, 2.655])
        changes = np.sum(CARRIER.radii[:, None] >= zeros, axis=1)
        signs = (1.0 - 2.0 * (changes % 2)).astype(np.complex64)
        seen = [_unfiltered(signs, CARRIER, geometry).real.mean() for geometry in FILTERED]
        served.append(max(float(one) for one in seen))
    # Most of the waves are set right whatever the filter, and nearly all of some.
    assert min(served[1:]) > 0.6
    assert float(np.mean(served)) > 0.82


def test_a_ring_is_wider_than_what_stands_out_and_narrower_than_a_slope() -> None:
    order = np.argsort(CARRIER.radii, kind="stable")
    spectrum = np.ones(len(order), np.complex64)
    spectrum[order[400:424]] = 100.0
    white = np.abs(whiten(spectrum, CARRIER))
    np.testing.assert_allclose(white[order[400:424]], 3.0, rtol=1e-5)
    assert white[order[340:480]].min() > 0.6
    spectrum[order[310:434]] = 100.0
    white = np.abs(whiten(spectrum, CARRIER))
    assert 0.6 < white[order[350:394]].min() <= white[order[350:394]].max() < 1.2


def test_every_ring_is_brought_to_one_level() -> None:
    random = np.random.default_rng(3)
    noise = random.normal(size=(2, len(CARRIER.waves)))
    tilted = ((noise[0] + 1j * noise[1]) * CARRIER.radii**-1).astype(np.complex64)
    white = np.abs(whiten(tilted, CARRIER))
    assert white.max() <= 3.0 + 1e-6
    order = np.argsort(CARRIER.radii)
    for ring in np.array_split(order, 6):
        assert float(np.mean(white[ring] ** 2)) == pytest.approx(1.0, abs=0.25)
