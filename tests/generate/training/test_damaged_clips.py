"""Folders of clips that are damaged, foreign or cannot be written: one error of ours."""

from __future__ import annotations

import errno
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidigree.generate.training import ClipSettings, draw_clips, open_clips
from vidigree.generate.training import clips as clips_module
from vidigree.generate.training.clips import CaptionedClip
from vidigree.generate.training.facts import ClipFacts
from vidigree.media.errors import MediaError, MediaNotFoundError, OutputError

SMALL = ClipSettings(size=16, num_frames=2, seed=5)
FACTS = ClipFacts(
    shape="sphere",
    colour="red",
    count=1,
    motion="rest",
    direction="",
    ground="grass",
    light="day",
    size="",
    material="",
)
LINE = CaptionedClip(caption="a red ball", facts=FACTS, seed=1).to_dict()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips that are there already."""
    path = tmp_path / "clips"
    path.mkdir()
    np.save(path / "clips.npy", np.zeros((2, 2, 16, 16, 3), np.uint8))
    (path / "captions.jsonl").write_text(2 * (json.dumps(LINE) + "\n"))
    row = {"size": 16, "num_frames": 2, "fps": 12, "seed": 5, "split": "train", "clips": 2}
    (path / "settings.json").write_text(json.dumps(row))
    return path


class _Touching:
    def __init__(self, sentinel: Path) -> None:
        self.sentinel = sentinel

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.sentinel),)


def test_the_folder_is_whole_before_it_is_damaged(folder: Path) -> None:
    assert len(open_clips(folder)) == 2
    draw_clips(folder, 2, SMALL)


@pytest.mark.parametrize(
    "text",
    ["", "[", "[]", "null", "{}", '{"size": 16}', "[" * 100_000, '{"size": "16", "clips": 2}'],
    ids=lambda text: text[:20],
)
def test_settings_that_are_none_are_named(folder: Path, text: str) -> None:
    (folder / "settings.json").write_text(text)
    with pytest.raises(MediaError, match=r"settings\.json is damaged"):
        open_clips(folder)
    with pytest.raises(MediaError, match=r"settings\.json is damaged"):
        draw_clips(folder, 2, SMALL)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "{\n",
            "[]\n",
            "1\n",
            "null\n",
            '{"caption": "a", "seed": 1, "no": 2}\n',
            "[" * 100_000 + "\n",
        ),
        *('{"caption": "a"}\n', 3 * (json.dumps(LINE) + "\n"), "\udcff\n"),
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_captions_that_are_none_are_named(folder: Path, text: str) -> None:
    (folder / "captions.jsonl").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(MediaError, match=r"captions\.jsonl is damaged"):
        open_clips(folder)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 16, 16), (2, 2, 16, 16, 4), (2, 3, 16, 16, 3)])
def test_frames_of_another_shape_are_named(folder: Path, shape: tuple[int, ...]) -> None:
    np.save(folder / "clips.npy", np.zeros(shape, np.uint8))
    with pytest.raises(MediaError, match=r"clips\.npy is damaged"):
        open_clips(folder)
    with pytest.raises(MediaError, match=r"clips\.npy is damaged"):
        draw_clips(folder, 2, SMALL)


def test_frames_that_are_none_are_named_and_no_pickle_is_read(folder: Path, tmp_path: Path) -> None:
    sentinel, path = tmp_path / "it ran", folder / "clips.npy"
    whole = path.read_bytes()
    pickled = pickle.dumps(_Touching(sentinel))
    np.save(folder / "objects.npy", np.array([_Touching(sentinel)]), allow_pickle=True)
    floats = np.zeros((2, 2, 16, 16, 3))
    np.save(folder / "floats.npy", floats)
    objects = (folder / "objects.npy").read_bytes()
    for data in (b"", b"x", pickled, objects, whole[:200], (folder / "floats.npy").read_bytes()):
        path.write_bytes(data)
        with pytest.raises(MediaError, match=r"clips\.npy is damaged"):
            open_clips(folder)
        with pytest.raises(MediaError, match=r"clips\.npy is damaged"):
            draw_clips(folder, 2, SMALL)
    assert not sentinel.exists()


def test_folders_that_cannot_be_made_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "clips", Path("/proc/clips")):
        with pytest.raises(OutputError, match="cannot be written"):
            draw_clips(path, 2, SMALL)
        with pytest.raises(MediaNotFoundError, match="no captioned clips"):
            open_clips(path)


@pytest.mark.parametrize("settings", [SMALL, ClipSettings(size=10**8)])
def test_more_clips_than_any_disk_holds_are_refused_and_leave_nothing(
    tmp_path: Path, settings: ClipSettings
) -> None:
    with pytest.raises(OutputError):
        draw_clips(tmp_path, 10**15, settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system reserves no room")
def test_a_full_disk_is_told_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(clips_module, "draw_clip", lambda *a, **k: pytest.fail("it was drawn"))
    with pytest.raises(OutputError, match="disk is full"):
        draw_clips(tmp_path, 2, SMALL)
    assert list(tmp_path.iterdir()) == []
