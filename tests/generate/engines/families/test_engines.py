"""The families as engines: what they say about requests, what they start from, what is refused."""

from __future__ import annotations

import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.generate import ClipRequest, engine_registry
from vidigree.generate.engine import RequestWarning
from vidigree.generate.engines.families import sources
from vidigree.generate.engines.families.weights import shipped_facts, shipped_weights
from vidigree.media.errors import EngineError, MediaError, UsageError
from vidigree.watermark.clip import Clip

pytest.importorskip("torch")

FAMILIES = ["autoregressive", "flow-gan", "gan", "vae"]
PROMPT = "a red ball rolling to the left on grass"


def make(engine: str, prompt: str = PROMPT, **values: Any) -> tuple[Clip, list[str]]:
    """Return the clip and the notes."""
    request = ClipRequest(prompt=prompt, engine=engine, **({"seed": 3, "num_frames": 2} | values))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clip = engine_registry.get(engine)().generate(request)
    return clip, [str(row.message) for row in caught if row.category is RequestWarning]


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wide picture whose middle square is a red disc on green."""
    picture = np.full((90, 160, 3), (40, 160, 40), np.uint8)
    cv2.circle(picture, (80, 45), 20, (30, 30, 220), -1)
    path = tmp_path_factory.mktemp("still") / "still.png"
    cv2.imwrite(str(path), picture)
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second at 24 frames a second, drawn by the renderer, as a lossless file."""
    path = tmp_path_factory.mktemp("source") / "in.avi"
    clip = engine_registry.get("render")().generate(
        ClipRequest(
            prompt="a yellow cube sliding to the right on snow",
            width=64,
            height=64,
            num_frames=24,
        )
    )
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 24, (64, 64))
    for frame in clip.frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


@pytest.mark.parametrize("engine", FAMILIES)
def test_left_alone_it_draws_two_seconds_at_256(engine: str) -> None:
    clip, notes = make(engine, num_frames=None)
    assert (clip.width, clip.height, clip.num_frames, clip.fps) == (256, 256, 24, Fraction(12))
    assert notes == []
    assert clip.origin.trained_model is True


@pytest.mark.parametrize("engine", FAMILIES)
def test_what_is_not_followed_is_said(engine: str) -> None:
    clip, notes = make(
        engine,
        "a red wolf on grass beside a pond, a ball and a cube 🔴",
        num_frames=100,
        width=64,
        height=32,
        fps=Fraction(24),
        negative_prompt="blur",
        strength=0.5,
    )
    assert clip.num_frames == 24
    text = " ".join(notes)
    for part in (
        "'wolf', 'beside', 'pond', '🔴'",
        "'ball', 'cube' may mix",
        "24 frames here and no more; 100 were",
        "12 frames a second; at 24",
        "64 x 64 pixels; they were cut and resized to 64 x 32.",
        "negative",
        "strength",
    ):
        assert part in text, part


@pytest.mark.parametrize("engine", FAMILIES)
def test_a_prompt_of_unknown_words_is_refused(engine: str) -> None:
    with pytest.raises(EngineError, match="words: 'wolves', 'howl'"):
        make(engine, "wolves howl on a")


@pytest.mark.parametrize("engine", FAMILIES)
def test_models_and_options_are_refused(engine: str) -> None:
    with pytest.raises(UsageError, match="steps"):
        make(engine, options={"steps": 3})
    with pytest.raises(UsageError, match="somebody/something"):
        make(engine, model="somebody/something")


@pytest.mark.parametrize("engine", FAMILIES)
def test_another_caption_gives_another_clip(engine: str) -> None:
    one = next(iter(make(engine, "a red ball on grass")[0].frames))
    other = next(iter(make(engine, "a blue cube on snow at night")[0].frames))
    assert np.abs(one.astype(int) - other).mean() > 5


@pytest.mark.parametrize("engine", ["autoregressive", "flow-gan"])
def test_a_clip_begins_with_its_still(engine: str, source: Path, tmp_path: Path) -> None:
    still = tmp_path / "still.png"
    cv2.imwrite(str(still), np.ascontiguousarray(sources.read_clip(source)[0, ..., ::-1]))
    clip, _ = make(engine, image=still, width=64, height=64, num_frames=3)
    assert clip.origin.task == "image-to-video"
    assert clip.origin.inputs == (still,)
    frames = list(clip.frames)
    assert np.array_equal(frames[0], sources.read_still(still))
    assert np.abs(frames[1].astype(int) - frames[0]).mean() < 40, "goes on from it"


@pytest.mark.parametrize("engine", ["autoregressive", "flow-gan"])
def test_what_is_no_picture_is_refused(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "still.png"
    path.write_bytes(b"no picture")
    with pytest.raises(MediaError, match="picture"):
        make(engine, image=path)


def test_a_little_strength_leaves_a_clip_nearly_as_it_was(source: Path) -> None:
    def frames(strength: float) -> NDArray[np.int64]:
        clip, _ = make("vae", video=source, strength=strength, num_frames=24, width=64, height=64)
        assert clip.origin.task == "video-to-video"
        return np.stack(list(clip.frames)).astype(int)

    original = sources.read_clip(source).astype(int)
    little, much = frames(0.01), frames(1.0)
    near, far = (np.abs(made[:12] - original).mean() for made in (little, much))
    assert near < far
    assert near < 40


def test_a_short_clip_to_start_from_is_held_and_said(source: Path) -> None:
    _, notes = make("vae", video=source)
    assert any("the last of 12 was held" in note for note in notes)


def test_clips_are_read_at_the_rate_of_the_families(source: Path) -> None:
    frames = sources.read_clip(source)
    assert frames.shape == (12, 64, 64, 3), "every second of 24 frames"


def test_stills_are_cut_to_the_middle_square(still: Path) -> None:
    with pytest.warns(RequestWarning, match="Only the middle square"):
        frame = sources.read_still(still)
    assert frame.shape == (64, 64, 3)
    assert frame[32, 32, 0] > 180, "the disc, in RGB"
    assert frame[2, 2, 1] > 120
    wide = np.flatnonzero(frame[32, :, 0] > 128)
    assert len(wide) == pytest.approx(40 * 64 / 90, abs=2)


def test_an_estimate_draws_nothing() -> None:
    engine = engine_registry.get("gan")()
    expected = engine.estimate(ClipRequest(prompt="a ball", num_frames=99, height=128))  # type: ignore[attr-defined]
    assert (expected.width, expected.height, expected.num_frames) == (128, 128, 24)


@pytest.mark.parametrize("family", ["codec", "captions", *FAMILIES])
def test_weights_say_how_they_came_about(family: str) -> None:
    facts = shipped_weights(family).facts
    assert shipped_facts(family) == facts, "read without torch"
    assert facts["family"] == family
    assert facts["step"] > 0
    assert facts["seconds"] > 0
    assert "seed" in facts


def test_missing_weights_are_one_error() -> None:
    with pytest.raises(EngineError, match="cannot be read"):
        shipped_weights("nothing")
    with pytest.raises(EngineError, match="cannot be read"):
        shipped_facts("nothing")
