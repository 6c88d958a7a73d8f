"""Whatever a stamped pipeline is asked for, what comes out is marked, or nothing comes out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.textures import moving_texture

from vidigree.generate import RequestWarning, export_to_video, stamp_frames, stamped
from vidigree.generate.doors.stamped import StampedPipeline
from vidigree.generate.frames import to_uint8
from vidigree.media import open_video
from vidigree.media.errors import StampError, UsageError
from vidigree.watermark import PUBLISHED_KEY, MarkReading
from vidigree.watermark.keyring import KeyRing
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.robust import RobustMark

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]


def read(frames: Any) -> MarkReading:
    return RobustMark().detect(list(to_uint8(frames)), keys=[PUBLISHED_KEY], fps=Fraction(16))


@pytest.mark.parametrize("wanted", ["pil", "np", "pt"])
def test_every_output_type_is_marked(home: Path, fake: Any, wanted: str) -> None:
    result = stamped(fake)("a ball", output_type=wanted)
    (mark,) = result.provenance
    reading = read(result.frames[0])
    assert reading.present
    assert reading.message == mark.clip_id
    assert type(result).__name__ == "WanPipelineOutput"
    kinds = {"pil": "list", "np": "ndarray", "pt": "Tensor"}
    assert type(result.frames).__name__ == kinds[wanted]


def test_plain_call_tuple_call_and_positional_type_are_marked(home: Path, fake: Any) -> None:
    pipe = stamped(fake)
    assert read(pipe("a ball").frames[0]).present
    (frames,) = pipe("a ball", return_dict=False)
    assert read(frames[0]).present
    assert read(pipe("a ball", "np").frames[0]).present


def test_every_clip_of_a_batch_has_its_own_id(home: Path, fake: Any) -> None:
    result = stamped(fake)("a ball", output_type="np", batch=2)
    first, second = result.provenance
    assert first.clip_id != second.clip_id
    assert [read(clip).message for clip in result.frames] == [first.clip_id, second.clip_id]


def test_float_frames_keep_their_precision(home: Path, fake: Any) -> None:
    frames = stamped(fake)("a ball", output_type="np").frames[0]
    levels = frames * 255
    assert np.abs(levels - np.round(levels)).max() > 0.05, "not snapped to 256 levels"


def test_latents_are_refused_unless_spelled_out(home: Path, fake: Any) -> None:
    with pytest.raises(UsageError, match="Latents cannot be marked"):
        stamped(fake)("a ball", output_type="latent")
    with pytest.warns(RequestWarning, match="Unmarked latents"):
        result = stamped(fake)("a ball", output_type="latent", allow_unstamped=True)
    assert tuple(result.frames.shape) == (1, 16, 2, 8, 8)


def test_moving_the_pipe_does_not_unwrap_it(home: Path, fake: Any) -> None:
    moved = stamped(fake).to("cpu")
    assert isinstance(moved, StampedPipeline)
    assert stamped(moved) is moved
    assert read(moved("a ball").frames[0]).present


def test_attributes_are_the_pipes_own(home: Path, fake: Any) -> None:
    pipe = stamped(fake)
    pipe.device = "elsewhere"
    assert fake.device == pipe.device == "elsewhere"
    with pytest.raises(AttributeError):
        _ = pipe.absent


def test_frames_too_small_for_the_mark_are_not_given_out(home: Path, fake: Any) -> None:
    fake.frames = fake.frames[:, :64, :64]
    with pytest.raises(StampError):
        stamped(fake)("a ball")


def test_unreadable_mark_gives_nothing(
    home: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = MarkReading(method="robust", present=False)
    monkeypatch.setattr(RobustMark, "detect", lambda *a, **k: absent)
    with pytest.raises(StampError, match="not given out"):
        stamped(fake)("a ball")


def test_a_mark_that_reads_as_another_clips_gives_nothing(
    home: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter((7, 7, 8))
    monkeypatch.setattr("secrets.randbits", lambda bits: next(drawn))
    told = [7, 7, 7]
    other = MarkReading(method="robust", present=True, message=7, key_id="k", p_value=1e-9)
    monkeypatch.setattr(RobustMark, "detect", lambda *a, **k: told.pop() and other)
    (mark,) = stamped(fake)("a ball").provenance
    assert (mark.clip_id, mark.method, mark.p_value) == (7, "robust", 1e-9)
    with pytest.raises(StampError, match="not given out"):
        stamped(fake)("a ball", batch=2)  # the first clip is right, the second is not
    assert told == []


def test_an_output_that_cannot_be_marked_is_refused_before_any_work(home: Path, fake: Any) -> None:
    class HDRPipeline(type(fake)):  # type: ignore[misc]
        pass

    fake.frames = None  # nobody asks for them
    for wanted in ("pt2", "tensor", None):
        with pytest.raises(UsageError, match="must be pil, np or pt"):
            stamped(fake)("a ball", output_type=wanted)
    with pytest.raises(UsageError, match="HDR frames"):
        stamped(HDRPipeline(None))("a ball")


def test_the_keys_method_and_rate_that_are_given_are_used(
    home: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, object]] = []
    embed, detect = RobustMark.embed, RobustMark.detect

    def embedding(self: Any, frames: Any, message: int, *, key: Any, fps: Any) -> Any:
        seen.append((key.key_id, fps))
        return embed(self, frames, message, key=key, fps=fps)

    def detecting(self: Any, frames: Any, *, keys: Any, fps: Any) -> Any:
        seen.append((*[key.key_id for key in keys], fps))
        return detect(self, frames, keys=keys, fps=fps)

    monkeypatch.setattr(RobustMark, "embed", embedding)
    monkeypatch.setattr(RobustMark, "detect", detecting)
    ring = KeyRing.rotate(home / "elsewhere.json")
    (mark,) = stamped(fake, keys=ring, fps=Fraction(25))("a ball").provenance
    own = ring.active.key_id
    assert seen == [(own, Fraction(25))] * 2
    assert mark.key_id == own != KeyRing.load().active.key_id


def test_a_real_pipeline_stays_marked_through_export(home: Path, wan: Any, tmp_path: Path) -> None:
    pipe = stamped(wan)
    result = pipe(
        "a red ball",
        height=256,
        width=256,
        num_frames=9,
        num_inference_steps=1,
        max_sequence_length=16,
    )
    path = export_to_video(result.frames[0], str(tmp_path / "clip.mp4"), fps=16)
    entry = Ledger.open().find_clip(result.provenance[0].clip_id)
    assert entry is not None
    assert Path(path).exists()
    with pytest.raises(UsageError, match="issued already"):
        export_to_video(result.frames[0], str(tmp_path / "again.mp4"), fps=16)
    assert not (tmp_path / "again.mp4").exists()


def test_frames_of_which_a_part_was_marked_are_not_issued(home: Path, tmp_path: Path) -> None:
    first, second = (
        [frame.image for frame in moving_texture(count=48, seed=seed)] for seed in (1, 2)
    )
    fps, ring = Fraction(24), KeyRing.load()
    marked = list(RobustMark().embed(first, 5, key=ring.active, fps=fps))
    other = list(RobustMark().embed(second, 6, key=ring.active, fps=fps))
    for joined in (marked + second, marked + other):
        with pytest.raises(StampError, match="carry the mark that these frames came with"):
            stamp_frames(np.stack(joined), tmp_path / "clip.mp4", fps=fps)
        assert list(tmp_path.glob("*.mp4")) == []
        assert Ledger.open().find_clip(5) is None
    assert stamp_frames(np.stack(marked), tmp_path / "clip.mp4", fps=fps).clip_id == 5


def test_a_short_title_leaves_with_marked_frames_and_carries_no_mark_alone(
    home: Path, tmp_path: Path
) -> None:
    """docs/generate.md says so; the ends of what carries a mark are known to half a second."""
    frames, title = (
        [frame.image for frame in moving_texture(count=count, seed=seed)]
        for count, seed in ((48, 1), (5, 2))
    )
    ring = KeyRing.load()
    marked = list(RobustMark().embed(frames, 5, key=ring.active, fps=Fraction(24)))
    receipt = stamp_frames(np.stack(marked + title), tmp_path / "clip.mp4", fps=Fraction(24))
    assert receipt.clip_id == 5
    with open_video(receipt.path) as video:
        images = list(video.images())
    found = RobustMark().detect(images, keys=[ring.active], fps=Fraction(24))
    alone = RobustMark().detect(images[48:], keys=[ring.active], fps=Fraction(24))
    assert (found.message, alone.present) == (5, False)
