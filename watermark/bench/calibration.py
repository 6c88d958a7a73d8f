"""Are the p-values right? Those of unmarked windows against how often they come."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.media import Progress, VidigreeError, no_progress, open_video
from vidigree.media.errors import UsageError
from vidigree.media.frame import Frame
from vidigree.media.output import check_target, output_file
from vidigree.watermark.bench import distortions as d
from vidigree.watermark.keyring import PUBLISHED_KEY, MarkKey
from vidigree.watermark.robust.carrier import SHORT_SIDE, carrier_of
from vidigree.watermark.robust.decision import PILOT_WEIGHT
from vidigree.watermark.robust.frontend import Picture, residual_of, working_luma, working_step
from vidigree.watermark.robust.geometry import Geometry, observed_spectrum
from vidigree.watermark.robust.modulation import align, channel_gain, symbols_of
from vidigree.watermark.robust.reading import Trial, codeword_score, reweighed
from vidigree.watermark.robust.significance import joint_p_value, p_value, weighted_p_value
from vidigree.watermark.robust.stretches import (
    Parts,
    StretchReader,
    half_second,
    learned_parts,
    parts_of,
    summed,
)
from vidigree.watermark.robust.sync import SHIFTS, find_shift

__all__ = ["Calibration", "calibrate", "check_plot", "qq_plot"]

_FRAMES = 2
_EVERY = 4
_PLOTS = (".pdf", ".png", ".svg")

_Images = list[NDArray[np.uint8]]


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
            the pilot says, the parts of the window as well where it has several.
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
    clips: Iterable[Path],
    trials: int,
    keys: int,
    seed: int,
    progress: Progress = no_progress,
    *,
    halves: int = 0,
    learned: bool = False,
) -> Calibration:
    """Score windows of unmarked and attacked-unmarked frames with keys they know nothing of.

    Args:
        clips: Unmarked video files.
        trials: Pairs of window and key to score.
        keys: Fresh random keys for each window.
        seed: Seed of keys and attacks.
        progress: Told of every window.
        halves: Half seconds in a window, which are added and weighed as those of a clip are; 0 for
            windows of two frames, which are one picture.
        learned: Half seconds as the learned front end sees them.

    Raises:
        UsageError: No clip could be read, or the learned front end is not there, or asked for two
            frames.
    """
    if learned and not halves:
        raise UsageError(
            "The learned front end is asked for half seconds only.", hint="Give --halves 6."
        )
    values: list[tuple[float, ...]] = []
    windows = 0
    rng = np.random.default_rng(seed)
    for parts in _windows(clips, halves, rng, learned=learned):
        if not parts:
            raise UsageError(
                "The learned front end is not there.", hint="Install vidigree again, or go without."
            )
        windows += 1
        values += _scored(parts, keys, rng)
        progress("Windows", len(values), trials)
        if len(values) >= trials:
            break
    if not values:
        raise UsageError(
            "None of these clips could be read, or none is as long as a window.",
            hint="Name video files of a few frames or more.",
        )
    scores, single, best, code, joint, placed = np.array(values).T
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


def _scored(parts: Parts, keys: int, rng: np.random.Generator) -> list[tuple[float, ...]]:
    """Return what :func:`_tested` says of a window with so many fresh keys and messages."""
    picture = summed(parts) if len(parts) > 1 else parts[0][1]
    # The lattice and the whitening are the same for every key.
    spectrum = observed_spectrum(picture, carrier_of(PUBLISHED_KEY), Geometry())
    values = []
    for _ in range(keys):
        key = MarkKey(key_id="calibration", secret=rng.bytes(32))
        message = int.from_bytes(rng.bytes(8), "big")
        values.append(_tested(spectrum, parts, key, message))
    return values


def _tested(
    spectrum: NDArray[np.complex64], parts: Parts, key: MarkKey, message: int
) -> tuple[float, ...]:
    """Return the best pilot score, and the p-values of the five tests.

    As in detection the pilot is tested in the sum as it is, which no key has a say in, and the
    codeword in the sum of parts that are weighted as the pilot says.
    """
    # Not through the cache, which would fill with keys that are used once.
    carrier = carrier_of.__wrapped__(key)
    moduli = np.abs(spectrum[carrier.pilots])
    pilot = spectrum[carrier.pilots] * np.conj(carrier.phases[carrier.pilots])
    # A black window has no spectrum at all.
    at_zero = float(np.sum(pilot.real)) / (math.sqrt(float(np.sum(moduli**2)) / 2.0) + 1e-12)
    lock = find_shift(spectrum, carrier)
    best = p_value(lock.score, SHIFTS, moduli)
    found = Trial(key=key, carrier=carrier, geometry=Geometry(), lock=lock, spectrum=spectrum)
    trial = reweighed(found, parts)
    aligned = align(trial.spectrum, carrier, trial.lock.shift)
    gain = channel_gain(aligned, carrier)
    score = codeword_score(aligned, symbols_of(message, carrier), carrier, gain)
    code = p_value(score, 1.0, np.abs(aligned[carrier.data]) * gain[carrier.data])
    single = p_value(at_zero, 1.0, moduli)
    placed = weighted_p_value(single, code, PILOT_WEIGHT)
    return lock.score, single, best, code, joint_p_value(best, code), placed


def _windows(
    clips: Iterable[Path], halves: int, rng: np.random.Generator, *, learned: bool
) -> Iterator[Parts]:
    """Yield windows of unmarked frames, each as it is and after four attacks."""
    attacks = (
        lambda f: f,
        lambda f: d.cropped(f, 0.71, rng),
        lambda f: d.jpeg(f, 40),
        lambda f: d.rotated(f, 10),
        lambda f: d.contrasted(f, 1.5),
    )
    for clip in clips:
        try:
            with open_video(clip) as video:
                fps = video.info.fps
                images = video.images()
                for window in _halves(images, fps, halves) if halves else _pairs(images):
                    for attack in attacks:
                        changed = attack(window)
                        yield (
                            _parts(changed, fps, halves, learned=learned)
                            if halves
                            else [(1.0, _picture(changed))]
                        )
        except VidigreeError:
            continue  # one file that cannot be read does not end the calibration


def _pairs(images: Iterable[NDArray[np.uint8]]) -> Iterator[_Images]:
    """Yield two of every four frames."""
    window: _Images = []
    for index, image in enumerate(images):
        if index % _EVERY < _FRAMES:
            window.append(image)
        if len(window) == _FRAMES:
            yield window
            window = []


def _halves(images: Iterable[NDArray[np.uint8]], fps: Fraction, halves: int) -> Iterator[_Images]:
    """Yield the frames of so many half seconds, and again."""
    length = halves * half_second(fps)
    window: _Images = []
    for image in images:
        window.append(image)
        if len(window) == length:
            yield window
            window = []


def _parts(images: _Images, fps: Fraction, halves: int, *, learned: bool) -> Parts:
    reader = StretchReader(fps)
    fed = [reader.feed(Frame(image=image, time=Fraction(0))) for image in images]
    stretches = [stretch for stretch in fed if stretch is not None]
    return learned_parts(stretches, halves) if learned else parts_of(stretches)


def _picture(frames: _Images) -> Picture:
    lumas = [working_luma(frame, SHORT_SIDE) for frame in frames]
    total = np.asarray(np.sum([residual_of(luma) for luma in lumas], axis=0), np.float32)
    source = (frames[0].shape[0], frames[0].shape[1])
    return Picture(residual=total, step=working_step(source, (total.shape[0], total.shape[1])))


def check_plot(path: Path, *, overwrite: bool = False) -> None:
    """Refuse what :func:`qq_plot` would refuse, for work that comes before it.

    Raises:
        UsageError: The name has no ending of a format that can be drawn.
        OutputError: The folder is missing, or ``path`` exists and may not be replaced.
    """
    if path.suffix.lower() not in _PLOTS:
        raise UsageError(
            f"A plot cannot be written as {path.name}.", hint=f"Known: {', '.join(_PLOTS)}."
        )
    check_target(path, overwrite=overwrite)


def qq_plot(calibration: Calibration, path: Path, *, overwrite: bool = False) -> None:
    """Draw claimed p-values against the share of trials at or below them, on logarithmic axes.

    A curve under the diagonal is conservative: fewer false alarms than claimed.

    Args:
        calibration: What to draw.
        path: A PNG, SVG or PDF file.
        overwrite: Whether an existing file may be replaced.

    Raises:
        UsageError: The name has no ending of a format that can be drawn.
        OutputError: It cannot be written.
    """
    check_plot(path, overwrite=overwrite)
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
    with output_file(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, bbox_inches="tight", dpi=130)
