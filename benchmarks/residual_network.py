"""What a small residual network, trained from scratch, reaches where the shipped member stands.

    python benchmarks/residual_network.py clips.csv --cache DIR [--folds 5] [--epochs 8] [--seed 0]

Trains it on two frames next to each other of the native view, twice in each of a clip's first three
windows, by folds that hold whole origins out as `vidigree classifier evaluate` does, and prints the
area under the curve of every fold, of all held-out clips together, and of the rank sum with the
shipped kind of member (one round, clean windows). Needs PyTorch; uses one thread unless told.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import scipy.stats
import torch
from numpy.typing import NDArray
from torch import nn

from vidigree.detect.classifier.cache import WindowCache
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds, read_dataset
from vidigree.detect.classifier.duplicates import link_near_duplicates
from vidigree.detect.classifier.extraction import build_table
from vidigree.detect.classifier.fitting import TrainingSettings, clip_weights, held_out_members
from vidigree.detect.classifier.metrics import area_under_curve

WIDTHS = (16, 24, 32, 48)
SIDE = 128
VIEW = 256
BATCH = 32
WINDOWS = 3
RATE = 4e-3


class ResidualNetwork(nn.Module):
    """Four convolutions over residuals; mean and spread of the last features decide."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 4
        for index, width in enumerate(WIDTHS):
            size, stride = (5, 1) if index == 0 else (3, 2)
            layers += [
                nn.Conv2d(channels, width, size, stride=stride, padding=size // 2),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            channels = width
        self.features = nn.Sequential(*layers)
        self.leave = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * channels, 1))

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        """Return logits (n,) of pairs of frames, float32 (n, 2, h, w) in [0, 255]."""
        seen = self.features(residuals(pairs))
        return self.leave(torch.cat([seen.mean((2, 3)), seen.std((2, 3))], 1))[:, 0]


def residuals(pairs: torch.Tensor) -> torch.Tensor:
    """Return what lies above a binomial low pass, how it changes, and two coarser bands."""
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    scaled = pairs / 8
    low = nn.functional.conv2d(
        scaled.flatten(0, 1)[:, None], (row[:, None] * row)[None, None], padding=2
    ).reshape(scaled.shape)
    high = scaled - low
    coarse = low[:, :1] - nn.functional.avg_pool2d(low[:, :1], 9, 1, 4)
    change = scaled[:, 1:] - scaled[:, :1]
    return torch.tanh(
        torch.cat([high[:, :1], high[:, 1:] - high[:, :1], change / 2, coarse / 4], 1)
    )


def pairs_of(
    cache: WindowCache, clips: list[LabelledClip]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return pairs of frames, uint8 (n, 2, 256, 256), and the clip of each."""
    pairs, owner = [], []
    for index, clip in enumerate(clips):
        for window in cache.windows(clip, "none")[:WINDOWS]:
            luma = np.asarray(window.decode("native").luma)
            count = len(luma)
            for place in sorted({count // 4, min(3 * count // 4, count - 2)}):
                pairs.append(luma[place : place + 2].astype(np.uint8))
                owner.append(index)
    return np.stack(pairs), np.array(owner)


def trained(
    pairs: NDArray[np.uint8],
    labels: NDArray[np.float32],
    weights: NDArray[np.float64],
    epochs: int,
    rng: np.random.Generator,
) -> ResidualNetwork:
    """Train on random crops, turned about, with soft labels."""
    network = ResidualNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), RATE / 2, weight_decay=1e-2)
    steps = epochs * len(pairs) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(steps):
        chosen = rng.choice(len(pairs), BATCH, p=weights / weights.sum())
        places = rng.integers(0, VIEW - SIDE, (BATCH, 2))
        crops = np.stack(
            [
                pairs[index, :, top : top + SIDE, left : left + SIDE]
                for index, (top, left) in zip(chosen, places, strict=True)
            ]
        )
        crops = crops[..., ::-1] if rng.random() < 0.5 else crops
        crops = crops[:, ::-1] if rng.random() < 0.5 else crops
        logits = network(torch.from_numpy(np.ascontiguousarray(crops, np.float32)))
        wanted = torch.from_numpy(0.9 * labels[chosen] + 0.05)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def scored(network: ResidualNetwork, pair: NDArray[np.uint8]) -> float:
    """Return the mean logit of the four quarters of a pair."""
    quarters = [
        pair[:, top : top + SIDE, left : left + SIDE] for top in (0, SIDE) for left in (0, SIDE)
    ]
    with torch.no_grad():
        return float(network(torch.from_numpy(np.stack(quarters).astype(np.float32))).mean())


def held_out(
    pairs: NDArray[np.uint8],
    labels: NDArray[np.bool_],
    weights: NDArray[np.float64],
    fold: NDArray[np.int64],
    asked: argparse.Namespace,
) -> NDArray[np.float64]:
    """Return the score of every pair by a network that saw no clip of its fold."""
    rng = np.random.default_rng(asked.seed)
    scores = np.zeros(len(pairs))
    for index in range(asked.folds):
        began = time.process_time()
        used = fold != index
        wanted = labels[used].astype(np.float32)
        network = trained(pairs[used], wanted, weights[used], asked.epochs, rng)
        for one in np.flatnonzero(~used):
            scores[one] = scored(network, pairs[one])
        area = area_under_curve(scores[~used], labels[~used])
        print(f"fold {index}: AUC {area:.3f}, {time.process_time() - began:.0f} CPU s", flush=True)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)
    cache = WindowCache(asked.cache)
    clips = link_near_duplicates(read_dataset(asked.table), cache)
    labels = np.array([clip.synthetic for clip in clips])
    pairs, owner = pairs_of(cache, clips)
    counts = np.bincount(owner, minlength=len(clips))
    weights = (clip_weights(clips) / np.maximum(counts, 1))[owner]
    fold = folds(clips, clip_groups(clips), count=asked.folds, seed=asked.seed)
    scores = held_out(pairs, labels[owner], weights, fold[owner], asked)
    seen = counts > 0
    network = np.bincount(owner, weights=scores, minlength=len(clips))[seen] / counts[seen]
    settings = TrainingSettings(launderings=("none",), seeds=(asked.seed,))
    table = build_table(clips, laundering="none", blocks=settings.blocks, cache=cache)
    member = held_out_members(clips, [table], [table], settings)[0][seen, 0]
    both = scipy.stats.rankdata(network) + scipy.stats.rankdata(member)
    for name, values in (
        (f"the network, {seen.sum()} clips", network),
        ("the shipped kind of member", member),
        ("rank sum of both", both),
    ):
        print(f"{name}: AUC {area_under_curve(values, labels[seen]):.3f}")


if __name__ == "__main__":
    main()
