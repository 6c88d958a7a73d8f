"""Are the p-values right? Those of unmarked windows against how often they come."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.media import Progress, VidigreeError, no_progress, open_video
from vidigree.media.errors import UsageError
from vidigree.watermark.bench import distortions as d
from vidigree.watermark.keyring import PUBLISHED_KEY, MarkKey
from vidigree.watermark.robust.carrier import SHORT_SIDE, Carrier, carrier_of
from vidigree.watermark.robust.decision import PILOT_WEIGHT
from vidigree.watermark.robust.frontend import Picture, residual_of, working_luma, working_step
from vidigree.watermark.robust.geometry import Geometry, observed_spectrum
from vidigree.watermark.robust.modulation import align, channel_gain, symbols_of
from vidigree.watermark.robust.reading import codeword_score
from vidigree.watermark.robust.significance import joint_p_value, p_value, weighted_p_value
from vidigree.watermark.robust.sync import SHIFTS, find_shift

__all__ = ["Calibration", "calibrate", "qq_plot"]

_FRAMES = 2
_EVERY = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """What came out.

    Attributes:
        windows: Number of windows of unmarked frames.
        keys: Keys tried on each window.
        scores: float64, the best pilot scores over all shifts, standard deviations.
        single: float64, p-values of the pilot at one shift fixed beforehand.
        best: float64, p-values of the pilot over all shifts, a bound.
        code: float64, p-values of one random message's codeword at the best shift, weighted as
            the pilot says.
        joint: float64, p-values of pilot and codeword together, a bound.
        placed: float64, p-values of the first and the third together, as pilot and codeword are
            judged where the message says where its tile starts.
    """

    windows: int
    keys: int
    scores: NDArray[np.float64]
    single: NDArray[np.float64]
    best: NDArray[np.float64]
    code: NDArray[np.float64]
    joint: NDArray[np.float64]
    placed: NDArray[np.float64]

    def rows(self) -> list[tuple[float, ...]]:
        """Return claimed p-values, and the shares at or below them, test by test."""
        tests = (self.single, self.best, self.code, self.joint, self.placed)
        return [
            (claimed, *(float(np.mean(values <= claimed)) for values in tests))
            for claimed in (1e-1, 1e-2, 1e-3, 1e-4)
        ]


def calibrate(
    clips: Iterable[Path], trials: int, keys: int, seed: int, progress: Progress = no_progress
) -> Calibration:
    """Score windows of unmarked and attacked-unmarked frames with keys they know nothing of.

    Args:
        clips: Unmarked video files.
        trials: Pairs of window and key to score.
        keys: Fresh random keys for each window.
        seed: Seed of keys and attacks.
        progress: Told of every window.

    Raises:
        UsageError: No clip could be read.
    """
    rng = np.random.default_rng(seed)
    values: list[tuple[float, ...]] = []
    windows = 0
    for picture in _windows(clips, rng):
        windows += 1
        # The lattice and the whitening are the same for every key.
        spectrum = observed_spectrum(picture, carrier_of(PUBLISHED_KEY), Geometry())
        for _ in range(keys):
            key = MarkKey(key_id="calibration", secret=rng.bytes(32))
            # Not through the cache, which would fill with keys that are used once.
            carrier = carrier_of.__wrapped__(key)
            message = int.from_bytes(rng.bytes(8), "big")
            values.append(_tested(spectrum, carrier, message))
        progress("Windows", len(values), trials)
        if len(values) >= trials:
            break
    if not values:
        raise UsageError(
            "None of these clips could be read.", hint="Name video files of a few frames or more."
        )
    scores, *tests = np.array(values).T
    single, best, code, joint, placed = tests
    return Calibration(
        windows=windows,
        keys=keys,
        scores=scores,
        single=single,
        best=best,
        code=code,
        joint=joint,
        placed=placed,
    )


def _tested(spectrum: NDArray[np.complex64], carrier: Carrier, message: int) -> tuple[float, ...]:
    """Return the best pilot score, and the p-values of the five tests."""
    moduli = np.abs(spectrum[carrier.pilots])
    pilot = spectrum[carrier.pilots] * np.conj(carrier.phases[carrier.pilots])
    # A black window has no spectrum at all.
    at_zero = float(np.sum(pilot.real)) / (math.sqrt(float(np.sum(moduli**2)) / 2.0) + 1e-12)
    lock = find_shift(spectrum, carrier)
    best = p_value(lock.score, SHIFTS, moduli)
    aligned = align(spectrum, carrier, lock.shift)
    gain = channel_gain(aligned, carrier)
    score = codeword_score(aligned, symbols_of(message, carrier), carrier, gain)
    code = p_value(score, 1.0, np.abs(aligned[carrier.data]) * gain[carrier.data])
    single = p_value(at_zero, 1.0, moduli)
    placed = weighted_p_value(single, code, PILOT_WEIGHT)
    return lock.score, single, best, code, joint_p_value(best, code), placed


def _windows(clips: Iterable[Path], rng: np.random.Generator) -> Iterator[Picture]:
    """Yield windows of two frames, each as it is and after four attacks."""
    attacks = (
        lambda f: f,
        lambda f: d.cropped(f, 0.71, rng),
        lambda f: d.jpeg(f, 40),
        lambda f: d.rotated(f, 10),
        lambda f: d.contrasted(f, 1.5),
    )
    for clip in clips:
        window: list[NDArray[np.uint8]] = []
        try:
            with open_video(clip) as video:
                for index, image in enumerate(video.images()):
                    if index % _EVERY >= _FRAMES:
                        continue
                    window.append(image)
                    if len(window) == _FRAMES:
                        for attack in attacks:
                            yield _picture(attack(window))
                        window = []
        except VidigreeError:
            continue  # one file that cannot be read does not end the calibration


def _picture(frames: list[NDArray[np.uint8]]) -> Picture:
    lumas = [working_luma(frame, SHORT_SIDE) for frame in frames]
    total = np.asarray(np.sum([residual_of(luma) for luma in lumas], axis=0), np.float32)
    source = (frames[0].shape[0], frames[0].shape[1])
    return Picture(residual=total, step=working_step(source, (total.shape[0], total.shape[1])))


def qq_plot(calibration: Calibration, path: Path) -> None:
    """Draw claimed p-values against the share of trials at or below them, on logarithmic axes.

    A curve under the diagonal is conservative: fewer false alarms than claimed.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5))
    axes = figure.add_subplot()
    for tested, label in (
        (calibration.single, "one shift, fixed beforehand"),
        (calibration.best, "best of all shifts (presence by the pilot)"),
        (calibration.code, "one codeword there (messages are charged for all 2^64)"),
        (calibration.joint, "both together"),
        (calibration.placed, "one shift and one codeword, weighted"),
    ):
        values = np.sort(tested)
        shares = (np.arange(len(values)) + 1) / len(values)
        below = values < 1.0
        axes.plot(values[below], shares[below], label=label)
    axes.plot([1e-5, 1], [1e-5, 1], color="gray", linewidth=0.8, label="exact")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("claimed p-value")
    axes.set_ylabel("share of trials at or below")
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.15))
    figure.savefig(path, bbox_inches="tight", dpi=130)
