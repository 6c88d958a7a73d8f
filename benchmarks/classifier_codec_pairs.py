"""What aligned pairs through the project's own codecs do for the classifier.

    python benchmarks/classifier_codec_pairs.py clips.csv --cache DIR

The first window of one real clip of each source goes through the embedded model's codec (eight by
eight pixels and four frames to sixteen values) and through the frame codec that the engine families
share. The low band stays the real one's, as in `vidigree.detect.classifier.surrogates`, and both
halves of a pair are encoded once more by the canonical recipe, so nothing but the codec's traces
tells them apart. Printed, for the shipped recipe and for the same with the pairs trained on as
well, each kept from every fold that holds its source out: the areas under the curve over all clips
as they are and at CRF 35, and what is found at 5 % and 1 % false alarms; the mean of the rounds.
Then how well the shipped recipe, without pairs, tells the halves apart. Needs PyTorch and
diffusers.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from diffusers import AutoencoderKLWan
from numpy.typing import NDArray

import vidigree.generate.engines.nano as nano
from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.canonical import CanonicalWindow
from vidigree.detect.classifier.coding import encode_view
from vidigree.detect.classifier.dataset import LabelledClip, read_dataset
from vidigree.detect.classifier.duplicates import linked_lists
from vidigree.detect.classifier.extraction import FeatureTable, block_features, build_table
from vidigree.detect.classifier.fitting import Further, TrainingSettings, held_out_members
from vidigree.detect.classifier.metrics import area_under_curve, true_positive_rate
from vidigree.generate.engines.families.networks.foundation import load_codec

LOW_BAND = 2.5
SCORED = ("none", "crf35")

Codec = Callable[[torch.Tensor], torch.Tensor]
"""Frames (F, 3, H, W) in [-1, 1] to what comes back."""


def embedded_codec() -> Codec:
    """Return the codec of the embedded model, which works on 4 n + 1 frames."""
    folder = Path(nano.__file__).parent / "model" / "vae"
    codec = AutoencoderKLWan.from_pretrained(folder, torch_dtype=torch.float32).eval()

    def through(frames: torch.Tensor) -> torch.Tensor:
        missing = -(len(frames) - 1) % 4
        padded = torch.cat([frames, frames[-1:].repeat(missing, 1, 1, 1)])
        latents = codec.encode(padded.transpose(0, 1)[None]).latent_dist.mode()
        return codec.decode(latents).sample[0].transpose(0, 1)[: len(frames)]

    return through


def resynthesised(images: NDArray[np.uint8], codec: Codec) -> NDArray[np.uint8]:
    """Return uint8 RGB frames (F, H, W, 3) through the codec, their low band kept."""
    real = images.astype(np.float32)
    with torch.inference_mode():
        frames = torch.from_numpy(real / 127.5 - 1).permute(0, 3, 1, 2)
        made = ((codec(frames).permute(0, 2, 3, 1) + 1) * 127.5).numpy()
    low = np.stack([cv2.GaussianBlur(rest, (0, 0), LOW_BAND) for rest in real - made])
    return np.asarray(np.clip(np.rint(made + low), 0, 255), dtype=np.uint8)


def pictures(window: CanonicalWindow, view: str) -> NDArray[np.uint8]:
    """Decode one view of a window to uint8 RGB (F, H, W, 3)."""
    decoder = av.CodecContext.create("h264", "r")
    frames = [frame for unit in window.views[view] for frame in decoder.decode(av.Packet(unit))]
    frames += decoder.decode(None)
    return np.stack([frame.to_ndarray(format="rgb24") for frame in frames])


def halves(
    clips: Sequence[LabelledClip],
    chosen: Sequence[int],
    codec: Codec,
    cache: WindowCache,
    settings: TrainingSettings,
) -> dict[str, FeatureTable]:
    """Return the features of both halves of every pair; clips are numbered as in ``chosen``."""
    rows: dict[str, list[NDArray[np.float32]]] = {"real": [], "made": []}
    owner: list[int] = []
    for place, index in enumerate(chosen):
        for window in cache.windows(clips[index], "none")[:1]:
            images = pictures(window, settings.view)
            for half, shown in (("real", images), ("made", resynthesised(images, codec))):
                coded = replace(window, views={settings.view: encode_view(shown)})
                rows[half].append(block_features(coded, settings.blocks))
            owner.append(place)
    numbers = np.array(owner, dtype=np.int64)
    return {
        half: FeatureTable(settings.blocks, np.stack(values), numbers)
        for half, values in rows.items()
    }


def beside(
    clips: Sequence[LabelledClip], tables: Sequence[FeatureTable], settings: TrainingSettings
) -> Further:
    """Return pairs as clips to train on as well: a table of made halves, then one of real ones."""
    values = np.concatenate([table.values for table in tables])
    owner = np.concatenate([table.clip + i * len(clips) for i, table in enumerate(tables)])
    joined = FeatureTable(settings.blocks, values, owner)
    empty = FeatureTable(settings.blocks, values[:0], owner[:0])
    named = {name: joined if name == "none" else empty for name in settings.launderings}
    labelled = [replace(clip, synthetic=i == 0) for i in range(len(tables)) for clip in clips]
    return Further(clips=labelled, tables=named)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    asked = parser.parse_args()
    cache, settings = WindowCache(asked.cache), TrainingSettings()
    clips, _ = linked_lists(read_dataset(asked.clips), (), cache)
    labels = np.array([clip.synthetic for clip in clips])
    tables = {
        name: build_table(clips, laundering=name, blocks=settings.blocks, cache=cache)
        for name in dict.fromkeys((*settings.launderings, *SCORED))
    }
    first: dict[str, int] = {}
    for index in np.flatnonzero(~labels).tolist():
        first.setdefault(clips[index].origin, index)
    chosen = list(first.values())
    paired = [clips[index] for index in chosen]
    training = [tables[name] for name in settings.launderings]
    print("| trained on | clips as they are | CRF 35 | TPR at 5% FPR | at 1% |")
    print("| --- | --- | --- | --- | --- |")

    def row(name: str, further: Further, more: Sequence[FeatureTable] = ()) -> list[float]:
        scored = [*(tables[table] for table in SCORED), *more]
        found = [
            part[:, 0] for part in held_out_members(clips, training, scored, settings, further)
        ]
        has = ~np.isnan(found[0]) & ~np.isnan(found[1])
        cells = [area_under_curve(part[has], labels[has]) for part in found[: len(SCORED)]]
        cells += [true_positive_rate(found[0][has], labels[has], rate) for rate in (0.05, 0.01)]
        print(f"| {name} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |", flush=True)
        return [score for part in found[len(SCORED) :] for score in part[chosen].tolist()]

    row("the shipped recipe", Further())
    for name, codec in (("embedded", embedded_codec()), ("families'", load_codec())):
        pair = halves(clips, chosen, codec, cache, settings)
        row(f"and made halves, {name} codec", beside(paired, [pair["made"]], settings))
        both = [pair["made"], pair["real"]]
        row(f"and both halves, {name} codec", beside(paired, both, settings))
        numbered = [replace(part, clip=np.array(chosen)[part.clip]) for part in both]
        scores = np.array(row("the shipped recipe again", Further(), numbered))
        made = np.repeat([True, False], len(chosen))
        seen = ~np.isnan(scores)
        area = area_under_curve(scores[seen], made[seen])
        print(f"\nMade against real halves, {name} codec, {len(chosen)} pairs: {area:.3f}\n")


if __name__ == "__main__":
    main()
