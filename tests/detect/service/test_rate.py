"""The token bucket."""

from __future__ import annotations

from vidigree.detect.service.rate import RateLimiter


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_allowed_and_then_an_even_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    assert [limiter.take("a", 3) for _ in range(4)] == [0, 0, 0, 20]
    clock.now = 19.0
    assert limiter.take("a", 3) == 1
    clock.now = 20.0
    assert limiter.take("a", 3) == 0
    assert limiter.take("a", 3) == 20


def test_callers_do_not_pay_for_each_other() -> None:
    limiter = RateLimiter(Clock())
    assert limiter.take("a", 1) == 0
    assert limiter.take("a", 1) == 60
    assert limiter.take("b", 1) == 0


def test_a_long_pause_saves_up_no_more_than_a_burst() -> None:
    clock = Clock()
    limiter = RateLimiter(clock)
    limiter.take("a", 2)
    clock.now = 1e6
    assert [limiter.take("a", 2) > 0 for _ in range(3)] == [False, False, True]
