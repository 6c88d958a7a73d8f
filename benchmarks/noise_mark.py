"""How much of the initial-noise mark is read back, unattacked and after H.264.

    python benchmarks/noise_mark.py MODEL_FOLDER --clips 8 --side 64 --frames 25

Prints JSON: for each way the clip was kept and each thing the detector knew, the share of marked
clips found, the share whose message was exact, the mean agreement of signs, and the p-values of
unmarked controls.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vidigree.generate.engines.diffusers.inversion import invert, noise_shape
from vidigree.generate.engines.diffusers.loading import load_pipeline, quiet_libraries
from vidigree.generate.engines.diffusers.noise_mark import marked_latents
from vidigree.generate.engines.diffusers.options import DiffusersOptions
from vidigree.media import VideoWriter, open_video
from vidigree.watermark import PUBLISHED_KEY
from vidigree.watermark.initial_noise import mark_noise, read_noise

PROMPTS = (
    "a red ball rolling to the right on grass",
    "a blue cube falling on sand",
    "a green ball bouncing on a wooden floor",
    "a yellow ball rolling to the left on snow",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--text-length", type=int, default=32)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    pipe = load_pipeline(given.model, DiffusersOptions(device="cpu"))
    rows: dict[str, list[dict[str, Any]]] = {}
    for number in range(2 * given.clips):
        marked = number % 2 == 0
        prompt = PROMPTS[number // 2 % len(PROMPTS)]
        made = _make(pipe, given, number, prompt, marked=marked)
        for kept, frames in _kept(made).items():
            for known in (prompt, ""):
                name = f"{kept}, prompt {'known' if known else 'unknown'}"
                estimate = invert(pipe, frames, prompt=known, steps=given.steps)
                reading = read_noise(estimate, [PUBLISHED_KEY])
                signs = mark_noise(np.ones_like(estimate), 1000 + number, PUBLISHED_KEY)
                rows.setdefault(name, []).append(
                    {
                        "marked": marked,
                        "present": reading.present,
                        "exact": reading.message == 1000 + number,
                        "p_value": reading.p_value,
                        "agreement": float(np.mean(estimate * signs > 0)),
                    }
                )
    shape = noise_shape(pipe, width=given.side, height=given.side, num_frames=given.frames)
    print(json.dumps({"values": int(np.prod(shape)), **vars(given)} | _summary(rows), indent=2))


def _make(pipe: Any, given: Any, number: int, prompt: str, *, marked: bool) -> np.ndarray:
    import torch

    side, frames = given.side, given.frames
    shape = noise_shape(pipe, width=side, height=side, num_frames=frames)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(number))
    if marked:
        latents = marked_latents(
            pipe,
            message=1000 + number,
            key=PUBLISHED_KEY,
            seed=number,
            size=(side, side),
            num_frames=frames,
        )
    with torch.inference_mode(), quiet_libraries():
        result = pipe(
            prompt,
            height=side,
            width=side,
            num_frames=frames,
            num_inference_steps=given.steps,
            guidance_scale=given.guidance,
            max_sequence_length=given.text_length,
            latents=latents,
            output_type="np",
        )
    return np.round(255 * result.frames[0]).astype(np.uint8)


def _kept(frames: np.ndarray) -> dict[str, np.ndarray]:
    kept = {"8-bit frames": frames}
    with tempfile.TemporaryDirectory() as folder:
        for crf in (23, 30):
            path = Path(folder) / f"{crf}.mp4"
            height, width = frames.shape[1:3]
            with VideoWriter(path, width=width, height=height, fps=Fraction(12), crf=crf) as video:
                for frame in frames:
                    video.write(frame)
            with open_video(path) as video:
                kept[f"H.264 CRF {crf}"] = np.stack(list(video.images()))
    return kept


def _summary(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    table = {}
    for name, readings in rows.items():
        marked = [row for row in readings if row["marked"]]
        controls = [row for row in readings if not row["marked"]]
        table[name] = {
            "found": float(np.mean([row["present"] for row in marked])),
            "exact": float(np.mean([row["exact"] for row in marked])),
            "agreement": round(float(np.mean([row["agreement"] for row in marked])), 3),
            "false alarms": sum(row["present"] for row in controls),
            "least p of controls": min(row["p_value"] for row in controls),
        }
    return {"readings": table}


if __name__ == "__main__":
    main()
