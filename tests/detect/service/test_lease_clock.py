"""A clock that jumps ends no lease of who lives."""

from __future__ import annotations

import pytest

from vidigree.detect.service import job_store
from vidigree.detect.service.database import open_database
from vidigree.detect.service.job_store import JobOptions, JobStore
from vidigree.detect.service.lease_clock import LeaseClock


class Clocks:
    day = 1e9
    steady = 5.0

    def pass_(self, seconds: float, jump: float = 0.0) -> None:
        self.day += seconds + jump
        self.steady += seconds


def test_after_a_jump_it_waits_for_who_lives() -> None:
    clocks = Clocks()
    over = LeaseClock(30.0, lambda: clocks.day, lambda: clocks.steady).over
    assert over() == clocks.day
    clocks.pass_(10, jump=0.1)  # as clocks drift
    assert over() == clocks.day
    clocks.pass_(1, jump=3600)
    assert over() == pytest.approx(clocks.day - 3600)
    clocks.pass_(20, jump=100)  # once more, meanwhile
    assert over() == pytest.approx(clocks.day - 3700)
    clocks.pass_(29)
    assert over() == pytest.approx(clocks.day - 3700)
    clocks.pass_(1)
    assert over() == clocks.day


def test_a_clock_that_is_set_back_again_is_believed() -> None:
    clocks = Clocks()
    over = LeaseClock(30.0, lambda: clocks.day, lambda: clocks.steady).over
    clocks.pass_(1, jump=3600)
    assert over() == pytest.approx(clocks.day - 3600)
    clocks.pass_(1, jump=-3600)
    assert over() == pytest.approx(clocks.day)
    clocks.pass_(1, jump=-100)
    assert over() == pytest.approx(clocks.day)


def test_a_job_at_work_is_not_taken_up_twice(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it was where the machine slept over its lease, and given up after the third time."""
    engine = open_database(ledger_url)
    store = JobStore(engine, lease_seconds=30, max_attempts=3)
    running = store.receive(owner="", spool="here", max_queue=9)
    coming = store.receive(owner="", spool="here", max_queue=9)
    assert running is not None
    assert coming is not None
    assert store.enqueue(running, name="a", options=JobOptions())
    claimed = store.claim("here")
    assert claimed is not None
    now = job_store.time.time
    monkeypatch.setattr(job_store.time, "time", lambda: now() + 60)
    store._leases._clock = job_store.time.time
    assert store.claim("here") is None
    assert store.sweep() == 0
    assert store.waiting_uploads("here") == {running.job_id, coming.job_id}
    store.renew([str(claimed.lease)])
    store._leases._wait_until = 0.0  # a lease later
    assert store.claim("here") is None
    assert store.sweep() == 1  # whose service did not live
    engine.dispose()
