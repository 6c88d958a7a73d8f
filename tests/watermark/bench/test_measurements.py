from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from vidigree.media import VideoWriter
from vidigree.media.errors import OutputError, UsageError
from vidigree.watermark.bench.calibration import calibrate, qq_plot
from vidigree.watermark.bench.commands import watermark
from vidigree.watermark.bench.security import measure_security


def _clip(path: Path, seed: int, frames: int = 8) -> Path:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:256, 0:256]
    phase = rng.uniform(0, 6, 4)
    with VideoWriter(path, width=256, height=256, fps=Fraction(24)) as writer:
        for index in range(frames):
            wave = np.sin((x + index) / 13.0 + phase[0]) * np.cos(y / 17.0 + phase[1])
            wave = 120 + 40 * wave + 20 * np.sin(x * y / 900.0 + phase[2])
            writer.write(np.repeat(np.clip(wave, 0, 255).astype(np.uint8)[..., None], 3, axis=2))
    return path


def test_scores_of_unmarked_windows_keep_what_the_p_values_claim(tmp_path: Path) -> None:
    clips = [_clip(tmp_path / f"{seed}.mp4", seed) for seed in range(3)]
    result = calibrate(clips, trials=200, keys=20, seed=1)
    assert len(result.best) >= 120
    # Where nothing is chosen, a p-value is no bound but right.
    for tested in (result.single, result.code, result.placed):
        assert np.mean(tested <= 0.1) == pytest.approx(0.1, abs=0.07)
    for claimed, *shares in result.rows()[1:]:
        assert max(shares) <= 5 * claimed


@pytest.mark.parametrize("learned", [False, True])
def test_parts_that_are_weighed_by_the_pilot_keep_what_the_p_values_claim(
    tmp_path: Path, learned: bool
) -> None:
    clip = _clip(tmp_path / "a.mp4", 1, frames=24)
    result = calibrate([clip], trials=200, keys=40, seed=1, halves=2, learned=learned)
    assert (result.windows, len(result.code)) == (5, 200)
    for tested in (result.single, result.code, result.placed):
        assert np.mean(tested <= 0.1) == pytest.approx(0.1, abs=0.07)
    for claimed, *shares in result.rows()[1:]:
        assert max(shares) <= 5 * claimed


def test_the_learned_front_end_sees_half_seconds_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = _clip(tmp_path / "a.mp4", 1, frames=24)
    with pytest.raises(UsageError, match="half seconds only"):
        calibrate([clip], trials=5, keys=1, seed=1, learned=True)
    monkeypatch.setattr("vidigree.watermark.robust.stretches.learned_residual", lambda _: None)
    with pytest.raises(UsageError, match="not there"):
        calibrate([clip], trials=5, keys=1, seed=1, halves=2, learned=True)


def test_black_windows_count_as_chance_and_no_window_at_all_is_an_error(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "black.mp4", width=256, height=256, fps=Fraction(24)) as writer:
        for _ in range(4):
            writer.write(np.zeros((256, 256, 3), np.uint8))
    result = calibrate([tmp_path / "black.mp4"], trials=5, keys=1, seed=1)
    assert len(result.joint) == 5
    assert result.joint.min() > 1e-3
    (tmp_path / "none.mp4").write_bytes(b"no video")
    with pytest.raises(UsageError, match="could be read"):
        calibrate([tmp_path / "none.mp4"], trials=5, keys=1, seed=1)


def test_a_qq_plot_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = calibrate([_clip(tmp_path / "a.mp4", 1)], trials=20, keys=20, seed=1)
    qq_plot(result, tmp_path / "qq.png")
    assert (tmp_path / "qq.png").stat().st_size > 1000
    with pytest.raises(OutputError, match="exists already"):
        qq_plot(result, tmp_path / "qq.png")
    qq_plot(result, tmp_path / "qq.png", overwrite=True)


def test_a_plot_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    clip = _clip(tmp_path / "a.mp4", 1)
    before = clip.read_bytes()
    for name, code in (("a.mp4", 2), ("missing/a.png", 4), ("a.svg", 4)):
        (tmp_path / "a.svg").touch()
        plot = ["--plot", str(tmp_path / name)]
        done = CliRunner().invoke(watermark, ["calibrate", str(clip), *plot])
        assert done.exception is not None
        assert getattr(done.exception, "exit_code", None) == code
        assert done.output == ""
    assert clip.read_bytes() == before


@pytest.mark.slow
def test_averaging_gives_an_attacker_little_and_the_wrong_key_nothing(tmp_path: Path) -> None:
    clips = [_clip(tmp_path / f"{seed}.mp4", seed) for seed in range(10)]
    rows = {row.attack: row.outcome for row in measure_security(clips)}
    assert rows["looked for with the wrong key"] == "not present"
    assert rows["mean, brought to full strength, subtracted from a marked clip"].startswith(
        "the clip"
    )


def test_a_round_trip_goes_through_a_codec_and_refuses_what_is_none(tmp_path: Path) -> None:
    diffusers = pytest.importorskip("diffusers")
    from vidigree.watermark.bench.autoencoder import round_trip

    codec = diffusers.AutoencoderKL(block_out_channels=(4,), norm_num_groups=2, sample_size=32)
    codec.save_pretrained(tmp_path / "vae")
    frames = [np.full((40, 50, 3), 90, np.uint8)] * 3
    decoded = round_trip(frames, tmp_path / "vae")
    assert [frame.shape for frame in decoded] == [(32, 48, 3)] * 3
    assert all(frame.dtype == np.uint8 for frame in decoded)
    with pytest.raises(UsageError, match="no autoencoder"):
        round_trip(frames, tmp_path)
    (tmp_path / "config.json").write_text('{"_class_name": "UNet2DModel"}', encoding="utf-8")
    with pytest.raises(UsageError, match="not an autoencoder"):
        round_trip(frames, tmp_path)


def test_too_few_clips_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="four"):
        measure_security([_clip(tmp_path / "a.mp4", 1)])
