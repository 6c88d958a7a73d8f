"""A layer that cannot look: the operator learns why, a stranger no place of the server."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from vidigree.detect.readings import NotChecked, Readings
from vidigree.detect.service.gaps import gaps, without_own_places
from vidigree.detect.service.resolution_search import FINGERPRINT_ALGORITHM
from vidigree.detect.verdict import judge
from vidigree.watermark.credentials import SOFT_BINDING_ALGORITHM

Start = Callable[..., Any]
LEFT_OUT: tuple[Any, ...] = ("credentials", "classifier")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_damaged_key_ring_is_told_to_the_operator_and_not_its_place(
    language: str, start_service: Start, clip: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever sent a clip was told the path of the key ring; the log said nothing."""
    home.mkdir()
    (home / "mark-keys.json").write_text("damaged", encoding="utf-8")
    service = start_service(layers=("mark",), wait_seconds=60.0)
    with caplog.at_level(logging.INFO, logger="vidigree.service"):
        answer = service.audit(clip, language=language, report="1")
    verdict = answer.json()["verdict"]
    assert "mark-keys.json" in verdict["readings"]["marks"]["why"]
    assert str(home) not in answer.text
    (said,) = (piece for piece in verdict["evidence"] if piece["code"] == "mark.not-checked")
    assert "(data folder)" in said["says"]
    (record,) = (one for one in caplog.records if one.getMessage() == "layer-not-checked")
    assert record.fields["layer"] == "mark"  # type: ignore[attr-defined]
    assert str(home) in record.fields["why"]  # type: ignore[attr-defined]
    assert 'layers_not_checked_total{layer="mark"} 1.0' in service.http.get("/metrics").text


def test_a_look_up_that_could_not_look_does_not_say_that_nothing_matches(
    start_service: Start, clip: Path, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It answered 200 without a match, as for a clip that nobody ever issued."""
    home.mkdir()
    ring = home / "mark-keys.json"
    ring.write_text("damaged", encoding="utf-8")
    service = start_service()
    by_content, video = "/c2pa/v1/matches/byContent", {"Content-Type": "video/mp4"}

    def answers(**options: str) -> Any:
        return service.http.post(
            by_content, content=clip.read_bytes(), headers=video, params=options
        )

    with caplog.at_level(logging.INFO, logger="vidigree.service"):
        for options in ({}, {"alg": SOFT_BINDING_ALGORITHM}):
            answer = answers(**options)
            assert (answer.status_code, answer.json()["error"]["kind"]) == (500, "Unavailable")
            assert str(home) not in answer.text
    assert "layer-not-checked" in caplog.text
    assert answers(alg=FINGERPRINT_ALGORITHM).json() == {"matches": []}
    ring.unlink()
    assert answers().json() == {"matches": []}


@pytest.mark.parametrize(
    "why",
    [
        "The ledger postgresql://vidigree:***@db.inside/ledger cannot be read: gone.",
        "There is no ledger /srv/db.inside/l.sqlite3.",
        "The ledger cannot be opened: failed to resolve host 'db.inside'.",
    ],
)
def test_a_ledger_is_told_without_its_server(why: str) -> None:
    gap = NotChecked(layer="ledger", why=why)
    asked = {name: NotChecked(layer=name, why="", asked=True) for name in LEFT_OUT}
    row = judge(Readings(ledger=gap, **asked)).to_dict()
    told = without_own_places(row)
    assert list(gaps(row)) == ["ledger"]
    assert json.dumps(told).count("The ledger cannot be read just now.") == 3
    assert "db.inside" not in json.dumps(told)


def test_weights_that_went_away_are_told_without_their_place(
    start_service: Start, clip: Path, tmp_path: Path
) -> None:
    own = tmp_path / "secret" / "own.npz"
    service = start_service(layers=("classifier",), weights=own, wait_seconds=60.0)
    answer = service.audit(clip)
    assert (
        "weights (file) cannot be read" in answer.json()["verdict"]["readings"]["classifier"]["why"]
    )
    assert "secret" not in answer.text


def test_a_clip_that_cannot_be_looked_at_is_no_fault_of_ours(
    start_service: Start, make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    parts = [make_clip(tmp_path / f"{width}.mp4", width=width) for width in (160, 192)]
    joined = tmp_path / "joined.ts"
    with joined.open("wb") as stream:
        for part in parts:
            copy = part.with_suffix(".ts")
            with av.open(str(part)) as source, av.open(str(copy), "w") as target:
                track = target.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.dts is not None:
                        packet.stream = track
                        target.mux(packet)
            stream.write(copy.read_bytes())
    answer = start_service().http.post(
        "/c2pa/v1/matches/byContent",
        content=joined.read_bytes(),
        headers={"Content-Type": "video/mp2t"},
        params={"alg": SOFT_BINDING_ALGORITHM},
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"] == "The asset cannot be used."
