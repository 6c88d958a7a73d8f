import json
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vidigree.media import VideoWriter, open_video
from vidigree.media.errors import StampError, UsageError
from vidigree.watermark.bench.attacks import ATTACKS
from vidigree.watermark.bench.codecs import averaged, coded, resampled, trimmed
from vidigree.watermark.bench.commands import watermark
from vidigree.watermark.bench.drawn import DRAWN, write_drawn
from vidigree.watermark.bench.quality import psnr, ssim
from vidigree.watermark.bench.report import _goal, markdown, write_report
from vidigree.watermark.bench.run import BenchSettings, _finished
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark

FPS = Fraction(24)


def _frames(count: int = 6, height: int = 144, width: int = 192) -> list[np.ndarray]:
    y, x = np.mgrid[0:height, 0:width]
    result = []
    for index in range(count):
        wave = 120 + 60 * np.sin((x + 2 * index) / 9.0) * np.cos(y / 11.0)
        result.append(np.repeat(np.rint(wave).astype(np.uint8)[..., None], 3, axis=2))
    return result


def test_attack_names_are_unique_and_the_short_list_is_part_of_the_long_one() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names)) >= 60
    assert 10 <= sum(attack.core for attack in ATTACKS) < len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gives_pictures_and_the_same_ones_again(attack) -> None:
    frames = _frames()
    first, second = (attack.apply(frames, FPS, np.random.default_rng(3)) for _ in range(2))
    assert first
    assert all(frame.dtype == np.uint8 and frame.ndim == 3 for frame in first)
    assert len({frame.shape for frame in first}) == 1
    # Fast float arithmetic may differ in a last bit from run to run, and codecs pass that on.
    # Another draw of the same attack is at most 32 dB alike.
    assert all(psnr([a], [b]) > 38 for a, b in zip(first, second, strict=True))
    same = len(first) == len(frames) and all(
        np.array_equal(a, b) for a, b in zip(first, frames, strict=True)
    )
    # Grayscale and hue turns leave a gray clip alone; every other attack must do something.
    gray_is_safe = attack.name in {"grayscale", "hue .25", "saturation .5", "saturation 1.5"}
    gray_is_safe |= attack.name == "trimmed to 1 s"  # shorter than that already
    assert same == (attack.name == "none") or gray_is_safe


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed on Linux only")
@pytest.mark.parametrize("encoder", ["libx264", "libsvtav1"])
def test_an_encoder_leaves_the_priority_of_this_process_alone(encoder: str) -> None:
    def policies() -> set[int]:
        return {os.sched_getscheduler(int(t.name)) for t in Path("/proc/self/task").iterdir()}

    class Watched(list):
        def __iter__(self) -> Iterator[np.ndarray]:
            for frame in super().__iter__():
                seen.append(policies())  # the encoder is open, and its threads are there
                yield frame

    seen: list[set[int]] = []
    before = policies()
    coded(Watched(_frames()), encoder, 35, FPS)
    assert len(seen) == 6
    assert set().union(*seen, policies()) == before
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.sched_getscheduler(0))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {int(child.stdout)} == before


@pytest.mark.parametrize("name", ["noise .05", "screen filmed + CRF 26", "perspective .5"])
def test_another_draw_gives_other_pictures(name: str) -> None:
    attack = next(attack for attack in ATTACKS if attack.name == name)
    frames = _frames()
    first, second = (attack.apply(frames, FPS, np.random.default_rng(seed)) for seed in (3, 4))
    assert any(psnr([a], [b]) < 32 for a, b in zip(first, second, strict=True))


def test_stronger_compression_loses_more() -> None:
    frames = _frames()
    assert psnr(frames, coded(frames, "libx264", 40, FPS)) < psnr(
        frames, coded(frames, "libx264", 20, FPS)
    )


def test_an_encoder_that_is_missing_is_said_so() -> None:
    with pytest.raises(UsageError, match="no encoder"):
        coded(_frames(), "libnone", 30, FPS)


def test_time_attacks_keep_the_counts_they_should() -> None:
    frames = _frames(24)
    assert len(resampled(frames, 24, 15)) == 15
    assert len(resampled(frames, 24, 30)) == 30
    assert len(trimmed(frames, 0.5, FPS, np.random.default_rng(1))) == 12
    assert averaged(frames[:1], 3)[0].shape == frames[0].shape


def test_quality_figures_agree_with_known_ones() -> None:
    frames = _frames()
    noise = [frame ^ 1 for frame in frames]
    assert psnr(frames, noise) == pytest.approx(48.13, abs=0.01)
    assert psnr(frames, frames) == 100.0
    assert ssim(frames, frames) == pytest.approx(1.0)
    assert ssim(frames, noise) < 1.0


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UsageError):
        BenchSettings(attacks="most")
    with pytest.raises(UsageError):
        BenchSettings(workers=0)
    with pytest.raises(UsageError, match=r"no attack 'crop \.32' in the list core"):
        BenchSettings(only=("crop .32",))
    chosen = BenchSettings(attacks="full", only=("crop .32", "none")).chosen()
    assert [attack.name for attack in chosen] == ["none", "crop .32"]


def _row(**facts: object) -> dict[str, object]:
    base = {
        "clip": "a.mp4", "sha256": "00" * 32, "width": 640, "height": 360, "frames": 24,
        "method": "robust", "present": True, "p_value": 1e-9, "recovered": True, "wrong": False,
        "bit_accuracy": 1.0, "detect_seconds": 0.1,
    }  # fmt: skip
    return {**base, **facts}


def test_the_report_marks_what_falls_short() -> None:
    rows = [
        _row(
            kind="quality",
            psnr=45.0,
            psnr_least_frame=41.0,
            ssim=0.99,
            vmaf=None,
            embed_seconds=1.0,
        ),
        _row(kind="marked", attack="none"),
        _row(kind="marked", attack="none", recovered=False, present=False),
        _row(kind="control", attack="none", present=False, p_value=0.2, bit_accuracy=None),
    ]
    text = markdown(rows)
    assert "| none | 100 %; 99 % | - | **1/2** | - | - | 1/2 | 0 |" in text
    assert "| robust | 1 | 0 | 0 | 0.2 |" in text


def test_the_published_table_has_every_attack_and_its_goals() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "robustness.md").read_text("utf-8")
    _, _, table = page.partition("### robust: messages recovered exactly\n\n")
    rows = [line.strip("| ").split(" | ") for line in table.partition("\n\n")[0].splitlines()[2:]]
    assert [row[:2] for row in rows] == [
        [attack.name, f"{_goal(attack.goal)}; {_goal(attack.small_goal)}"] for attack in ATTACKS
    ]
    for row, attack in zip(rows, ATTACKS, strict=True):
        for cell, goal in zip(row[2:4], (attack.goal, attack.small_goal), strict=True):
            read, clips = (int(count) for count in cell.strip("*").split("/"))
            assert cell.startswith("**") is (goal is not None and read / clips < goal), row


@pytest.mark.slow
def test_a_run_is_resumed_and_not_repeated(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip, width=256, height=256, fps=FPS) as writer:
        for frame in DRAWN["256x256"]()[:6]:
            writer.write(frame)
    report = tmp_path / "report"
    arguments = ["bench", str(clip), "--report", str(report), "--no-vmaf", "--no-controls"]
    first = CliRunner().invoke(watermark, arguments)
    assert first.exit_code == 0, first.output
    rows = json.loads((report / "results.json").read_text())["rows"]
    assert {row["kind"] for row in rows} == {"quality", "marked"}
    job = next((report / "jobs").glob("*.json"))
    before = job.stat().st_mtime_ns
    again = CliRunner().invoke(watermark, arguments)
    assert again.output.splitlines()[:5] == first.output.splitlines()[:5]
    assert job.stat().st_mtime_ns == before


def test_a_report_has_its_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    quality = _row(kind="quality", psnr=45.0, ssim=0.99, psnr_least_frame=41.0, vmaf=None)
    rows = [{**quality, "embed_seconds": 1.0}, _row(kind="marked", attack="none")]
    write_report(rows, tmp_path)
    for name in ("recovery", "presence", "quality"):
        assert (tmp_path / f"{name}.png").stat().st_size > 1000


def test_methods_stand_beside_each_other() -> None:
    rows = [
        _row(kind="marked", attack="none"),
        _row(kind="marked", attack="none", method="dwt-dct", recovered=False, wrong=True),
    ]
    text = markdown(rows)
    assert "| attack | robust | dwt-dct |" in text
    assert "| none | 1/1 | 0/1 (1) |" in text
    assert "beside" not in markdown(rows[:1])


def test_the_report_tells_of_each_clip() -> None:
    lost = {"clip": "b.mp4", "sha256": "11" * 32}
    rows = [
        _row(kind="marked", attack="none"),
        _row(kind="marked", attack="blur k9", recovered=False),
        _row(kind="marked", attack="none", recovered=False, **lost),
        _row(kind="refused", clip="c.mp4", sha256="22" * 32),
    ]
    text = markdown(rows)
    assert "| a.mp4 | 640 x 360 | 24 | read | 1/2 |" in text
    assert "| b.mp4 | 640 x 360 | 24 | **not read** | 0/1 |" in text
    assert "| c.mp4 | 640 x 360 | 24 | refused | - |" in text


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_clip_is_read_unattacked_or_refused(name: str) -> None:
    method, frames = RobustMark(), DRAWN[name]()
    if min(frames[0].shape[:2]) < 128:
        with pytest.raises(StampError):
            list(method.embed(frames, 9, key=PUBLISHED_KEY, fps=FPS))
        return
    marked = list(method.embed(frames, 9, key=PUBLISHED_KEY, fps=FPS))
    assert method.detect(marked, keys=[PUBLISHED_KEY], fps=FPS).message == 9


def test_a_damaged_job_is_run_again(tmp_path: Path) -> None:
    target = tmp_path / "job.json"
    assert _finished(target) is None
    for content in ("", "{", "{}"):
        target.write_text(content, encoding="utf-8")
        assert _finished(target) is None
    target.write_text('[{"clip": "a"}]', encoding="utf-8")
    assert _finished(target) == [{"clip": "a"}]


def test_unknown_methods_are_refused_before_anything_is_drawn() -> None:
    with pytest.raises(UsageError, match="nope"):
        BenchSettings(methods=("robust", "nope"))


def test_drawn_clips_are_written_without_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = _frames(3)
    monkeypatch.setattr("vidigree.watermark.bench.drawn.DRAWN", {"waves": lambda: frames})
    (path,) = write_drawn(tmp_path / "drawn")
    assert path.name == "drawn-waves.mkv"
    # Jobs are named by a clip's bytes: were they others, an interrupted run would start anew.
    (again,) = write_drawn(tmp_path / "again")
    assert again.read_bytes() == path.read_bytes()
    with open_video(path) as video:
        assert all(np.array_equal(a, b) for a, b in zip(video.images(), frames, strict=True))
