"""Whether the climb to the best nearby geometry is paid for: p-values of wrong keys against shares.

    python benchmarks/mark_climb.py [--trials 400] [--seed 1] [--tilt 6.4]

The wide search tests the pilot at many scales and climbs from the two best to the best geometry
nearby. Where it goes is told by the pilot that it is judged by, so that more than what it visited
has to be charged for. Here a picture of noise is searched with wrong keys, along scale alone.
Chances of 1e-3 and less are measured by importance sampling: keys are drawn that agree with the
picture by chance near a scale and at a shift drawn at random, and each counts as much as such a key
is rare (Adler, Blanchet and Liu, 2012, do so for maxima of random fields). Printed is how often a
p-value comes to each level, as a multiple of what it claims, with its standard error: as the search
charges, and if it charged for no more than what it visited.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0e

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import detector
from vidigree.watermark.robust.carrier import TILE, Carrier, carrier_of
from vidigree.watermark.robust.detector import Detector
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.geometry import Geometry, scaled_spectra, upright_picture
from vidigree.watermark.robust.search import upright
from vidigree.watermark.robust.significance import p_value
from vidigree.watermark.robust.sync import SHIFTS, _surface

LEVELS = (1e-2, 1e-3, 1e-4)
OFFSETS = (-0.009, -0.006, -0.003, 0.0, 0.003, 0.006, 0.009)
NEAR = 2  # scales to either side that count as near


class Drawing:
    """Wrong keys that agree with a picture by chance, and how rare each is."""

    def __init__(self, picture: Picture, tilt: float, rng: np.random.Generator) -> None:
        self._picture, self._tilt, self._rng = picture, tilt, rng
        self._carrier = carrier_of(PUBLISHED_KEY)  # its waves; phases are drawn
        self._scales = upright(picture, 1.0)
        self._known: dict[int, list[NDArray[np.complex64]]] = {}

    def draw(self) -> tuple[Carrier, int]:
        """Return a carrier that agrees with the picture near a scale, and which scale that is."""
        carrier, pilots = self._carrier, self._carrier.pilots
        place = int(self._rng.integers(len(self._scales)))
        seen = self._spectra(place)[int(self._rng.integers(len(OFFSETS) ** 2))][pilots]
        shift = self._rng.integers(2 * TILE, size=2) / 2
        agreeing = self._rng.vonmises(0.0, self._tilt * _moduli(seen))
        turns = carrier.waves[pilots] @ shift / TILE
        phases = carrier.phases.copy()
        phases[pilots] = np.exp(1j * (np.angle(seen) + 2 * np.pi * turns - agreeing))
        return replace(carrier, phases=phases), place

    def weight(self, carrier: Carrier, place: int, found: Geometry) -> float:
        """Return how much a key counts that was drawn near a scale and found somewhere.

        Every key is told by those places alone that are near to where it is found: so no place of
        the others needs to be looked at, and the sum over all places is what plain keys give.
        """
        logs = np.log([scale.scale[0] for scale in self._scales])
        nearest = int(np.argmin(np.abs(logs - np.log(found.scale[0]))))
        if abs(nearest - place) > NEAR:
            return 0.0
        near = range(max(0, nearest - NEAR), min(len(logs), nearest + NEAR + 1))
        density = sum(self._density(one, carrier) for at in near for one in self._spectra(at))
        return len(logs) * len(OFFSETS) ** 2 * SHIFTS / density

    def _density(self, spectrum: NDArray[np.complex64], carrier: Carrier) -> float:
        moduli = self._tilt * _moduli(spectrum[carrier.pilots])
        cumulant = float(np.sum(np.log(i0e(moduli)) + moduli))
        return float(np.exp(self._tilt * _surface(spectrum, carrier) - cumulant).sum())

    def _spectra(self, place: int) -> list[NDArray[np.complex64]]:
        """Return the spectra of a scale and of its neighbours in aspect and rotation."""
        if place not in self._known:
            scale = self._scales[place]
            self._known[place] = list(_nearby(self._picture, self._carrier, scale))
        return self._known[place]


def _nearby(picture: Picture, carrier: Carrier, scale: Geometry) -> Iterator[NDArray[np.complex64]]:
    for turn in OFFSETS:
        geometries = [scale.nudged(y=y, turn=float(np.rad2deg(turn))) for y in OFFSETS]
        yield from scaled_spectra(upright_picture(picture, geometries[0]), carrier, geometries)


def _moduli(seen: NDArray[np.complex64]) -> NDArray[np.float64]:
    """Return what each pilot adds at most to the score, standard deviations."""
    moduli = np.abs(seen).astype(np.float64)
    return moduli / np.sqrt(np.sum(moduli**2) / 2)


def searched(
    picture: Picture, carrier: Carrier, tried: int
) -> tuple[float, float, Geometry | None]:
    """Return the smallest p-value of the search, what it would be for visits alone, and where."""
    finder: Any = Detector([PUBLISHED_KEY], Fraction(24))
    finder._keys = [(PUBLISHED_KEY, carrier)]  # noqa: SLF001
    best, looked = finder._searched_at(1.0, picture)  # noqa: SLF001
    visited = tried + len(best) * (looked // tried - 1)  # of two climbs as long as the longer one
    judged = [
        (p_value(one.lock.score, 1.0, np.abs(one.spectrum[carrier.pilots])), one.geometry)
        for one in best
    ]
    chance, found = min(judged, key=lambda pair: pair[0], default=(1.0, None))
    return chance * looked * SHIFTS, chance * visited * SHIFTS, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tilt", type=float, default=6.4, help="score that is aimed at")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    residual = rng.normal(size=(256, 256)).astype(np.float32)
    picture = Picture(residual=residual, step=(1.0, 1.0))
    # Candidates by magnitudes are charged like the others, and are not what is asked about.
    detector.candidates = lambda *_: []
    drawing = Drawing(picture, arguments.tilt, rng)
    rows = []
    for _ in range(arguments.trials):
        carrier, place = drawing.draw()
        charged, visited, found = searched(picture, carrier, len(upright(picture, 1.0)))
        seen = found is not None and visited <= max(LEVELS)
        weight = drawing.weight(carrier, place, found) if found is not None and seen else 0.0
        rows.append((charged, visited, weight))
    *claims, weights = np.array(rows).T
    print(f"{len(rows)} keys, tilt {arguments.tilt:g}")
    for level in LEVELS:
        counts = [weights * (claim <= level) / level for claim in claims]
        charged, visited = (
            f"{count.mean():.2f} +- {count.std() / np.sqrt(len(count)):.2f}" for count in counts
        )
        print(f"claimed p <= {level:g}: {charged} times that; for visits alone {visited}")


if __name__ == "__main__":
    main()
