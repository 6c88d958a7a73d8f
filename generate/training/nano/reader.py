"""Reads what a small clip shows: a network trained on the renderer's clips, whose facts are known.

Two strided convolutions look at five frames one by one, two more at all of them side by side as
channels; one linear head answers each question. The features before the heads serve the Frechet
distance. How well it reads is itself measured on clips of held-out combinations, and printed beside
whatever it says of generated ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.training.clips import CaptionedClip, ClipFolder
from vidigree.generate.training.facts import (
    COLOURS,
    COUNTS,
    DIRECTIONS,
    GROUNDS,
    LIGHTS,
    MOTIONS,
    SHAPES,
)
from vidigree.generate.training.nano.device import best_device, low_precision
from vidigree.media.progress import Progress, no_progress

if TYPE_CHECKING:
    from vidigree.generate.training.loop import Run

__all__ = ["QUESTIONS", "Reader", "ReaderSettings", "answers_of", "train_reader"]

# Every motion in one direction is an answer of its own.
_MOVES: Final = tuple(f"travel {way}" for way in DIRECTIONS) + tuple(
    motion for motion in MOTIONS if motion != "travel"
)
QUESTIONS: Final[dict[str, tuple[str, ...]]] = {
    "colour": COLOURS,
    "shape": SHAPES,
    "count": tuple(str(count) for count in COUNTS),
    "motion": _MOVES,
    "ground": GROUNDS,
    "light": LIGHTS,
}
_FRAMES: Final = 5
_FEATURES: Final = 64
# Pixels by which training frames are shifted at most.
_SHIFT: Final = 4


@dataclass(frozen=True, kw_only=True)
class ReaderSettings:
    """How to train the reader.

    Attributes:
        batch: Clips in a step.
        steps: Steps.
        learning_rate: Highest learning rate (AdamW).
        seed: Seed of weights and batches.
    """

    batch: int = 32
    steps: int = 2200
    learning_rate: float = 2e-3
    seed: int = 1


def answers_of(clip: CaptionedClip) -> dict[str, str]:
    """Return the right answers to the questions about a drawn clip."""
    facts = clip.facts
    return {
        "colour": facts.colour,
        "shape": facts.shape,
        "count": str(facts.count),
        "motion": f"{facts.motion} {facts.direction}".strip(),
        "ground": facts.ground,
        "light": facts.light,
    }


class Reader:
    """Answers questions about clips.

    Args:
        checkpoint: What :func:`train_reader` wrote.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._network = _build()
        from vidigree.generate.training.loop import load_averages

        load_averages(checkpoint, {"reader": self._network})
        self._network.eval()

    def read(self, clips: NDArray[np.uint8]) -> tuple[list[dict[str, str]], NDArray[np.float64]]:
        """Return the answers for each clip, and its features.

        Args:
            clips: uint8 (N, F, 64, 64, 3).

        Returns:
            One answer to each of :data:`QUESTIONS` for every clip; float64 (N, 64).
        """
        import torch

        with torch.no_grad():
            features = self._network["body"](_input(clips))
            picked = {q: head(features).argmax(1).tolist() for q, head in _heads(self._network)}
        rows = [
            {question: QUESTIONS[question][picked[question][k]] for question in QUESTIONS}
            for k in range(len(clips))
        ]
        return rows, features.numpy().astype(np.float64)


def train_reader(
    clips: ClipFolder,
    checkpoint: Path,
    *,
    settings: ReaderSettings,
    progress: Progress = no_progress,
) -> Run:
    """Train the reader on drawn clips, or go on with it.

    Args:
        clips: Training clips.
        checkpoint: State to go on from and to write.
        settings: How to train.
        progress: Told of every step.
    """
    import torch
    from torch.nn import functional

    from vidigree.generate.training.loop import Budget, Run, follow, train

    torch.manual_seed(settings.seed)
    device = best_device()
    network = _build().to(device).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
    run = Run(
        family="nano reader",
        networks={"reader": network},
        optimisers={"reader": optimiser},
        shipped=("reader",),
        seed=settings.seed,
        rate={"reader": settings.learning_rate},
        decay=0.995,
    )
    right = [_numbers(answers_of(clip)) for clip in clips.clips]

    def step() -> dict[str, float]:
        rng = np.random.default_rng([settings.seed, run.step])
        chosen = rng.integers(len(clips), size=settings.batch)
        answers = [right[k] for k in np.sort(chosen)]
        shown = _input(clips.frames[np.sort(chosen)])
        mirrored = bool(rng.random() < 0.5)
        shown = _varied(shown, rng, mirrored=mirrored).to(device)
        with low_precision(device):
            features = network["body"](shown)
        loss = torch.zeros((), device=device)
        for question, head in _heads(network):
            target = torch.tensor(
                [_mirrored(a[question], question) if mirrored else a[question] for a in answers],
                device=device,
            )
            loss = loss + functional.cross_entropy(head(features.float()), target)
        follow(loss, optimiser)
        return {"loss": float(loss.detach())}

    return train(run, step, checkpoint, Budget(steps=settings.steps), progress)


def _varied(shown: Any, rng: np.random.Generator, *, mirrored: bool) -> Any:
    """Shift, mirror, lighten, darken, add noise: small faults of a clip shall not decide."""
    import torch
    from torch.nn import functional

    side = shown.shape[-1]
    top, left = rng.integers(2 * _SHIFT + 1, size=2)
    wide = functional.pad(shown, (_SHIFT,) * 4, mode="replicate")
    shown = wide[..., top : top + side, left : left + side]
    if mirrored:
        shown = shown.flip(-1)
    shown = shown * float(rng.uniform(0.9, 1.1)) + float(rng.uniform(-0.05, 0.05))
    return shown + 0.05 * torch.from_numpy(rng.standard_normal(shown.shape, np.float32))


def _mirrored(answer: int, question: str) -> int:
    """Return the answer after left and right have changed places."""
    if question != "motion" or answer > 1:
        return answer
    return 1 - answer


def _numbers(answers: Mapping[str, str]) -> dict[str, int]:
    return {question: QUESTIONS[question].index(answer) for question, answer in answers.items()}


def _heads(network: Any) -> list[tuple[str, Any]]:
    return [(question, network["heads"][question]) for question in QUESTIONS]


def _build() -> Any:
    from torch import nn

    heads = {name: nn.Linear(_FEATURES, len(answers)) for name, answers in QUESTIONS.items()}
    frame = _halving((3, 16, 32))
    clip = [*_halving((32 * _FRAMES, 96, 96)), nn.Flatten(), nn.Linear(16 * 96, _FEATURES)]
    layers = [
        nn.Unflatten(1, (_FRAMES, 3)),
        nn.Flatten(0, 1),
        *frame,
        nn.Unflatten(0, (-1, _FRAMES)),
        nn.Flatten(1, 2),
        *clip,
        nn.SiLU(),
    ]
    return nn.ModuleDict({"body": nn.Sequential(*layers), "heads": nn.ModuleDict(heads)})


def _halving(widths: tuple[int, ...]) -> list[Any]:
    """Return convolutions that halve the picture, each with norm and activation."""
    from torch import nn

    layers: list[Any] = []
    for fed, made in pairwise(widths):
        layers += [nn.Conv2d(fed, made, 5, stride=2, padding=2), nn.GroupNorm(8, made), nn.SiLU()]
    return layers


def _input(clips: NDArray[np.uint8]) -> Any:
    """Return five frames of each clip as channels, float32 (N, 15, H, W) around 0."""
    import torch

    last = clips.shape[1] - 1
    chosen = clips[:, [round(last * k / (_FRAMES - 1)) for k in range(_FRAMES)]]
    count, _, height, width, _ = chosen.shape
    stacked = chosen.transpose(0, 1, 4, 2, 3).reshape(count, -1, height, width)
    return torch.from_numpy(stacked.astype(np.float32) / 127.5 - 1)
