from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidigree.detect.classifier.dataset import (
    LabelledClip,
    clip_groups,
    file_sha256,
    folds,
    read_dataset,
)
from vidigree.media.errors import MediaNotFoundError, UsageError


def _clip(origin: str, repository: str = "", *, synthetic: bool = False) -> LabelledClip:
    return LabelledClip(
        path=Path("x.mp4"),
        synthetic=synthetic,
        origin=origin,
        repository=repository,
        kind="",
        sha256="",
    )


def test_origin_repository_and_twins_chain_into_one_group() -> None:
    clips = [_clip("a", "r"), _clip("b", "r"), _clip("b", "s"), _clip("c", "t"), _clip("d", "u")]
    assert clip_groups(clips).tolist() == [0, 0, 0, 1, 2]
    clips[2], clips[4] = replace(clips[2], linked="x"), replace(clips[4], linked="x")
    assert clip_groups(clips).tolist() == [0, 0, 0, 1, 0]


def test_an_edit_and_its_footage_of_one_name_stay_together() -> None:
    clips = [_clip("rave", "p"), _clip("rave", "q", synthetic=True)]
    assert len(set(clip_groups(clips))) == 1


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=30, max_size=80))
@settings(max_examples=40, deadline=None)
def test_no_group_is_torn_between_folds(rows: list[tuple[int, bool]]) -> None:
    clips = [_clip("r", synthetic=False), _clip("s", synthetic=True)]
    clips += [_clip(f"o{number}", synthetic=label) for number, label in rows]
    groups = clip_groups(clips)
    fold = folds(clips, groups, count=3, seed=1)
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1
    assert (fold == folds(clips, groups, count=3, seed=1)).all()


def test_classes_are_spread_evenly() -> None:
    clips = [_clip(f"r{i}") for i in range(40)]
    clips += [_clip(f"s{i}", synthetic=True) for i in range(80)]
    fold = folds(clips, clip_groups(clips), count=4, seed=0)
    assert np.bincount(fold[:40]).tolist() == [10] * 4
    assert np.bincount(fold[40:]).tolist() == [20] * 4


def test_table_is_read(tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    table.write_text("file,label,origin,repo\na.mp4,real,phone,\nb.mp4,synthetic,gen,x/y\n")
    first, second = read_dataset(table)
    assert (first.synthetic, first.path) == (False, tmp_path / "a.mp4")
    assert (second.synthetic, second.repository) == (True, "x/y")


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    table.write_bytes(b"\xef\xbb\xbffile,label,origin\r\na.mp4,real,phone\r\n")
    assert [clip.path for clip in read_dataset(table)] == [tmp_path / "a.mp4"]


def test_hashes_are_compared_in_small_letters(tmp_path: Path) -> None:
    table = tmp_path / "clips.csv"
    table.write_text(f"file,label,origin,sha256\na.mp4,real,phone,{'AB' * 32}\n")
    assert read_dataset(table)[0].sha256 == "ab" * 32


def test_a_name_with_a_zero_byte_is_no_file() -> None:
    with pytest.raises(MediaNotFoundError, match="cannot be read"):
        file_sha256(Path("a\0.mp4"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "lacks one of the columns"),
        ("file,label\na.mp4,real\n", "lacks one of the columns"),
        ("file,label,origin\na.mp4,maybe,x\n", "the label of a.mp4 is 'maybe'"),
        ("file,label,origin\na.mp4,real,\n", "labelled real has no origin"),
        ("file,label,origin,sha256\na.mp4,real,x,../../b\n", "the sha256 of a.mp4 is none"),
        ("label,file,origin\nreal\n", "labelled real has no file"),
    ],
)
def test_table_that_says_too_little_is_refused(tmp_path: Path, text: str, says: str) -> None:
    table = tmp_path / "clips.csv"
    table.write_text(text)
    with pytest.raises(UsageError, match=says):
        read_dataset(table)


def test_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError, match=r"no file .*none\.csv"):
        read_dataset(tmp_path / "none.csv")
