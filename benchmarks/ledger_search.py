"""How long the ledger takes to find a clip by its fingerprint among many, and how often it does.

    python benchmarks/ledger_search.py CLIPS.CSV [--entries 1000000] [--limit 60] [--json FILE]

Entries are made up: their codes are signs of Gaussian vectors with the means and the correlations
of the bits of real clips, so that the parts which the index hashes are as unevenly spread. The real
clips are hidden among them and looked for by altered copies. Each made-up entry has as many codes
as a clip of five seconds. Also measured: reading all codes from an SQLite ledger, as a process does
once.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import sqlalchemy as sa
from fingerprint_likeness import ALTERATIONS, clips, encoded
from numpy.typing import NDArray
from scipy.stats import norm

from vidigree.watermark.fingerprint import Fingerprint
from vidigree.watermark.ledger.codes import kept_codes, query_codes
from vidigree.watermark.ledger.connection import connect
from vidigree.watermark.ledger.index import CodeIndex, InvertedIndex, ScannedIndex
from vidigree.watermark.ledger.migration import migrate
from vidigree.watermark.ledger.schema import entries
from vidigree.watermark.ledger.similar import SimilaritySearch

Codes = NDArray[np.uint8]
BITS = 128
CODES_PER_ENTRY = 32
ASKED = ("CRF 40", "crop .71 + CRF 30", "crop .9 anywhere", "logo", "trimmed to 60 %")
BATCH = 20_000


class MadeUp:
    """Draws codes whose bits have the means and correlations of the bits of real codes."""

    def __init__(self, real: Codes, seed: int) -> None:
        bits = np.unpackbits(real, axis=1).astype(np.float64)
        share = bits.mean(axis=0).clip(0.02, 0.98)
        signs = (bits - share) / np.sqrt(share * (1 - share))
        # Orthant probability of two Gaussians: their correlation is the sine of that of the signs.
        correlation = np.sin(np.pi / 2 * (signs.T @ signs / len(signs)).clip(-1, 1))
        correlation = 0.9 * correlation + 0.1 * np.eye(BITS)
        values, vectors = np.linalg.eigh(correlation)
        self._mix = (vectors * np.sqrt(values.clip(0))).astype(np.float32).T
        self._levels = norm.ppf(1 - share).astype(np.float32)
        self._random = np.random.default_rng(seed)

    def draw(self, number: int) -> Codes:
        normal = self._random.standard_normal((number, BITS), np.float32)
        return np.packbits(normal @ self._mix > self._levels, axis=1)


def fill(index: CodeIndex, real: Codes, number: int) -> float:
    """Add made-up entries under the numbers from a million on; return seconds."""
    made_up = MadeUp(real, seed=1)
    seconds = 0.0
    for start in range(0, number, BATCH):
        count = min(BATCH, number - start)
        codes = made_up.draw(count * CODES_PER_ENTRY)
        numbers = np.repeat(np.arange(start, start + count) + 1_000_000, CODES_PER_ENTRY)
        begun = time.perf_counter()
        index.add(numbers, codes)
        seconds += time.perf_counter() - begun
    return seconds


def ask(index: CodeIndex, copies: dict[str, list[Fingerprint]]) -> dict[str, Any]:
    found, times = {}, []
    for name, fingerprints in copies.items():
        hits = 0
        for number, fingerprint in enumerate(fingerprints):
            begun = time.perf_counter()
            near = index.search(query_codes(fingerprint), 64)
            times.append(time.perf_counter() - begun)
            hits += number in {candidate for found in near for candidate, _ in found}
        found[name] = round(hits / len(fingerprints), 4)
    quantiles = {q: round(1000 * float(np.quantile(times, q)), 2) for q in (0.5, 0.95, 1.0)}
    return {"found": found, "milliseconds": quantiles, "codes": len(index)}


def read_from_database(real: Codes, number: int, fingerprint: bytes) -> dict[str, float]:
    """Return seconds for the first search over an SQLite ledger, and for the next one."""
    made_up = MadeUp(real, seed=2)
    row = {
        "key_id": "k", "method": "robust", "manifest_store": b"m" * 5000, "manifest_id": "",
        "fingerprint": fingerprint, "created_at": datetime.now(UTC), "engine": "", "model": "",
        "request_hash": "", "duration": 5.0, "file": "",
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{folder}/ledger.sqlite3")
        migrate(engine)
        for start in range(0, number, 5000):
            codes = made_up.draw(5000 * CODES_PER_ENTRY).reshape(5000, -1)
            rows = [
                {**row, "clip_id": start + k, "codes": codes[k].tobytes()}
                for k in range(min(5000, number - start))
            ]
            with engine.begin() as connection:
                connection.execute(sa.insert(entries), rows)
        search, wanted = SimilaritySearch(), Fingerprint.from_bytes(fingerprint)
        seconds = []
        with engine.connect() as connection:
            for _ in range(2):
                begun = time.perf_counter()
                search.find(connection, wanted, 10)
                seconds.append(round(time.perf_counter() - begun, 3))
        engine.dispose()
    return {"entries": number, "first search": seconds[0], "next search": seconds[1]}


def measure(table: Path, number: int, limit: int, in_database: int) -> dict[str, Any]:
    originals: list[Fingerprint] = []
    copies: dict[str, list[Fingerprint]] = {name: [] for name in ASKED}
    for _, _, clip, original in clips(table, limit):
        if not original.usable:
            continue
        originals.append(original)
        for name in ASKED:
            change, crf, preset = ALTERATIONS[name]
            copies[name].append(encoded(change(clip), crf, preset))
    kept = [kept_codes(original) for original in originals]
    real = np.concatenate(kept)
    result: dict[str, Any] = {"entries": number, "real clips": len(originals)}
    examples = MadeUp(real, seed=3).draw(5000)
    indexes: list[CodeIndex] = [InvertedIndex(examples), ScannedIndex()]
    for index in indexes:
        for place, codes in enumerate(kept):
            index.add(np.full(len(codes), place), codes)
        seconds = fill(index, real, number)
        # The plain scan takes seconds at a million entries: a few questions are enough to time it.
        some = 2 if isinstance(index, ScannedIndex) and number > 100_000 else limit
        asked = {name: fingerprints[:some] for name, fingerprints in copies.items()}
        result[type(index).__name__] = {"seconds to add": round(seconds, 1), **ask(index, asked)}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        result[type(index).__name__]["peak memory of the process, GiB"] = round(peak, 2)
        print(type(index).__name__, result[type(index).__name__], flush=True)
    result["SQLite"] = read_from_database(real, in_database, originals[0].to_bytes())
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="CSV of clips")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--limit", type=int, default=60, help="number of real clips")
    parser.add_argument("--in-database", type=int, default=100_000, help="rows in SQLite")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    result = measure(arguments.table, arguments.entries, arguments.limit, arguments.in_database)
    print(json.dumps(result, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
