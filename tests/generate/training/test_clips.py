"""Captioned clips: drawn from facts, worded so that the renderer reads the same, resumable."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vidigree.generate.engines.render.grammar import read_prompt
from vidigree.generate.training import (
    ClipSettings,
    caption_of,
    caption_words,
    draw_clip,
    draw_clips,
    draw_facts,
    open_clips,
)
from vidigree.generate.training.commands import generator
from vidigree.media.errors import MediaNotFoundError, UsageError

SMALL = ClipSettings(size=16, num_frames=3, seed=5)


def test_the_renderer_reads_captions_as_their_facts() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        facts = draw_facts(rng, "train")
        caption = caption_of(facts, rng)
        said, plain = read_prompt(caption), read_prompt(facts.prompt)
        assert said.unknown == plain.unknown == ()
        (thing,), (meant,) = said.objects, plain.objects
        assert (thing.shape, thing.count, thing.direction) == (
            meant.shape,
            meant.count,
            meant.direction,
        ), caption
        assert thing.colour in (meant.colour, None), caption
        assert thing.motion in (meant.motion, None) or facts.motion == "travel", caption
        assert said.ground in (plain.ground, None), caption
        assert said.sky in (plain.sky, None), caption


def test_caption_words_are_all_of_them() -> None:
    rng = np.random.default_rng(2)
    known = set(caption_words())
    said = {
        word
        for _ in range(2000)
        for word in caption_of(draw_facts(rng, "train"), rng).replace(",", "").split()
    }
    assert said <= known
    assert len(known - said) < 5, known - said


def test_held_out_combinations_are_not_trained_on() -> None:
    rng = np.random.default_rng(3)
    trained = [draw_facts(rng, "train") for _ in range(200)]
    held_out = [draw_facts(rng, "held-out") for _ in range(50)]
    assert not any(facts.held_out for facts in trained)
    assert all(facts.held_out for facts in held_out)
    everything = [facts.colour for facts in held_out]
    assert len(set(everything)) > 5, "a rule, not a corner of the space"


def test_interrupted_drawing_goes_on_with_the_same_clips(tmp_path: Path) -> None:
    draw_clips(tmp_path / "whole", 4, SMALL)
    part = tmp_path / "part"

    class StopError(Exception):
        pass

    def stop(what: str, done: int, total: int | None) -> None:
        if done == 2:
            raise StopError

    with pytest.raises(StopError):
        draw_clips(part, 4, SMALL, progress=stop)
    assert len(open_clips(part)) == 2
    with (part / "captions.jsonl").open("a") as lines:
        lines.write('{"caption": "half a li')
    assert len(open_clips(part)) == 2
    draw_clips(part, 4, SMALL, jobs=1)
    for name in ("clips.npy", "captions.jsonl", "settings.json"):
        assert (part / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_opened_clips_are_what_was_drawn(tmp_path: Path) -> None:
    draw_clips(tmp_path, 2, SMALL)
    folder = open_clips(tmp_path)
    frames, known = draw_clip(1, SMALL)
    assert folder.frames.shape == (2, 3, 16, 16, 3)
    assert np.array_equal(folder.frames[1], frames)
    assert folder.clips[1] == known
    assert folder.settings == SMALL
    assert (
        known.caption
        == json.loads((tmp_path / "captions.jsonl").read_text().split("\n")[1])["caption"]
    )


def test_a_folder_of_other_settings_is_refused(tmp_path: Path) -> None:
    draw_clips(tmp_path, 1, SMALL)
    with pytest.raises(UsageError, match="seed=5"):
        draw_clips(tmp_path, 1, ClipSettings(size=16, num_frames=3, seed=6))


def test_an_empty_folder_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError) as caught:
        open_clips(tmp_path)
    assert "draw-clips" in caught.value.hint


def test_the_command_draws_with_several_processes(tmp_path: Path) -> None:
    options = [
        "--clips",
        "2",
        "--size",
        "16",
        "--frames",
        "3",
        "--seed",
        "5",
        "--split",
        "held-out",
        "--jobs",
        "2",
    ]
    done = CliRunner().invoke(generator, ["draw-clips", "--out", str(tmp_path), *options])
    assert done.exit_code == 0, done.output
    assert all(clip.facts.held_out for clip in open_clips(tmp_path).clips)
