"""Marks are looked up one by one, and each is held against its own part of the clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.issued import CLIP_ID, record
from numpy.typing import NDArray

from vidigree.detect.look_up import DIFFERENT, ledger_evidence, look_up
from vidigree.detect.readings import LedgerReading
from vidigree.media import VideoWriter, open_video
from vidigree.watermark.credentials import TrustSettings
from vidigree.watermark.fingerprint import fingerprint_video
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.method import MarkReading, MarkSegment


def changed(
    source: Path, out: Path, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> Path:
    """Encode a clip again with its pictures changed."""
    with open_video(source) as reader:
        images = [np.ascontiguousarray(change(image)) for image in reader.images()]
        height, width = images[0].shape[:2]
        with VideoWriter(out, width=width, height=height, fps=reader.info.fps) as writer:
            for image in images:
                writer.write(image)
    return out


class TestTransplantedMark:
    """A mark whose ledger entry shows another picture."""

    def look_up(self, clip: Path, **changes: Any) -> LedgerReading:
        mark = replace(
            MarkReading(method="robust", present=True, message=CLIP_ID, scale=1.0, rotation=0.0),
            **changes,
        )
        with Ledger.open() as ledger:
            return look_up(
                clip,
                marks=[mark],
                fingerprint=fingerprint_video(clip),
                ledger=ledger,
                trust=TrustSettings(),
            )

    def test_same_picture(self, clip: Path, issued: Path) -> None:
        assert self.look_up(clip).same_content is True

    def test_another_picture(
        self, issued: Path, tmp_path: Path, make_clip: Callable[..., Path]
    ) -> None:
        other = make_clip(tmp_path / "other.mp4", seed=7)
        assert self.look_up(other).same_content is False

    def test_a_crop_is_not_called_another_picture(
        self, issued: Path, tmp_path: Path, make_clip: Callable[..., Path]
    ) -> None:
        other = make_clip(tmp_path / "other.mp4", seed=7)
        assert self.look_up(other, scale=1.8).same_content is None
        assert self.look_up(other, scale=None).same_content is None
        for rotation in (5.0, -5.0):
            assert self.look_up(other, rotation=rotation).same_content is None

    def test_a_picture_that_another_version_recorded_is_not_compared(self, clip: Path) -> None:
        fingerprint = fingerprint_video(clip).to_bytes()
        record(b"", bytes([fingerprint[0] + 100]) + fingerprint[1:], engine="render")
        reading = self.look_up(clip)
        assert (reading.found_by, reading.similarity, reading.same_content) == ("mark", None, None)

    def test_an_unknown_mark_in_a_known_picture_is_told_by_the_picture(
        self, clip: Path, issued: Path
    ) -> None:
        reading = self.look_up(clip, message=5)
        assert (reading.found_by, reading.others) == ("fingerprint", ())

    @pytest.mark.parametrize(
        ("engine", "generated"), [("render", True), ("external", False), ("", False)]
    )
    def test_without_a_manifest_the_engine_says_whether_it_was_generated(
        self, clip: Path, engine: str, generated: bool
    ) -> None:
        record(b"", fingerprint_video(clip).to_bytes(), engine=engine)
        assert self.look_up(clip).generated is generated

    def test_neither_is_what_was_cut_along_its_long_side(
        self, issued: Path, tmp_path: Path, make_clip: Callable[..., Path]
    ) -> None:
        other = make_clip(tmp_path / "other.mp4", seed=7)
        for cut in ((0.22, 0.0), (0.0, 0.02), (0.48, 0.0)):
            assert self.look_up(other, offset=cut).same_content is None
        # To less than a hundredth, as a place is known, it sits as it was embedded.
        for edge in ((0.0, 0.0), (0.008, 0.492), (0.499, 0.001)):
            assert self.look_up(other, offset=edge).same_content is False

    def test_a_mirrored_picture_is_recognised(
        self, clip: Path, issued: Path, tmp_path: Path
    ) -> None:
        mirrored = changed(clip, tmp_path / "mirrored.mp4", lambda image: image[:, ::-1])
        assert self.look_up(mirrored).same_content is not True
        assert self.look_up(mirrored, mirrored=True).same_content is True

    def test_a_negative_is_recognised_and_that_of_another_picture_is_not(
        self, clip: Path, issued: Path, tmp_path: Path, make_clip: Callable[..., Path]
    ) -> None:
        negative = changed(clip, tmp_path / "negative.mp4", lambda image: 255 - image)
        reading = self.look_up(negative, negative=True, offset=(0.0, 0.0))
        assert reading.same_content is True
        assert reading.similarity is not None
        assert reading.similarity > 0.9
        assert self.look_up(negative, offset=(0.0, 0.0)).same_content is False
        both = changed(negative, tmp_path / "both.mp4", lambda image: image[:, ::-1])
        assert self.look_up(both, negative=True, mirrored=True).same_content is True
        other = make_clip(tmp_path / "other.mp4", seed=7)
        dark = changed(other, tmp_path / "dark.mp4", lambda image: 255 - image)
        assert self.look_up(dark, negative=True, offset=(0.0, 0.0)).same_content is False

    @pytest.mark.parametrize("mirrored", [False, True])
    def test_a_negative_without_a_mark_is_found_by_its_picture(
        self, issued: Path, clip: Path, tmp_path: Path, mirrored: bool
    ) -> None:
        def turned(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return 255 - (image[:, ::-1] if mirrored else image)

        reading = self.look_up(changed(clip, tmp_path / "copy.mp4", turned), message=None)
        assert (reading.found_by, reading.clip_id) == ("fingerprint", f"{CLIP_ID:016x}")

    @pytest.mark.parametrize("where", ["right", "lower"])
    def test_what_was_cut_at_the_far_end_only_is_not_called_another_picture(
        self,
        clip: Path,
        issued: Path,
        tmp_path: Path,
        make_clip: Callable[..., Path],
        where: str,
    ) -> None:
        """Neither scale nor place of the mark tells that, and the fingerprint has no such view."""

        def cut(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return image[:, :96] if where == "right" else image[:76]

        part = changed(clip, tmp_path / "part.mp4", cut)
        reading = self.look_up(part, offset=(0.0, 0.0))
        assert reading.similarity is not None
        assert reading.similarity < DIFFERENT
        assert reading.same_content is None
        other = make_clip(tmp_path / "other.mp4", seed=7)
        foreign = changed(other, tmp_path / "foreign.mp4", cut)
        assert self.look_up(foreign, offset=(0.0, 0.0)).same_content is False

    def test_of_a_mirrored_picture_either_end_may_have_been_cut(
        self, clip: Path, issued: Path, tmp_path: Path
    ) -> None:
        right = changed(clip, tmp_path / "right.mp4", lambda image: image[:, 72:])
        assert self.look_up(right, offset=(0.0, 0.0)).same_content is False
        mirrored = changed(right, tmp_path / "mirrored.mp4", lambda image: image[:, ::-1])
        assert self.look_up(mirrored, mirrored=True).same_content is None


class TestSeveralMarks:
    """Two marks in one file: each is looked up, and compared with its own part."""

    def marks(self, *messages: int) -> list[MarkReading]:
        return [
            MarkReading(
                method="robust",
                present=True,
                message=message,
                scale=1.0,
                segments=(MarkSegment(start=place, end=place + 1.0, p_value=0, message=message),),
            )
            for place, message in enumerate(messages)
        ]

    def look_up(self, clip: Path, *messages: int) -> LedgerReading:
        with Ledger.open() as ledger:
            return look_up(
                clip,
                marks=self.marks(*messages),
                fingerprint=fingerprint_video(clip),
                ledger=ledger,
                trust=TrustSettings(),
            )

    def test_a_known_and_an_unknown_one(self, clip: Path, issued: Path) -> None:
        reading = self.look_up(clip, 5, CLIP_ID)
        assert (reading.clip_id, reading.same_content) == (f"{CLIP_ID:016x}", True)
        assert [(part.start, part.end) for part in reading.segments] == [(1.0, 2.0)]
        assert [(one.found_by, one.segments[0].start) for one in reading.others] == [("none", 0.0)]
        told = [piece.code for piece in ledger_evidence(reading)]
        assert told[0] == "ledger.entry-by-mark"
        assert told[-1] == "ledger.mark-unknown"

    def test_the_other_part_is_not_compared(
        self, clip: Path, issued: Path, tmp_path: Path, make_clip: Callable[..., Path]
    ) -> None:
        other = make_clip(tmp_path / "other.mp4", seed=7)
        with (
            open_video(clip) as one,
            open_video(other) as two,
            VideoWriter(tmp_path / "joined.mp4", width=160, height=128, fps=one.info.fps) as out,
        ):
            for image in (*islice(one.images(), 12), *islice(two.images(), 12)):
                out.write(image)
        joined = tmp_path / "joined.mp4"
        assert self.look_up(joined, CLIP_ID, 5).same_content is True
        assert self.look_up(joined, 5, CLIP_ID).same_content is not True


class TestStampedAgain:
    """A clip that was issued as generated, and stamped later by someone who claims nothing."""

    STAMPED = 77

    @pytest.fixture(params=[1, 2, 3])
    def day(self, request: pytest.FixtureRequest, clip: Path, issued: Path) -> int:
        """Record the stamped copy a day before the generated clip, on that day, or after it."""
        fingerprint = fingerprint_video(clip).to_bytes()
        day = int(request.param)
        record(b"", fingerprint, engine="external", clip_id=self.STAMPED, day=day)
        return day

    def look_up(self, clip: Path, *marks: MarkReading) -> LedgerReading:
        with Ledger.open() as ledger:
            fingerprint = fingerprint_video(clip)
            return look_up(
                clip, marks=marks, fingerprint=fingerprint, ledger=ledger, trust=TrustSettings()
            )

    def test_the_stamp_does_not_hide_what_was_issued_before(self, clip: Path, day: int) -> None:
        mark = MarkReading(method="robust", present=True, message=self.STAMPED, scale=1.0)
        reading = self.look_up(clip, mark)
        assert (reading.found_by, reading.generated) == ("mark", False)
        assert [(one.found_by, one.clip_id, one.generated) for one in reading.others] == [
            ("fingerprint", f"{CLIP_ID:016x}", True)
        ] * (day > 2)

    def test_nor_does_it_where_the_mark_is_lost(self, clip: Path, day: int) -> None:
        reading = self.look_up(clip)
        assert reading.found_by == "fingerprint"
        generated = {one.clip_id for one in reading.all if one.generated}
        if day > 2:
            assert generated == {f"{CLIP_ID:016x}"}

    def test_nor_do_a_dozen_stamps(self, clip: Path, issued: Path) -> None:
        """Of a clip that was encoded again, its own copies are more alike than what it was."""
        fingerprint = fingerprint_video(clip)
        bits = fingerprint.bits.copy()
        bits[:, :, 0] ^= 1  # as the generated clip would look after one more encoding
        copy = replace(fingerprint, bits=bits)
        for number in range(12):
            record(b"", copy.to_bytes(), engine="external", clip_id=self.STAMPED + number, day=3)
        mark = MarkReading(
            method="robust", present=True, message=self.STAMPED, scale=1.0, rotation=0.0
        )
        with Ledger.open() as ledger:
            reading = look_up(
                clip, marks=[mark], fingerprint=copy, ledger=ledger, trust=TrustSettings()
            )
        assert [one.clip_id for one in reading.others] == [f"{CLIP_ID:016x}"]
        assert reading.others[0].generated

    def test_a_stamp_before_it_does_not_hide_it_where_there_is_one_after_it(
        self, clip: Path, issued: Path
    ) -> None:
        fingerprint, messages = fingerprint_video(clip).to_bytes(), (self.STAMPED, self.STAMPED + 1)
        for message, day in zip(messages, (1, 3), strict=True):
            record(b"", fingerprint, engine="external", clip_id=message, day=day)
        marks = [MarkReading(method="robust", present=True, message=one) for one in messages]
        generated = [one.clip_id for one in self.look_up(clip, *marks).all if one.generated]
        assert generated == [f"{CLIP_ID:016x}"]

    def test_one_that_is_found_as_generated_is_enough(self, clip: Path, day: int) -> None:
        mark = MarkReading(method="robust", present=True, message=CLIP_ID, scale=1.0)
        assert self.look_up(clip, mark).others == ()

    def test_another_picture_is_not_taken_for_it(
        self, day: int, tmp_path: Path, make_clip: Callable[..., Path]
    ) -> None:
        other = make_clip(tmp_path / "other.mp4", seed=7)
        mark = MarkReading(method="robust", present=True, message=self.STAMPED, scale=1.0)
        assert self.look_up(other, mark).others == ()
