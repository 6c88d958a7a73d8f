"""What is believed once a place is found: messages that stand out, and no others."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust.carrier import TILE, carrier_of
from vidigree.watermark.robust.decision import decode_trial
from vidigree.watermark.robust.geometry import UNSCALED, Geometry
from vidigree.watermark.robust.modulation import symbols_of_payload
from vidigree.watermark.robust.payload import nonce_of, payload_bits
from vidigree.watermark.robust.reading import Finding, Trial
from vidigree.watermark.robust.sync import Lock, find_shift

_WRITTEN = 0x0123456789ABCDEF
# A change that the checksum does not see; shifted, it is another.
_UNSEEN = 0x12F


def _found(first: float, second: float, noise: float, place: int = 20) -> Finding:
    """Decode a spectrum that holds two messages, each at its own amplitude."""
    neighbour = _WRITTEN ^ _UNSEEN << place
    carrier = carrier_of(PUBLISHED_KEY)
    one, two = (symbols_of_payload(payload_bits(m), carrier) for m in (_WRITTEN, neighbour))
    symbols = first * one + second * two
    symbols[carrier.pilots] = max(first, second)
    return decode_trial(_trial(symbols, noise, 5, (0.0, 0.0)), len(UNSCALED), 1)


def _trial(
    symbols: NDArray[np.complex64], noise: float, seed: int, shift: tuple[float, float]
) -> Trial:
    """Return what is received of a tile that starts there, in Gaussian noise."""
    carrier = carrier_of(PUBLISHED_KEY)
    drawn = np.random.default_rng(seed).normal(size=(2, len(symbols))) * noise / np.sqrt(2)
    turns = carrier.waves @ np.array(shift) / TILE
    sent = symbols * carrier.phases * np.exp(-2j * np.pi * turns)
    spectrum = (sent + drawn[0] + 1j * drawn[1]).astype(np.complex64)
    return Trial(
        key=PUBLISHED_KEY,
        carrier=carrier,
        geometry=Geometry(),
        lock=find_shift(spectrum, carrier),
        spectrum=spectrum,
    )


def _weak(
    seed: int, *, whole: bool, away: float = 0.0, share: float = 1.0, decodes: int = 1
) -> Finding:
    """Decode a codeword that scores about 9.7, its tile where it should be or away from it."""
    carrier = carrier_of(PUBLISHED_KEY)
    symbols = 0.225 * symbols_of_payload(payload_bits(_WRITTEN), carrier)
    symbols[carrier.pilots] = 0.62
    x, y = nonce_of(_WRITTEN, PUBLISHED_KEY)
    trial = _trial(symbols, 1.0, seed, (x * TILE + away, y * TILE))
    return decode_trial(trial, len(UNSCALED), decodes, share, whole=whole)


@pytest.mark.parametrize("noise", [0.01, 1.0])
def test_a_message_that_stands_out_is_read(noise: float) -> None:
    found = _found(0.9, 0.0, noise)
    assert found.message == _WRITTEN
    assert found.p_value < 1e-12


@pytest.mark.parametrize("place", [0, 10, 20, 30, 40, 50])
def test_of_two_messages_equally_likely_none_is_given_but_the_mark_is_seen(place: int) -> None:
    # The codeword's own test passes for both: nothing but their nearness speaks against either.
    found = _found(0.5, 0.5, 0.01, place)
    assert found.message is None
    assert found.bit_confidence == ()
    assert found.p_value <= 1e-6


def test_the_likelier_of_two_is_given_where_it_leads_clearly() -> None:
    assert _found(0.8, 0.1, 0.3).message == _WRITTEN


# One message in four thousand starts where this one does: of so few, a weaker one stands out.
@pytest.mark.parametrize("seed", [0, 1])
def test_a_weak_message_is_read_where_its_tile_starts_where_it_should(seed: int) -> None:
    assert _weak(seed, whole=True).message == _WRITTEN
    assert _weak(seed, whole=False).message is None


@pytest.mark.parametrize("seed", [0, 1])
def test_the_place_speaks_for_no_message_whose_tile_starts_elsewhere(seed: int) -> None:
    assert _weak(seed, whole=True, away=9.0).message is None


def test_the_place_alone_carries_no_message_whose_pilot_is_hardly_seen() -> None:
    symbols = 0.215 * symbols_of_payload(payload_bits(_WRITTEN), carrier_of(PUBLISHED_KEY))
    x, y = nonce_of(_WRITTEN, PUBLISHED_KEY)
    trial = _trial(symbols, 1.0, 0, (x * TILE, y * TILE))
    at_its_place = replace(trial, lock=Lock(shift=(x * TILE, y * TILE), score=3.0))
    assert decode_trial(at_its_place, len(UNSCALED), 1, whole=True).message is None
    clear = replace(at_its_place, lock=Lock(shift=(x * TILE, y * TILE), score=6.5))
    assert decode_trial(clear, len(UNSCALED), 1, whole=True).message == _WRITTEN


def test_shares_and_decodings_are_paid_for() -> None:
    first = _weak(0, whole=True)
    again = _weak(0, whole=True, share=0.5)
    assert again.p_value == pytest.approx(2 * first.p_value)
    assert _weak(0, whole=True, share=1e-3).message is None
    assert _weak(0, whole=True, decodes=1000).message is None


@pytest.mark.parametrize("spectrum", ["zero", "noise"])
def test_where_nothing_is_written_nothing_is_read(spectrum: str) -> None:
    carrier = carrier_of(PUBLISHED_KEY)
    nothing = np.zeros(len(carrier.waves), np.complex64)
    trial = _trial(nothing, float(spectrum == "noise"), 2, (0.0, 0.0))
    found = decode_trial(trial, len(UNSCALED), 1, whole=True)
    assert found.message is None
    assert found.p_value > 1e-3
