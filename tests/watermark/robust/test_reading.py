"""What is believed once a place is found: messages that stand out, and no others."""

import numpy as np
import pytest

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust.carrier import carrier_of
from vidigree.watermark.robust.geometry import Geometry
from vidigree.watermark.robust.modulation import symbols_of_payload
from vidigree.watermark.robust.payload import payload_bits
from vidigree.watermark.robust.reading import Finding, Trial, decode_trial
from vidigree.watermark.robust.sync import find_shift

_WRITTEN = 0x0123456789ABCDEF
# A change that the checksum does not see; shifted, it is another.
_UNSEEN = 0x12F


def _found(first: float, second: float, noise: float, place: int = 20) -> Finding:
    """Decode a spectrum that holds two messages, each at its own amplitude."""
    carrier = carrier_of(PUBLISHED_KEY)
    neighbour = _WRITTEN ^ _UNSEEN << place
    one, two = (symbols_of_payload(payload_bits(m), carrier) for m in (_WRITTEN, neighbour))
    symbols = first * one + second * two
    symbols[carrier.pilots] = max(first, second)
    rng = np.random.default_rng(5)
    drawn = rng.normal(size=(2, len(symbols))) * noise / np.sqrt(2)
    spectrum = (symbols * carrier.phases + drawn[0] + 1j * drawn[1]).astype(np.complex64)
    trial = Trial(
        key=PUBLISHED_KEY,
        carrier=carrier,
        geometry=Geometry(),
        lock=find_shift(spectrum, carrier),
        spectrum=spectrum,
    )
    return decode_trial(trial, 8, 1)


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
