"""All looks at a file together may give no more false alarms than one may."""

import numpy as np
import pytest

from vidigree.watermark.robust.budget import Look, share_of


def test_the_shares_add_up_to_one_at_most() -> None:
    numbers = range(1, 20_001)
    searches = sum(share_of(number, Look.AS_IT_IS) for number in numbers) / Look.AS_IT_IS.share
    turns = sum(share_of(1, Look.INSIDE, number) for number in numbers) / share_of(1, Look.INSIDE)
    # What is left of the sum lies under the integral of 1 / (k (1 + log k)**2).
    rest = 0.25 / (1.0 + np.log(20_000))
    assert searches + rest <= 1.0
    assert turns + rest <= 1.0
    assert sum(look.share for look in Look) == pytest.approx(1.0)


def test_the_first_look_pays_least() -> None:
    first = share_of(1, Look.AS_IT_IS)
    assert first > 0.25
    assert all(share_of(1, look) < first for look in Look if look is not Look.AS_IT_IS)
    assert share_of(2, Look.AS_IT_IS) < first
    # The last look at an hour's film, in blocks of ten seconds.
    assert share_of(360, Look.AS_IT_IS) > 1e-6
