"""Running the bench: one job for every clip and method, resumable, in parallel."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from fractions import Fraction
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.media import Progress, UsageError, VidigreeError, no_progress, open_video
from vidigree.media.output import output_error, output_file
from vidigree.watermark.bench.attacks import ATTACKS, Attack
from vidigree.watermark.bench.quality import psnr, ssim, vmaf
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.method import WatermarkMethod, watermark_methods

__all__ = ["BenchSettings", "run_bench"]

Frames = list[NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """What to run.

    Attributes:
        methods: Registered method names.
        attacks: ``"core"`` or ``"full"``.
        only: Names of attacks of that list; empty for all of it.
        frames: Frames of each clip, at most.
        controls: Whether to look into the unmarked clip under every attack of the short list, too.
        quality: Whether to measure VMAF (slow); PSNR and SSIM always are.
        workers: Processes.
        seed: Seed of messages and attacks.
    """

    methods: tuple[str, ...] = ("robust",)
    attacks: str = "core"
    only: tuple[str, ...] = ()
    frames: int = 72
    controls: bool = True
    quality: bool = True
    workers: int = 1
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be run.

        Raises:
            UsageError: There is no such attack, list or method, or a count is not positive.
        """
        if self.attacks not in ("core", "full"):
            raise UsageError(f"There is no attack list {self.attacks!r}; there are core and full.")
        known = {one.name for one in ATTACKS if one.core or self.attacks == "full"}
        for name in self.only:
            if name not in known:
                raise UsageError(
                    f"There is no attack {name!r} in the list {self.attacks}.",
                    hint=f"Known: {'; '.join(sorted(known))}.",
                )
        for name in self.methods:
            watermark_methods.get(name)
        if self.frames < 1 or self.workers < 1:
            raise UsageError("Frames and workers must be at least 1.")

    def chosen(self) -> tuple[Attack, ...]:
        """Return the attacks to run."""
        listed = tuple(one for one in ATTACKS if one.core or self.attacks == "full")
        return tuple(one for one in listed if one.name in self.only) if self.only else listed


def run_bench(
    clips: Iterable[Path], folder: Path, settings: BenchSettings, progress: Progress = no_progress
) -> list[dict[str, Any]]:
    """Run every method on every clip and return all rows, those of earlier runs included.

    Every finished job writes one JSON file into ``folder / "jobs"``; a job whose file is there is
    not run again, so that an interrupted run goes on where it stopped.

    Args:
        clips: Video files.
        folder: Where jobs are kept.
        settings: What to run.
        progress: Told of every job.
    """
    jobs = folder / "jobs"
    try:
        jobs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(jobs, error) from error
    todo: list[tuple[Path, str, Path]] = []
    rows: list[dict[str, Any]] = []
    for method in settings.methods:
        for clip in clips if isinstance(clips, list) else list(clips):
            target = jobs / f"{_job_name(clip, method, settings)}.json"
            finished = _finished(target)
            if finished is None:
                todo.append((clip, method, target))
            else:
                rows += finished
    total = len(todo)
    others = set(active_children())
    pool = ProcessPoolExecutor(settings.workers, mp_context=get_context("spawn"))
    try:
        futures = [
            pool.submit(_run_job, clip, method, target, settings) for clip, method, target in todo
        ]
        for done, future in enumerate(as_completed(futures), 1):
            rows += future.result()
            progress("Clips", done, total)
    except BaseException:
        # Whoever interrupts this does not want to wait for the clips that are being worked on.
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in set(active_children()) - others:
            worker.kill()
        raise
    pool.shutdown()
    return rows


def _finished(target: Path) -> list[dict[str, Any]] | None:
    """Return the rows of a job that is done; ``None`` for one that is missing or damaged."""
    try:
        rows = json.loads(target.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return rows if isinstance(rows, list) else None


def _job_name(clip: Path, method: str, settings: BenchSettings) -> str:
    """Return a name that changes with the clip's content and with what is asked."""
    digest = hashlib.sha256(clip.read_bytes())
    asked = {**asdict(settings), "workers": 0, "methods": method}
    digest.update(json.dumps(asked, sort_keys=True).encode())
    return digest.hexdigest()[:24]


def _run_job(
    clip: Path, method: str, target: Path, settings: BenchSettings
) -> list[dict[str, Any]]:
    """Mark one clip with one method and attack it; write the rows and return them."""
    import cv2

    cv2.setNumThreads(1)
    rows = list(_rows(clip, method, settings))
    with output_file(target, overwrite=True) as temporary:
        temporary.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return rows


def _rows(clip: Path, name: str, settings: BenchSettings) -> Iterator[dict[str, Any]]:
    frames, fps = _frames(clip, settings.frames)
    method = watermark_methods.get(name)()
    seed = hashlib.sha256(f"{settings.seed} {clip.name} {name}".encode()).digest()
    message = int.from_bytes(seed[:8], "big") % (1 << method.message_bits)
    facts = {
        "clip": clip.name,
        "sha256": hashlib.sha256(clip.read_bytes()).hexdigest(),
        "width": frames[0].shape[1],
        "height": frames[0].shape[0],
        "frames": len(frames),
        "method": name,
    }
    began = time.process_time()
    try:
        marked = list(method.embed(frames, message, key=PUBLISHED_KEY, fps=fps))
    except VidigreeError as error:
        yield {**facts, "kind": "refused", "reason": error.message}
        return
    spent = time.process_time() - began
    yield {
        **facts,
        "kind": "quality",
        "psnr": psnr(frames, marked),
        "psnr_least_frame": min(psnr([a], [b]) for a, b in zip(frames, marked, strict=True)),
        "ssim": ssim(frames, marked),
        "vmaf": vmaf(frames, marked, fps) if settings.quality else None,
        "embed_seconds": spent,
    }
    for attack in settings.chosen():
        attacked = attack.apply(marked, fps, _generator(settings, clip, attack))
        yield {
            **facts, "kind": "marked", "attack": attack.name,
            **_looked(method, attacked, fps, message),
        }  # fmt: skip
        if settings.controls and attack.core:
            attacked = attack.apply(frames, fps, _generator(settings, clip, attack))
            yield {
                **facts, "kind": "control", "attack": attack.name,
                **_looked(method, attacked, fps, message),
            }  # fmt: skip


def _looked(method: WatermarkMethod, frames: Frames, fps: Fraction, message: int) -> dict[str, Any]:
    """Detect, and compare with the message that was put in."""
    began = time.process_time()
    reading = method.detect(frames, keys=[PUBLISHED_KEY], fps=fps)
    wrong_bits = None if reading.message is None else (reading.message ^ message).bit_count()
    return {
        "present": reading.present,
        "p_value": reading.p_value,
        "recovered": reading.message == message,
        "wrong": reading.message is not None and reading.message != message,
        "bit_accuracy": None if wrong_bits is None else 1 - wrong_bits / method.message_bits,
        "detect_seconds": time.process_time() - began,
    }


def _frames(clip: Path, most: int) -> tuple[Frames, Fraction]:
    """Return the first frames of a clip, and its frame rate."""
    frames: Frames = []
    with open_video(clip) as video:
        fps = video.info.fps
        for image in video.images():
            frames.append(image)
            if len(frames) == most:
                break
    return frames, fps


def _generator(settings: BenchSettings, clip: Path, attack: Attack) -> np.random.Generator:
    """Return the generator of one clip under one attack."""
    seed = hashlib.sha256(f"{settings.seed} {clip.name} {attack.name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(seed[:8], "big"))
