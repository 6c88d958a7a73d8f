"""A folder of captioned clips, drawn by the renderer and written resumably.

``clips.npy`` holds uint8 (N, F, H, W, 3), ``captions.jsonl`` one line a clip in the same order,
``settings.json`` what the folder was drawn with. The file has its full size from the beginning;
clips that have a line are there, the others are not yet.
"""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.training.captions import caption_of
from vidigree.generate.training.facts import ClipFacts, Split, draw_facts
from vidigree.media.errors import (
    MediaError,
    MediaNotFoundError,
    OutputError,
    UsageError,
    VidigreeError,
)
from vidigree.media.output import output_error, output_file
from vidigree.media.progress import Progress, no_progress

__all__ = ["CaptionedClip", "ClipFolder", "ClipSettings", "draw_clip", "draw_clips", "open_clips"]

# Longest step of the physics in seconds: single things on a plane need no finer ones.
_STEP: Final = 1 / 60
# Clips that a process draws with one set of textures before it hands them over.
_CHUNK: Final = 40
# What a file may have at most anywhere.
_MOST_BYTES: Final = 2**62
_SPLIT_NUMBER: Final = {"train": 0, "held-out": 1}


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """How clips are drawn.

    Attributes:
        size: Width and height in pixels.
        num_frames: Frames in a clip.
        fps: Frames per second.
        seed: Seed of the whole folder.
        split: Which combinations of facts.
    """

    size: int = 64
    num_frames: int = 25
    fps: int = 12
    seed: int = 0
    split: Split = "train"


@dataclass(frozen=True, kw_only=True)
class CaptionedClip:
    """What is known of one clip.

    Attributes:
        caption: One wording of the facts.
        facts: What the clip shows.
        seed: Seed of its scene.
    """

    caption: str
    facts: ClipFacts
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return the line of ``captions.jsonl``."""
        return {"caption": self.caption, **self.facts.to_dict(), "seed": self.seed}


@dataclass(frozen=True)
class ClipFolder:
    """Clips that were drawn.

    Attributes:
        frames: uint8 (N, F, H, W, 3), memory-mapped; only clips that are there.
        clips: The N captions and facts.
        settings: How they were drawn.
    """

    frames: NDArray[np.uint8]
    clips: list[CaptionedClip]
    settings: ClipSettings

    def __len__(self) -> int:
        return len(self.clips)


def draw_clip(
    index: int, settings: ClipSettings, textures: Any = None
) -> tuple[NDArray[np.uint8], CaptionedClip]:
    """Draw the clip that stands at ``index`` of a folder.

    Args:
        index: Its number, from 0; with the settings it decides everything.
        settings: How to draw.
        textures: Shared textures (:class:`~vidigree.generate.engines.render.grounds.Textures`);
            ``None`` paints a set for this clip.

    Returns:
        Frames, uint8 (F, H, W, 3), and what they show.
    """
    from vidigree.generate.engines.render.frames import draw_frames
    from vidigree.generate.engines.render.grammar import read_prompt
    from vidigree.generate.engines.render.grounds import Textures
    from vidigree.generate.engines.render.staging import stage

    rng = np.random.default_rng([settings.seed, _SPLIT_NUMBER[settings.split], index])
    facts = draw_facts(rng, settings.split)
    known = CaptionedClip(
        caption=caption_of(facts, rng), facts=facts, seed=int(rng.integers(2**31))
    )
    drawn = draw_frames(
        stage(read_prompt(facts.prompt), known.seed),
        width=settings.size,
        height=settings.size,
        num_frames=settings.num_frames,
        fps=Fraction(settings.fps),
        textures=textures or Textures(kept=True),
        longest_step=_STEP,
    )
    return np.stack(list(drawn)), known


def draw_clips(
    folder: Path,
    count: int,
    settings: ClipSettings,
    *,
    jobs: int = 1,
    progress: Progress = no_progress,
) -> None:
    """Draw a folder of clips, or go on where an earlier call stopped.

    Args:
        folder: Made if absent.
        count: How many clips it shall hold.
        settings: How to draw.
        jobs: Processes that draw.
        progress: Told of every clip.

    Raises:
        UsageError: The folder holds clips that were drawn otherwise.
        MediaError: What it holds is damaged.
        OutputError: It cannot be written, or there is no room for so many clips.
    """
    try:
        _draw_into(folder, count, settings, jobs, progress)
    except OSError as error:
        if isinstance(error, VidigreeError):
            raise
        raise output_error(folder, error) from error


def _draw_into(
    folder: Path, count: int, settings: ClipSettings, jobs: int, progress: Progress
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _check_settings(folder, settings, count)
    shape = (count, settings.num_frames, settings.size, settings.size, 3)
    frames = _reserved(folder / "clips.npy", shape)
    _write_settings(folder, settings, count)
    captions = folder / "captions.jsonl"
    done = _keep_whole_lines(captions)
    with captions.open("a", encoding="utf-8") as lines:
        for index, (clip, known) in enumerate(_drawn(range(done, count), settings, jobs), done):
            frames[index] = clip
            frames.flush()  # a line is a promise that the clip is there
            lines.write(json.dumps(known.to_dict()) + "\n")
            lines.flush()
            progress("drawing clips", index + 1, count)


def _reserved(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.uint8]]:
    """Return the frames of a folder, mapped into memory; a new file gets its room at once.

    Where a disk fills up under a mapped file, the process is killed.
    """
    if path.exists():
        frames = _mapped(path, "r+")
        if frames.shape != shape:
            raise _damaged(path)
        return frames
    too_many = OutputError(
        f"{path} cannot be written: {math.prod(shape):,} bytes are too many.",
        hint="Ask for fewer or smaller clips.",
    )
    if math.prod(shape) > _MOST_BYTES:
        raise too_many
    try:
        frames = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        if hasattr(os, "posix_fallocate"):
            with path.open("rb+") as stream:
                os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno != errno.EINVAL:
            raise
        raise too_many from error
    return frames


def _mapped(path: Path, mode: Literal["r", "r+"]) -> np.memmap[Any, np.dtype[np.uint8]]:
    try:
        frames: np.memmap[Any, np.dtype[np.uint8]] = np.load(path, mmap_mode="r")
        if mode == "r+":  # which would make a file that was cut as long as it should be
            frames = np.load(path, mmap_mode=mode)
    except (ValueError, EOFError) as error:  # pickles are refused, too
        raise _damaged(path) from error
    if frames.dtype != np.uint8 or frames.ndim != 5:
        raise _damaged(path)
    return frames


def _damaged(path: Path) -> MediaError:
    return MediaError(
        f"{path} is damaged, or was not written by 'vidigree generator draw-clips'.",
        hint="Draw the clips anew into another folder.",
    )


def _drawn(
    numbers: range, settings: ClipSettings, jobs: int
) -> Iterator[tuple[NDArray[np.uint8], CaptionedClip]]:
    from vidigree.generate.engines.render.grounds import Textures

    if jobs == 1:
        draw = partial(draw_clip, settings=settings, textures=Textures(kept=True))
        yield from map(draw, numbers)
        return
    chunks = [list(numbers[start : start + _CHUNK]) for start in range(0, len(numbers), _CHUNK)]
    with get_context("spawn").Pool(jobs) as pool:
        for chunk in pool.imap(partial(_draw_chunk, settings=settings), chunks):
            yield from chunk


def _draw_chunk(
    numbers: list[int], settings: ClipSettings
) -> list[tuple[NDArray[np.uint8], CaptionedClip]]:
    """Draw some clips in another process, with one set of textures."""
    from vidigree.generate.engines.render.grounds import Textures

    textures = Textures(kept=True)
    return [draw_clip(index, settings, textures) for index in numbers]


def open_clips(folder: Path) -> ClipFolder:
    """Open a folder of clips; what is still being drawn is left out.

    Raises:
        MediaNotFoundError: There are no clips in the folder.
        MediaError: What is there is damaged.
    """
    captions = folder / "captions.jsonl"
    try:
        row = _read_settings(folder / "settings.json")
        frames = _mapped(folder / "clips.npy", "r")
        lines = captions.read_text(encoding="utf-8").split("\n")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MediaNotFoundError(
            f"{folder} holds no captioned clips.",
            hint="Draw them: vidigree generator draw-clips --out FOLDER",
        ) from error
    except UnicodeDecodeError as error:
        raise _damaged(captions) from error
    settings = ClipSettings(**{key: row[key] for key in row if key != "clips"})
    if frames.shape[1:] != (settings.num_frames, settings.size, settings.size, 3):
        raise _damaged(folder / "clips.npy")
    try:
        clips = [_clip(line) for line in lines[:-1]]  # the last is empty, or not whole yet
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(captions) from error
    if len(clips) > len(frames):
        raise _damaged(captions)
    return ClipFolder(frames[: len(clips)], clips, settings)


def _clip(line: str) -> CaptionedClip:
    row = json.loads(line)
    caption, seed = row.pop("caption"), row.pop("seed")
    return CaptionedClip(caption=caption, seed=seed, facts=ClipFacts(**row))


def _read_settings(path: Path) -> dict[str, Any]:
    """Return what a folder was drawn with, and how many clips it shall hold."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    kinds = {field.name: type(field.default) for field in fields(ClipSettings)} | {"clips": int}
    if not isinstance(row, dict) or {key: type(row[key]) for key in row} != kinds:
        raise _damaged(path)
    return row


def _check_settings(folder: Path, settings: ClipSettings, count: int) -> None:
    path = folder / "settings.json"
    if not path.exists():
        return
    row, known = {**asdict(settings), "clips": count}, _read_settings(path)
    if known != row:
        different = ", ".join(f"{key}={known[key]}" for key in row if known[key] != row[key])
        raise UsageError(
            f"{folder} was drawn with other settings: {different}.",
            hint="Ask for the same again, or choose another folder.",
        )


def _write_settings(folder: Path, settings: ClipSettings, count: int) -> None:
    row = {**asdict(settings), "clips": count}
    with output_file(folder / "settings.json", overwrite=True) as temporary:
        temporary.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")


def _keep_whole_lines(path: Path) -> int:
    """Cut off a line that an interruption left unfinished; return how many there are."""
    if not path.exists():
        return 0
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if whole != text:
        path.write_bytes(whole)
    return whole.count(b"\n")
