"""What is put into the noise is there when a real pipeline is run backwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidigree.generate import ClipRequest
from vidigree.media.errors import EngineError, StampError
from vidigree.watermark import PUBLISHED_KEY
from vidigree.watermark.initial_noise import read_noise

pytest.importorskip("diffusers")

from vidigree.generate.engines.diffusers import DiffusersEngine, inversion
from vidigree.generate.engines.diffusers.loading import load_pipeline
from vidigree.generate.engines.diffusers.noise_mark import marked_latents, message_for
from vidigree.generate.engines.diffusers.options import DiffusersOptions

pytestmark = pytest.mark.filterwarnings("ignore")
CPU = DiffusersOptions(device="cpu")


@pytest.fixture
def wan(tiny_pipeline: Callable[[str], Path]) -> Path:
    return tiny_pipeline("wan")


def request(model: Path, **values: Any) -> ClipRequest:
    options = {"steps": 2, "device": "cpu", "noise_mark": True, "call.max_sequence_length": 16}
    settings: dict[str, Any] = {"width": 64, "height": 64, "num_frames": 9, "options": options}
    return ClipRequest(
        prompt="a red ball", engine="diffusers", model=str(model), **settings | values
    )


@pytest.mark.slow
def test_running_backwards_finds_the_noise_again(
    wan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    pipe = load_pipeline(str(wan), CPU)
    noise = marked_latents(pipe, message=77, key=PUBLISHED_KEY, seed=1, size=(64, 64), num_frames=9)
    made = pipe(
        "a red ball",
        width=64,
        height=64,
        num_frames=9,
        num_inference_steps=8,
        guidance_scale=1.0,
        max_sequence_length=64,
        latents=noise,
        output_type="latent",
    ).frames
    # A random codec loses everything, so the latents take its place; the way back is the real one.
    monkeypatch.setattr(inversion, "_encode", lambda *_: torch.as_tensor(made))
    frames = np.zeros((9, 64, 64, 3), np.uint8)
    for prompt, least in (("a red ball", 0.98), ("", 0.9)):
        estimate = inversion.invert(pipe, frames, prompt=prompt, steps=8)
        assert np.corrcoef(estimate.ravel(), noise.numpy().ravel())[0, 1] > least
        reading = read_noise(estimate, [PUBLISHED_KEY])
        assert (reading.present, reading.message) == (True, 77)


@pytest.mark.slow
def test_the_request_decides_the_mark_and_it_is_recorded(wan: Path) -> None:
    asked = request(wan)
    first, again = (DiffusersEngine().generate(asked) for _ in range(2))
    assert np.array_equal(np.stack(list(first.frames)), np.stack(list(again.frames)))
    assert first.origin.parameters["noise_mark"] == f"{message_for(asked):016x}"
    assert first.origin.parameters["noise_mark_key"] == "published-1"
    plain = DiffusersEngine().generate(request(wan, options={"steps": 2, "device": "cpu"}))
    assert "noise_mark" not in plain.origin.parameters


def test_clips_that_cannot_carry_it_are_refused(
    wan: Path, tiny_pipeline: Callable[[str], Path]
) -> None:
    with pytest.raises(StampError, match="too small"):
        DiffusersEngine().generate(request(wan, width=16, height=16, num_frames=1))
    with pytest.raises(EngineError, match="cannot be run backwards"):
        DiffusersEngine().generate(request(tiny_pipeline("ltx")))
    with pytest.raises(EngineError, match="cannot be run backwards"):
        inversion.check_invertible(load_pipeline(str(tiny_pipeline("wan-v2v")), CPU))


def test_a_request_for_something_else_has_another_message(wan: Path) -> None:
    assert message_for(request(wan)) == message_for(request(wan))
    assert message_for(request(wan)) != message_for(request(wan, seed=1))


@pytest.mark.slow
def test_the_command_says_that_there_is_none(
    wan: Path, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from vidigree.generate.engines.diffusers.commands import read_noise as command

    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path))
    arguments = [str(footage), "--model", str(wan), "--steps", "2", "--device", "cpu"]
    done = CliRunner().invoke(command, [*arguments, "--size", "64x64"], standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "none found" in done.output
    wrong = CliRunner().invoke(command, [*arguments, "--size", "big"])
    assert wrong.exit_code == 2
