"""One decoding for all who look at the frames, each of whom sees what it would see alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier import ClipScorer, score_video
from vidigree.detect.pixels import PixelPass, detectors
from vidigree.media.errors import UnsupportedMediaError
from vidigree.media.frame import Frame
from vidigree.media.reading import open_video
from vidigree.watermark.fingerprint import fingerprint_video
from vidigree.watermark.keyring import KeyRing
from vidigree.watermark.method import MarkReading


@pytest.fixture(scope="module")
def texture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return five seconds: two full windows and a tail, at a rate that is no multiple of 8."""
    folder = tmp_path_factory.mktemp("texture")
    return write_clip(folder / "clip.mp4", moving_texture(fps=30, count=150), fps=30)


def test_everybody_sees_what_it_would_see_alone(texture: Path) -> None:
    with open_video(texture) as video:
        looking = detectors(video, methods=("robust",), keys=KeyRing.load().keys)
        shared = PixelPass(
            video, detectors=looking, fingerprint=True, scorer=ClipScorer(video.info)
        )
        scores, fingerprint = shared.classification(where=None), shared.fingerprint()
    assert len(scores.windows) == 3
    assert scores == score_video(texture, where=None)
    assert fingerprint.to_bytes() == fingerprint_video(texture).to_bytes()


class _Blind:
    """A detector that cannot look at the second frame."""

    def __init__(self) -> None:
        self.seen = 0

    def feed(self, frame: Frame) -> None:
        self.seen += 1
        if self.seen == 2:
            raise UnsupportedMediaError("I cannot see this.")

    def finish(self) -> tuple[MarkReading, ...]:
        return ()


def test_who_cannot_look_fails_alone(texture: Path) -> None:
    blind = _Blind()
    with open_video(texture) as video:
        shared = PixelPass(
            video, detectors=(blind,), fingerprint=True, scorer=ClipScorer(video.info)
        )
        assert shared.classification(where=False).status == "scored"
        assert shared.fingerprint().usable
        for _ in range(2):
            with pytest.raises(UnsupportedMediaError, match="cannot see"):
                shared.marks()
    assert blind.seen == 2
