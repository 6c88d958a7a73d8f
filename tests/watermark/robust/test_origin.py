"""Where a message's tile starts, and how many messages start there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust.carrier import TILE
from vidigree.watermark.robust.origin import PLACES, at_its_place
from vidigree.watermark.robust.payload import nonce_of

_offsets = st.floats(-0.99, 0.99)


@given(st.integers(0, 2**64 - 1), _offsets, _offsets, st.integers(-2, 2))
def test_a_tile_within_a_carrier_pixel_is_at_its_place(
    message: int, right: float, down: float, tiles: int
) -> None:
    x, y = nonce_of(message, PUBLISHED_KEY)
    shift = (x * TILE + right + tiles * TILE, y * TILE + down)
    assert at_its_place(message, PUBLISHED_KEY, shift)


@given(st.integers(0, 2**64 - 1), st.floats(1.01, TILE - 1.01), st.floats(0, TILE))
def test_a_tile_further_off_is_not(message: int, right: float, down: float) -> None:
    x, y = nonce_of(message, PUBLISHED_KEY)
    for shift in ((x * TILE + right, y * TILE), (x * TILE + right, y * TILE + down)):
        assert not at_its_place(message, PUBLISHED_KEY, shift)


def test_as_few_messages_start_near_a_place_as_are_charged_for() -> None:
    starts = np.array([nonce_of(message, PUBLISHED_KEY) for message in range(40_000)]) * TILE
    near = np.abs((starts[:, None] - np.arange(1.0, TILE, 2.0)[None, :, None]) % TILE)
    # Places two carrier pixels apart: every message starts near one of 64 along either axis.
    assert np.all(np.any((near <= 1.0) | (near >= TILE - 1.0), axis=1))
    assert PLACES == 64 * 64
    here = sum(at_its_place(message, PUBLISHED_KEY, (31.0, 77.0)) for message in range(40_000))
    assert 2 <= here <= 24
