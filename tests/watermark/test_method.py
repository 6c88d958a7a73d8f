"""P-values are written for people no finer than they can be held to."""

from __future__ import annotations

import pytest

from vidigree.watermark.method import p_value_text


@pytest.mark.parametrize(
    ("p_value", "text"),
    [(1.0, "p = 1"), (0.034, "p = 0.034"), (2e-9, "p = 2e-09"), (4e-280, "p < 1e-12")],
)
def test_p_values_for_people(p_value: float, text: str) -> None:
    assert p_value_text(p_value) == text
