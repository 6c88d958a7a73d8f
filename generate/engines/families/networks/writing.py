"""Writes the codes of a clip with the transformer, place by place, keeping keys and values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch

from vidigree.generate.engines.families.family import Asked
from vidigree.generate.engines.families.networks.autoregressive import (
    NONE,
    PLACES,
    WINDOW,
    CodeTransformer,
)
from vidigree.generate.engines.families.networks.codec import GROUPS
from vidigree.generate.engines.families.networks.foundation import padded
from vidigree.generate.engines.families.weights import shipped_weights

__all__ = ["write_codes"]

# How much more the caption counts than it did in training (classifier-free guidance).
_GUIDANCE: Final = 2.0
# Temperature of the first frame, which is to vary, and of the others, which are to follow it.
_FIRST_TEMPERATURE, _LATER_TEMPERATURE = 0.8, 0.95
# Codes are drawn from the likeliest that make up this probability (Holtzman et al., 2020).
_NUCLEUS: Final = 0.97


def write_codes(asked: Asked, first: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
    """Yield the codes of one frame after the other, int64 (64, 2).

    Args:
        asked: What to write.
        first: Codes of the first frame (64, 2), if they are given.
    """
    weights = shipped_weights("autoregressive")
    network = weights.load("transformer", CodeTransformer(len(weights.facts["notes"]["words"])))
    random = torch.Generator().manual_seed(asked.seed)
    # Two sequences side by side: with the caption, and with none.
    numbers = torch.cat([padded(asked.numbers), padded(())])
    frames: list[torch.Tensor] = []
    for number in range(asked.num_frames):
        if number == 0 and first is not None:
            frames.append(first)
        else:
            with torch.inference_mode():
                frames.append(_write_frame(network, numbers, frames, number, random))
        yield frames[-1]
        frames = frames[-WINDOW:]


def _write_frame(
    network: CodeTransformer,
    numbers: torch.Tensor,
    earlier: list[torch.Tensor],
    number: int,
    random: torch.Generator,
) -> torch.Tensor:
    """Return the codes (64, 2) of frame ``number``, given at most the three before it."""
    context = earlier[-(WINDOW - 1) :]
    before = earlier[-WINDOW] if len(earlier) == WINDOW else torch.full((PLACES, GROUPS), NONE)
    past: list[list[torch.Tensor]] = [[] for _ in network.blocks]
    values = network.caption(numbers)
    shown = [before, *context]
    for offset, codes in enumerate(context):
        inputs = _frame_inputs(network, shown[offset], codes, number - len(context) + offset)
        values = torch.cat([values, inputs.expand(2, -1, -1)], dim=1)
    network.run(values, past)
    temperature = _LATER_TEMPERATURE if number else _FIRST_TEMPERATURE
    last = shown[-1][-1] if context else before[-1]
    written = torch.empty(PLACES, GROUPS, dtype=torch.int64)
    time = torch.full((1, 1), number)
    for place in range(PLACES):
        inputs = network.embed(
            last[None, None], shown[-1][place][None, None], torch.tensor([place]), time
        )
        said = network.run(inputs.expand(2, -1, -1), past)[:, 0]
        stood = shown[-1][place].expand(2, -1)
        code = _draw(_guided(network.first_logits(said, stood)), temperature, random)
        scored = network.second_logits(said, stood, code.expand(2))
        other = _draw(_guided(scored), temperature, random)
        last = torch.cat([code, other])
        written[place] = last
    return written


def _frame_inputs(
    network: CodeTransformer, before: torch.Tensor, codes: torch.Tensor, number: int
) -> torch.Tensor:
    """Return the inputs (1, 64, 128) of a frame that is known."""
    last = torch.cat([before[-1:], codes[:-1]])
    times = torch.full((1, PLACES), number)
    return network.embed(last[None], before[None], torch.arange(PLACES), times)


def _guided(logits: torch.Tensor) -> torch.Tensor:
    told, untold = logits
    return untold + _GUIDANCE * (told - untold)


def _draw(logits: torch.Tensor, temperature: float, random: torch.Generator) -> torch.Tensor:
    """Return one code (1,) of logits (512,)."""
    shares, order = torch.softmax(logits / temperature, dim=0).sort(descending=True)
    shares = torch.where(shares.cumsum(0) - shares < _NUCLEUS, shares, 0.0)
    return order[torch.multinomial(shares, 1, generator=random)]
