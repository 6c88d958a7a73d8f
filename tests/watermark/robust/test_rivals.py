"""The likeliest message and its strongest rival."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.payload import (
    PAYLOAD_BITS,
    message_of,
    payload_bits,
    syndromes,
)
from vidigree.watermark.robust.rivals import _neighbours, likeliest, listed

_OUTPUTS = 26
# A change that the checksum does not see; shifted, it is another.
_UNSEEN = 0x12F


def _signs(message: int) -> np.ndarray:
    return 1.0 - 2.0 * ecc.encode(payload_bits(message), _OUTPUTS).astype(np.float32)


def _likeliest(soft: np.ndarray) -> list[np.ndarray]:
    return likeliest(soft, _OUTPUTS, listed(soft, _OUTPUTS))


@given(message=st.integers(0, 2**64 - 1), change=st.integers(1, 2**72 - 1))
@settings(max_examples=200, deadline=None)
def test_syndromes_say_what_the_checksum_sees(message: int, change: int) -> None:
    flips = np.array([change >> bit & 1 for bit in range(PAYLOAD_BITS - 1, -1, -1)], np.uint8)
    seen = np.bitwise_xor.reduce(flips * syndromes()) != 0
    assert (message_of(payload_bits(message) ^ flips) is None) == seen


@pytest.mark.parametrize("place", [0, 1, 7, 20, 33, 48, 55])
def test_the_rival_is_found_wherever_it_differs(place: int) -> None:
    sent = 0x0123456789ABCDEF
    other = sent ^ (_UNSEEN << place & (1 << 64) - 1)
    soft = (0.6 * _signs(sent) + 0.4 * _signs(other)).astype(np.float32)
    # Of what the decoder lists, only the message itself is handed on.
    best, rival = likeliest(soft, _OUTPUTS, payload_bits(sent)[None])
    assert message_of(best) == sent
    assert message_of(rival) == other


@pytest.mark.parametrize("place", [0, 20, 40])
def test_a_neighbour_that_the_decoder_does_not_list_comes_first_where_it_is_likelier(
    place: int,
) -> None:
    first = 0xFEDCBA9876543210
    second = first ^ _UNSEEN << place
    for share in (0.45, 0.55):
        soft = (share * _signs(first) + (1 - share) * _signs(second)).astype(np.float32)
        alone = payload_bits(first)[None]
        best, rival = (message_of(bits) for bits in likeliest(soft, _OUTPUTS, alone))
        assert (best, rival) == ((first, second) if share > 0.5 else (second, first))


def test_all_changes_within_nineteen_bits_that_alter_little_are_tried() -> None:
    changes = _neighbours(_OUTPUTS).bits
    assert len(changes) == 11_504  # docs/watermark.md says so
    assert len(np.unique(changes, axis=0)) == len(changes)
    some = np.random.default_rng(1).choice(len(changes), 200, replace=False)
    altered = np.array([ecc.encode(one, _OUTPUTS).mean() for one in changes[some]])
    assert 0.1 < altered.min() <= altered.max() <= 0.225
    places = [np.flatnonzero(one) for one in changes]
    spans = [
        len(one) and 1 + PAYLOAD_BITS - np.diff(one, append=one[0] + 72).max() for one in places
    ]
    assert max(spans) == 19


def test_no_candidate_without_the_checksum() -> None:
    bits = payload_bits(5)
    bits[30] ^= 1
    soft = 8.0 * (1.0 - 2.0 * ecc.encode(bits, _OUTPUTS))
    found = _likeliest(soft.astype(np.float32))
    assert all(message_of(one) is not None for one in found)
    assert not any(np.array_equal(one, bits) for one in found)
