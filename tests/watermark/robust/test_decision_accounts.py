"""What is believed is paid for: every look's share, every way to be believed, every rival."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import decision
from vidigree.watermark.robust.carrier import Carrier, carrier_of
from vidigree.watermark.robust.geometry import Geometry
from vidigree.watermark.robust.modulation import symbols_of
from vidigree.watermark.robust.origin import PLACES
from vidigree.watermark.robust.payload import payload_bits
from vidigree.watermark.robust.reading import Finding, Trial
from vidigree.watermark.robust.significance import p_value, weighted_p_value
from vidigree.watermark.robust.sync import SHIFTS, find_shift

_WRITTEN = 0x0123456789ABCDEF
_BITS = payload_bits(_WRITTEN)


def _decoded(pilot: float, share: float, *, whole: bool) -> Finding:
    """Decode pilots of an amplitude in noise of one."""
    carrier = carrier_of(PUBLISHED_KEY)
    drawn = np.random.default_rng(3).normal(size=(2, len(carrier.waves))) / np.sqrt(2)
    spectrum = drawn[0] + 1j * drawn[1]
    spectrum[carrier.pilots] += pilot * carrier.phases[carrier.pilots]
    trial = _trial(spectrum.astype(np.complex64), carrier)
    return decision.decode_trial(trial, 11, 1, share, whole=whole)


def _trial(spectrum: NDArray[np.complex64], carrier: Carrier) -> Trial:
    return Trial(
        key=PUBLISHED_KEY,
        carrier=carrier,
        geometry=Geometry(),
        lock=find_shift(spectrum, carrier),
        spectrum=spectrum,
    )


def _answer(monkeypatch: pytest.MonkeyPatch, anywhere: float, in_place: float = 1.0) -> None:
    """Let the codeword's tests give these p-values."""
    monkeypatch.setattr(decision, "_anywhere", lambda *_: (_BITS, anywhere))
    monkeypatch.setattr(decision, "_in_place", lambda *_: (_BITS, in_place))


@pytest.mark.parametrize(
    ("chance", "share", "claimed"),
    [(4e-7, 1.0, 8e-7), (2e-7, 0.5, 8e-7), (4e-7, 0.5, None), (6e-7, 1.0, None)],
)
def test_pilot_and_codeword_have_a_half_of_the_share(
    monkeypatch: pytest.MonkeyPatch, chance: float, share: float, claimed: float | None
) -> None:
    for whole in (False, True):
        _answer(monkeypatch, chance)
        found = _decoded(0.0, share, whole=whole)
        assert found.message == (None if claimed is None else _WRITTEN)
        if claimed is not None:
            assert found.p_value == pytest.approx(claimed)


@pytest.mark.parametrize(
    ("chance", "share", "claimed"),
    [(2e-7, 1.0, 8e-7), (1e-7, 0.5, 8e-7), (2e-7, 0.5, None), (3e-7, 1.0, None)],
)
def test_what_stands_in_its_place_has_a_quarter(
    monkeypatch: pytest.MonkeyPatch, chance: float, share: float, claimed: float | None
) -> None:
    _answer(monkeypatch, 1e-3, chance)
    found = _decoded(0.0, share, whole=True)
    assert found.message == (None if claimed is None else _WRITTEN)
    if claimed is not None:
        assert found.p_value == pytest.approx(claimed)
    assert _decoded(0.0, share, whole=False).message is None


def test_the_pilot_alone_has_a_half_or_a_quarter(monkeypatch: pytest.MonkeyPatch) -> None:
    _answer(monkeypatch, 1.0)
    half, quarter = (_decoded(1.5, 1.0, whole=whole) for whole in (False, True))
    assert half.message is None
    assert 0 < half.p_value < 1e-6
    assert quarter.p_value == pytest.approx(2 * half.p_value)
    assert _decoded(1.5, 0.1, whole=False).p_value == pytest.approx(10 * half.p_value)


@pytest.mark.parametrize("stay", [False, True])
def test_what_is_decoded_is_the_parts_weighed_anew(
    monkeypatch: pytest.MonkeyPatch, stay: bool
) -> None:
    carrier = carrier_of(PUBLISHED_KEY)
    sent = symbols_of(_WRITTEN, carrier) * carrier.phases
    nothing = np.zeros(len(carrier.waves), np.complex64)
    lock = find_shift(sent, carrier)
    plain = Trial(
        key=PUBLISHED_KEY, carrier=carrier, geometry=Geometry(), lock=lock, spectrum=nothing
    )
    told: list[Any] = []

    def weighed(trial: Trial, parts: Any, **how: Any) -> Trial:
        told.append((parts, how))
        return replace(trial, spectrum=sent)

    monkeypatch.setattr(decision, "reweighed", weighed)
    parts: Any = ["one", "two"]
    assert decision.decode_trial(plain, 11, 1, 1.0, parts, stay=stay).message == _WRITTEN
    assert told == [(parts, {"stay": stay})]


class _Received:
    """Payloads with scores, some of them where they should be."""

    def __init__(self, scores: list[float], in_place: list[bool]) -> None:
        self.candidates = np.eye(len(scores), dtype=np.uint8)
        self._scores, self._in_place = scores, in_place
        self.trial, self.soft = SimpleNamespace(carrier=None), None
        self.moduli = np.ones(936)

    def score(self, bits: NDArray[np.uint8]) -> float:
        return self._scores[int(bits.argmax())]

    def at_its_place(self, bits: NDArray[np.uint8]) -> bool:
        return self._in_place[int(bits.argmax())]


@pytest.mark.parametrize(
    ("scores", "in_place", "given"),
    [
        # A lead of 0.55 is 6.6 in the logarithm of the likelihood ratio, of 0.6 is 7.2.
        ([12.0, 11.4], [True, True], True),
        ([12.0, 11.45], [True, True], False),
        # Elsewhere only one in 4,096 lies in its place: 8.3 more, so that it may even come first.
        ([12.0, 11.45], [True, False], True),
        ([12.0, 12.1], [True, False], True),
        ([12.0, 12.2], [True, False], False),
        # Hardly a chance among all messages that lie there, or none at all there.
        ([9.0, 0.0], [True, False], False),
        ([12.0, 0.0], [False, False], False),
        # The next in its place counts, the rival that is far behind or not.
        ([12.0, 0.0, 11.9], [True, True, True], True),
    ],
)
def test_a_message_in_its_place_leads_its_rivals(
    monkeypatch: pytest.MonkeyPatch, scores: list[float], in_place: list[bool], given: bool
) -> None:
    received: Any = _Received(scores, in_place)
    monkeypatch.setattr(decision, "rival_of", lambda *_: received.candidates[1])
    monkeypatch.setattr(decision, "outputs_per_bit", lambda _: None)
    bits, chance = decision._in_place(received, 1e-3, 11, 1, 1.0)
    assert (len(bits) > 0) is given
    assert (chance < 1e-3) is given


def test_the_next_in_its_place_is_a_rival_too(monkeypatch: pytest.MonkeyPatch) -> None:
    received: Any = _Received([12.0, 11.9, 0.0], [True, True, True])
    monkeypatch.setattr(decision, "rival_of", lambda *_: received.candidates[2])
    monkeypatch.setattr(decision, "outputs_per_bit", lambda _: None)
    assert decision._in_place(received, 1e-3, 11, 1, 1.0)[1] == 1.0


def test_a_message_in_its_place_is_charged_for_all_that_lie_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    received: Any = _Received([11.0, 0.0], [True, False])
    monkeypatch.setattr(decision, "rival_of", lambda *_: received.candidates[1])
    monkeypatch.setattr(decision, "outputs_per_bit", lambda _: None)
    code_p = p_value(11.0, 1.0, received.moduli)
    expected = 7_000 * 2.0**64 / PLACES * weighted_p_value(1e-6, code_p, 0.4)
    assert expected < 1
    assert decision._in_place(received, 1e-6, 7_000, 1, 1.0)[1] == pytest.approx(expected)
    # A score of 11 is a chance of about 1e-12 among so many messages, too much for this share.
    assert decision._in_place(received, 1e-6, 7_000, 1, 1e-20)[1] == 1.0


def test_the_place_is_told_of_the_pilot_at_one_shift_and_of_all_that_were_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(decision, "_anywhere", lambda *_: (_BITS, 1.0))
    monkeypatch.setattr(decision, "_in_place", lambda *all_: told.append(all_) or (_BITS, 1.0))
    found = _decoded(0.5, 0.25, whole=True)
    ((_, single, looked, decodes, share),) = told
    trial = found.trial
    moduli = np.abs(trial.spectrum[trial.carrier.pilots])
    assert single == pytest.approx(p_value(trial.lock.score, 1.0, moduli))
    assert (looked, decodes, share) == (11 * SHIFTS, 1, 0.25)


def test_a_message_anywhere_is_charged_for_all_there_are_in_every_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    received: Any = _Received([11.0, 0.0], [False, False])
    monkeypatch.setattr(decision, "likeliest", lambda *_: list(received.candidates))
    monkeypatch.setattr(decision, "outputs_per_bit", lambda _: None)
    code_p = p_value(11.0, 3 * 2.0**64, received.moduli)
    bits, chance = decision._anywhere(received, 1e-6, 3, 1.0)
    assert np.array_equal(bits, received.candidates[0])
    # Of the two the product, and what two chances to be small cost.
    assert chance == pytest.approx(1e-6 * code_p * (1.0 - np.log(1e-6 * code_p)), rel=1e-9, abs=0.0)
    # A ten-thousandth of the share is all that a codeword may be by chance.
    assert decision._anywhere(received, 1e-6, 3, 1.01e4 * code_p)[1] == chance
    assert decision._anywhere(received, 1e-6, 3, 0.99e4 * code_p)[1] == 1.0


def test_a_codeword_that_agrees_everywhere_scores_the_sum_of_its_moduli() -> None:
    """Or the tail would be computed of another sum than the one that was tested."""
    carrier = carrier_of(PUBLISHED_KEY)
    kept = np.exp(-((carrier.radii / 0.09) ** 2))  # as of a clip that lost its fine waves
    spectrum = (kept * symbols_of(_WRITTEN, carrier) * carrier.phases).astype(np.complex64)
    received = decision._Received.of(_trial(spectrum, carrier))
    assert received.gain.max() > 5 * received.gain.min()
    whole = received.moduli.sum() / np.sqrt(np.sum(received.moduli**2) / 2)
    assert received.score(_BITS) == pytest.approx(whole, rel=1e-4)


def test_a_message_is_hardly_a_chance_and_leads_clearly() -> None:
    chance = p_value(12.0, 2.0**64, None)
    assert decision.message_p_value([], 2.0**64, 1.0) is None
    assert decision.message_p_value([12.0], 2.0**64, chance) == chance
    assert decision.message_p_value([12.0], 2.0**64, chance / 2) is None
    assert decision.message_p_value([12.0, 11.45], 2.0**64, 1.0) is None
    assert decision.message_p_value([12.0, 11.4, 12.0], 2.0**64, 1.0) == chance
