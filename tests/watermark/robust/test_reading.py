"""How strongly a picture holds a mark that was found elsewhere."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import reading
from vidigree.watermark.robust.carrier import TILE, carrier_of
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.geometry import Geometry
from vidigree.watermark.robust.modulation import symbols_of
from vidigree.watermark.robust.reading import (
    Finding,
    Trial,
    message_score_of,
    refine,
    reweighed,
    score_of,
)
from vidigree.watermark.robust.spectrum import synthesise
from vidigree.watermark.robust.sync import Lock, find_shift

CARRIER = carrier_of(PUBLISHED_KEY)
PLACE = (31.0, 77.5)
FIRST, SECOND = 0x0123456789ABCDEF, 0x5DEECE66D1234567


def _marked(message: int) -> Picture:
    """Return a residual that holds nothing but a message whose tile starts at one place."""
    turns = CARRIER.waves @ np.array(PLACE) / TILE
    sent = symbols_of(message, CARRIER) * CARRIER.phases * np.exp(-2j * np.pi * turns)
    size = (2 * TILE, 3 * TILE)
    return Picture(
        residual=synthesise(sent.astype(np.complex64), CARRIER, size, (1.0, 1.0)), step=(1.0, 1.0)
    )


def _finding(message: int) -> Finding:
    trial = Trial(
        key=PUBLISHED_KEY,
        carrier=CARRIER,
        geometry=Geometry(),
        lock=Lock(shift=PLACE, score=9.0),
        spectrum=np.zeros(len(CARRIER.waves), np.complex64),
    )
    return Finding(
        trial=trial,
        message=message,
        p_value=1e-20,
        symbols=symbols_of(message, CARRIER),
        bit_confidence=(),
    )


@pytest.mark.parametrize("message", [FIRST, SECOND])
def test_a_message_is_known_by_its_data_alone(message: int) -> None:
    picture = _marked(message)
    own, other = (_finding(one) for one in (message, FIRST ^ SECOND ^ message))
    # All points agree: of 936 the score is the root of 1872, of all 986 that of 1972.
    assert message_score_of(picture, own) == pytest.approx(1872**0.5, rel=0.01)
    assert score_of(picture, own) == pytest.approx(1972**0.5, rel=0.01)
    # The other's pilot is the same: by itself about two deviations more than its data give.
    assert abs(message_score_of(picture, other)) < 3.0
    assert score_of(picture, other) > message_score_of(picture, other) + 1.5
    assert own.symbols[CARRIER.pilots].all()


@pytest.mark.parametrize("away", [0.0, 0.02])
def test_every_geometry_that_is_climbed_over_is_counted(
    monkeypatch: pytest.MonkeyPatch, away: float
) -> None:
    tried: list[Geometry] = []

    def found(geometry: Geometry) -> Any:
        """Score best where the carrier is a little larger along x and a degree turned."""
        off = [geometry.scale[0] - 1 - away, geometry.scale[1] - 1]
        off.append(np.deg2rad(geometry.rotation) - away)
        lock = SimpleNamespace(score=9.0 - float(np.hypot.reduce(off)))
        return SimpleNamespace(key=None, carrier=None, geometry=geometry, lock=lock)

    def try_scales(_: Any, __: Any, ___: Any, some: list[Geometry]) -> list[Any]:
        tried.extend(some)
        return [found(one) for one in some]

    monkeypatch.setattr(reading, "try_scales", try_scales)
    monkeypatch.setattr(reading, "upright_picture", lambda picture, _: picture)
    nothing: Any = None
    best, looked = refine(nothing, found(Geometry()), 0.006)
    assert looked == len(tried)
    # Steps of .006, .003, .0015 and .00075 in eight directions each, or more of them on the way.
    assert (looked == 32) if away == 0.0 else (looked > 60)
    assert best.lock.score > 9.0 - 0.00075 * 3**0.5


def _data_score(spectrum: Any) -> float:
    """Return how strongly a spectrum holds the first message, by its data."""
    sent = (symbols_of(FIRST, CARRIER) * CARRIER.phases)[CARRIER.data]
    seen = spectrum[CARRIER.data]
    return float(np.sum((seen * np.conj(sent)).real) / np.sqrt(np.sum(np.abs(seen) ** 2) / 2))


@pytest.mark.parametrize(
    ("amplitudes", "shared", "gain"),
    [
        # One part of six holds the mark: nearly all of it is to be had.
        ([0.5, 0.0, 0.0, 0.0, 0.0, 0.0], 0.0, 1.8),
        # All show one picture, one of them with more of the mark: the picture cancels.
        ([0.4, 0.2, 0.2, 0.2], 0.9, 1.4),
    ],
    ids=["one part", "one picture"],
)
def test_parts_count_as_much_as_they_hold_of_the_pilot(
    monkeypatch: pytest.MonkeyPatch, amplitudes: list[float], shared: float, gain: float
) -> None:
    rng = np.random.default_rng(4)
    sent = symbols_of(FIRST, CARRIER) * CARRIER.phases
    sent[CARRIER.pilots] *= 2.6  # as much more as they are embedded with
    count, own = len(CARRIER.waves), np.sqrt(1 - shared**2)
    drawn = rng.normal(size=(len(amplitudes) + 1, 2, count)) / np.sqrt(2)
    background, *rests = drawn[:, 0] + 1j * drawn[:, 1]
    parts: Any = [
        (1.0, (amplitude * sent + shared * background + own * rest).astype(np.complex64))
        for amplitude, rest in zip(amplitudes, rests, strict=True)
    ]
    monkeypatch.setattr(reading, "kept_spectrum", lambda spectrum, *_: spectrum)
    plain = np.sum([spectrum for _, spectrum in parts], axis=0)
    trial = Trial(
        key=PUBLISHED_KEY,
        carrier=CARRIER,
        geometry=Geometry(),
        lock=find_shift(plain, CARRIER),
        spectrum=plain,
    )
    again = reweighed(trial, parts)
    assert again.lock.shift == (0.0, 0.0)
    assert _data_score(again.spectrum) > gain * _data_score(plain)
