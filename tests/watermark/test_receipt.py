"""What a receipt says in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vidigree.watermark import MarkReading, StampReceipt


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, None),
        ({"timestamped": True}, "  credentials  C2PA, signed by me, time-stamped"),
        ({"profile": "california"}, "  profile      california, no visible label"),
        ({"label": "AI"}, "  profile      none, visible label 'AI'"),
        ({"notes": ("a\nb",)}, "  note         a b"),
    ],
)
def test_receipt_says_what_was_done_and_no_more(facts: dict[str, Any], line: str | None) -> None:
    receipt = StampReceipt(
        path=Path("a.mp4"),
        clip_id=1,
        key_id="mk-1",
        method="robust",
        num_frames=1,
        width=2,
        height=2,
        duration=1.0,
        reading=MarkReading(method="robust", present=True, p_value=1e-9),
        signer="me",
    )
    usual = receipt.summary().splitlines()
    assert usual[2:] == ["  credentials  C2PA, signed by me", "  ledger       recorded"]
    lines = replace(receipt, **facts).summary().splitlines()
    assert [one for one in lines if one not in usual] == ([line] if line else [])
