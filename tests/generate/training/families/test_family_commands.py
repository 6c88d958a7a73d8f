"""``vidigree generator train``: from a folder of clips to weights as they are shipped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from vidigree.generate.engines.families.weights import read_weights
from vidigree.generate.training.captions import caption_of
from vidigree.generate.training.commands import generator
from vidigree.generate.training.facts import draw_facts
from vidigree.generate.training.families.commands import family_commands
from vidigree.media.errors import MediaNotFoundError, OutputError, UsageError

torch = pytest.importorskip("torch")
save = pytest.importorskip("safetensors.torch").save

SETTINGS = {"size": 64, "num_frames": 25, "fps": 12, "seed": 0, "split": "train"}


def write_clips(folder: Path, count: int) -> Path:
    """Write a folder as draw-clips does, with noise in the place of pictures."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    np.save(folder / "clips.npy", rng.integers(0, 255, (count, 25, 64, 64, 3), np.uint8))
    lines = []
    for _ in range(count):
        facts = draw_facts(rng, "train")
        lines.append({"caption": caption_of(facts, rng), **facts.to_dict(), "seed": 1})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "captions.jsonl").write_text(text, encoding="utf-8")
    (folder / "settings.json").write_text(json.dumps({**SETTINGS, "clips": count}))
    return folder


def run(name: str, folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        generator,
        ["train", name, "--checkpoint", str(folder / f"{name}.safetensors"), *arguments],
        catch_exceptions=False,
    )


def test_every_family_and_what_they_share_can_be_trained() -> None:
    assert {command.name for command in family_commands()} == {
        "codec", "captions", "gan", "flow-gan", "vae", "autoregressive",
    }  # fmt: skip


@pytest.mark.parametrize("option", ["--checkpoint", "--weights"])
def test_what_cannot_be_written_is_refused_before_the_training(tmp_path: Path, option: str) -> None:
    clips = ("--clips", str(tmp_path / "absent"), "--steps", "1")
    with pytest.raises(OutputError, match="no folder"):
        run("codec", tmp_path, *clips, option, str(tmp_path / "no" / "file.safetensors"))


def test_damaged_checkpoints_are_named(tmp_path: Path) -> None:
    clips = ("--clips", str(write_clips(tmp_path / "clips", 40)), "--steps", "1")
    path = tmp_path / "codec.safetensors"
    own = {"facts": json.dumps({"family": "codec", "seed": 0})}
    odd = {"facts": "[1]"}
    for data in (
        b"",
        b"x" * 99,
        save({}, own),
        save({"random": torch.zeros(3)}, own),
        save({}, odd),
    ):
        path.write_bytes(data)
        with pytest.raises(UsageError, match="checkpoint"):
            run("codec", tmp_path, *clips)
        assert path.read_bytes() == data


@pytest.mark.slow
def test_one_training_stands_on_the_other(tmp_path: Path) -> None:
    clips = ("--clips", str(write_clips(tmp_path / "clips", 40)), "--steps", "1")
    codec = ("--codec", str(tmp_path / "codec.safetensors"))
    captions = ("--captions", str(tmp_path / "captions.safetensors"))
    target = tmp_path / "weights.safetensors"
    assert "1 steps" in run("codec", tmp_path, *clips).output
    assert run("captions", tmp_path, *clips, *codec).exit_code == 0
    done = run("vae", tmp_path, *clips, *codec, *captions, "--weights", str(target))
    assert done.exit_code == 0
    assert str(target) in done.output
    assert set(read_weights(target).networks) == {"autoencoder", "flow"}


def test_without_a_budget_nothing_is_trained(tmp_path: Path) -> None:
    done = run("codec", tmp_path, "--clips", str(tmp_path))
    assert done.exit_code == 2
    assert "--minutes" in done.output


def test_sets_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError):
        run("codec", tmp_path, "--clips", str(tmp_path / "none"), "--steps", "1")
    few = write_clips(tmp_path / "few", 5)
    with pytest.raises(UsageError, match="5 clips"):
        run("codec", tmp_path, "--clips", str(few), "--steps", "1")
