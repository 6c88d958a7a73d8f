"""The numbers in the pages on the mark and the ledger are those of the code."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from vidigree.detect.look_up import _MOST_EARLIER, DIFFERENT, SAME
from vidigree.watermark.fingerprint import _LOOKED_AT, BITS, VIEWS
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.ledger import codes, connection, earlier, index
from vidigree.watermark.ledger.check import UNDER_WAY
from vidigree.watermark.robust import EmbedSettings, ecc, masking, rivals
from vidigree.watermark.robust.carrier import BAND, SHORT_SIDE, TILE, carrier_of
from vidigree.watermark.robust.decision import _DEEP_PATHS, MESSAGE_BELOW, PILOT_WEIGHT
from vidigree.watermark.robust.detector import _LEARNED_FIRST, _LEARNED_STRETCHES
from vidigree.watermark.robust.embedder import MINIMUM_SIDE
from vidigree.watermark.robust.frontend import BLOCK
from vidigree.watermark.robust.geometry import UNSCALED
from vidigree.watermark.robust.modulation import outputs_per_bit
from vidigree.watermark.robust.origin import PLACES
from vidigree.watermark.robust.payload import CHECK_BITS, MESSAGE_BITS
from vidigree.watermark.robust.significance import PRESENT_BELOW
from vidigree.watermark.robust.stretches import _LONGEST

DOCS = Path(__file__).resolve().parents[2] / "docs"
NUMBERS = {5: "five", 11: "eleven", 20: "twenty"}


def told(name: str) -> str:
    """Return a page with its lines joined."""
    return " ".join((DOCS / name).read_text(encoding="utf-8").split())


def test_the_page_on_the_mark() -> None:
    carrier, settings = carrier_of(PUBLISHED_KEY), EmbedSettings()
    outputs = outputs_per_bit(carrier)
    page = told("watermark.md")
    for sentence in (
        f"| {MESSAGE_BITS} bits and a CRC-{CHECK_BITS} |",
        f"memory {ecc.MEMORY}, {outputs} coded bits a payload bit",
        f"along the {ecc.PATHS:,} or {_DEEP_PATHS:,} likeliest paths",
        f"a keyed tile of {TILE} x {TILE}",
        f"whose short side is thought of as {SHORT_SIDE}",
        f"between {BAND[0]:.2f} and {BAND[1]:.2f} cycles a pixel has {len(carrier.waves)} points:",
        f"points: {len(carrier.pilots)} are the pilot, {len(carrier.data)} hold two coded bits",
        f"{settings.psnr} dB is aimed at; up to {settings.weaker_by} dB more",
        f"easily, up to {settings.stronger_by} dB less",
        f"never more than {settings.smooth} grey levels",
        f"up to {1 + masking._EXTRA + masking._EXTRA_SMOOTH} times the energy in texture",
        f"every {BLOCK} x {BLOCK} block",
        f"A mark is present at p <= {PRESENT_BELOW:.0e}".replace("e-0", "e-"),
        f"no chance among all 2^{MESSAGE_BITS} ({MESSAGE_BELOW:.0e}".replace("e-0", "e-"),
        f"all {len(rivals._neighbours(outputs).bits):,} changes within {rivals._BURST} bits",
        f"less than {100 * rivals._NEAR:.1f} % of the coded bits",
        f"only one in {PLACES:,.0f} has its tile",
        f"the {NUMBERS[len(UNSCALED)]} unscaled geometries",
        f"weights .{10 * PILOT_WEIGHT:.0f} and .917",
        f"at {NUMBERS[_LEARNED_FIRST]} half seconds first and at {NUMBERS[_LEARNED_STRETCHES]}",
        f"a side under {MINIMUM_SIDE} pixels",
        f"more than {_LONGEST} times as long as wide",
    ):
        assert sentence in page, sentence


def test_the_page_on_the_ledger() -> None:
    page = told("ledger.md")
    for sentence in (
        f"of that, {len(VIEWS)} views",
        f"become {BITS} signs of low DCT coefficients each",
        f"From {SAME} on, two clips count as the same content",
        f"the threshold for other content, {DIFFERENT}, accuses",
        f"about {_LOOKED_AT:.0f} a second",
        f"codes of {codes.CODE_BYTES} bytes",
        f"of {len(codes._KEPT_VIEWS)} views, for {codes._MAX_KEPT} such moments at most",
        f"Up to {index.SCAN_LIMIT:,} codes are scanned",
        f"a {index._LISTS // index._LOOKED_INTO}nd of them",
        f"(of at most {earlier._MOST_STORES:,})",
        f"compares {earlier._MOST_COMPARED:,} of their fingerprints and reads {_MOST_EARLIER} of",
        f"A writer waits {connection.LOCK_TIMEOUT} s for another one",
    ):
        assert sentence in page, sentence
    assert timedelta(minutes=10) == UNDER_WAY
    assert "a stamp of the last ten minutes" in page
