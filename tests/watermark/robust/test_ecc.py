import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.payload import PAYLOAD_BITS, agrees, message_of, payload_bits

messages = st.integers(0, 2**64 - 1)


# With fewer than five outputs some messages of few ones have neighbours that are as likely; a
# carrier holds 26.
@given(messages, st.integers(5, 26))
@settings(max_examples=15, deadline=None)
def test_a_clean_block_decodes_to_itself(message: int, outputs: int) -> None:
    bits = payload_bits(message)
    soft = 1.0 - 2.0 * ecc.encode(bits, outputs).astype(np.float32)
    assert np.array_equal(ecc.decode(soft, outputs)[0], bits)


@given(messages, st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_a_block_far_above_the_noise_limit_decodes(message: int, seed: int) -> None:
    # Energy per message bit over noise density of 5 dB; the code needs about 3.
    outputs, ratio = 22, 10**0.5
    amplitude = np.sqrt(2 * ratio * 64 / (PAYLOAD_BITS * outputs))
    sent = 1.0 - 2.0 * ecc.encode(payload_bits(message), outputs)
    noise = np.random.default_rng(seed).normal(size=sent.shape)
    received = (amplitude * sent + noise).astype(np.float32)
    found = [message_of(bits) for bits in ecc.decode(received, outputs)]
    assert next(value for value in found if value is not None) == message


def test_noise_alone_seldom_passes_the_checksum() -> None:
    rng = np.random.default_rng(5)
    passed = sum(
        message_of(ecc.decode(soft, 22)[0]) is not None
        for soft in rng.normal(size=(60, PAYLOAD_BITS * 22)).astype(np.float32)
    )
    assert passed <= 3


def test_a_longer_list_holds_what_a_shorter_one_lacks() -> None:
    rng = np.random.default_rng(11)
    held = {1 << 8: 0, 1 << 11: 0, 1 << 15: 0}
    for _ in range(12):
        bits = payload_bits(int.from_bytes(rng.bytes(8), "big"))
        sent = 1.0 - 2.0 * ecc.encode(bits, 26)
        # Ten standard deviations in all: hardly one such block is the likeliest of all 2^72.
        soft = (sent * 10.0 / np.sqrt(sent.size) + rng.normal(size=sent.size)).astype(np.float32)
        for paths in held:
            found = ecc.decode(soft, 26, paths, agrees)
            assert len(np.unique(found, axis=0)) == len(found) <= paths
            assert all(message_of(one) is not None for one in found)
            held[paths] += bool(np.any(np.all(found == bits, axis=1)))
    assert held[1 << 8] < held[1 << 15] >= held[1 << 11] >= held[1 << 8]
    assert held[1 << 15] >= 7


def test_candidates_come_in_order_of_how_well_they_agree() -> None:
    soft = np.random.default_rng(3).normal(size=PAYLOAD_BITS * 26).astype(np.float32)
    found = ecc.decode(soft, 26, 512)
    agreement = [float(soft @ (1.0 - 2.0 * ecc.encode(bits, 26))) for bits in found]
    assert agreement == sorted(agreement, reverse=True)


@given(st.lists(st.integers(0, 2**72 - 1), min_size=1, max_size=5))
def test_all_checksums_at_once_are_each_ones(values: list[int]) -> None:
    blocks = np.array([[v >> bit & 1 for bit in range(71, -1, -1)] for v in values], np.uint8)
    blocks[0] = payload_bits(values[0] >> 8)
    assert agrees(blocks).tolist() == [message_of(one) is not None for one in blocks]


def test_the_ring_has_no_beginning() -> None:
    # Tail-biting: rotating the block rotates its code.
    bits = payload_bits(0x0123456789ABCDEF)
    code = ecc.encode(bits, 7).reshape(-1, 7)
    turned = ecc.encode(np.roll(bits, 5), 7).reshape(-1, 7)
    assert np.array_equal(turned, np.roll(code, 5, axis=0))


def test_the_first_round_forgets_where_the_ring_was_cut() -> None:
    """One path is followed: were the start not forgotten, it would often be a wrong one."""
    rng = np.random.default_rng(1)
    right = 0
    for _ in range(16):
        bits = payload_bits(int.from_bytes(rng.bytes(8), "big"))
        sent = 1.0 - 2.0 * ecc.encode(bits, 26)
        soft = (sent * 12.5 / np.sqrt(sent.size) + rng.normal(size=sent.size)).astype(np.float32)
        right += np.array_equal(ecc.decode(soft, 26, 1)[0], bits)
    assert right >= 14


def test_soft_bits_are_the_same_wherever_the_ring_is_cut() -> None:
    sent = 1.0 - 2.0 * ecc.encode(payload_bits(12345), 26)
    soft = (0.3 * sent + np.random.default_rng(2).normal(size=sent.shape)).astype(np.float32)
    here = ecc.soft_bits(soft, 26)
    turned = ecc.soft_bits(np.roll(soft.reshape(-1, 26), 7, axis=0).ravel(), 26)
    assert np.abs(np.roll(here, 7) - turned).max() < 0.2 * np.abs(here).mean()


@given(messages)
@settings(max_examples=10, deadline=None)
def test_soft_bits_agree_with_the_block(message: int) -> None:
    bits = payload_bits(message)
    rng = np.random.default_rng(message % 1000)
    sent = 1.0 - 2.0 * ecc.encode(bits, 22)
    soft = (sent + rng.normal(size=sent.shape)).astype(np.float32)
    assert np.array_equal(ecc.soft_bits(soft, 22) < 0, bits.astype(bool))


@pytest.mark.parametrize("message", [0, 1, 2**63, 2**64 - 1])
def test_payload_round_trip(message: int) -> None:
    assert message_of(payload_bits(message)) == message


@given(messages, st.integers(0, PAYLOAD_BITS - 1))
def test_one_wrong_bit_is_noticed(message: int, place: int) -> None:
    bits = payload_bits(message)
    bits[place] ^= 1
    assert message_of(bits) is None


@pytest.mark.parametrize("message", [-1, 2**64])
def test_a_message_that_does_not_fit_is_refused(message: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        payload_bits(message)
