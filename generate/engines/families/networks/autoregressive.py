"""A transformer that writes clips code by code: caption, then frame after frame, rows first.

Decoder-only as in VideoGPT (Yan et al., 2021), with two differences that suit clips of a still
camera: every place is told the code that stood there one frame before, and only the last three
frames are looked back upon, so that any length costs the same per frame. The two codes of a place
are drawn one after the other, the second knowing the first.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.codec import CODES, GRID, GROUPS
from vidigree.generate.engines.families.vocabulary import LONGEST_CAPTION

__all__ = ["NONE", "PLACES", "WINDOW", "CodeTransformer"]

PLACES: Final = GRID * GRID
"""Places of a frame."""
WINDOW: Final = 3
"""Frames that a sequence holds, the one being written among them."""
NONE: Final = CODES
"""Stands where there is no code: before the first place, before the first frame."""

_WIDTH, _LAYERS, _HEADS = 192, 4, 4


class _Block(nn.Module):  # type: ignore[misc]
    """Attention to what came before, then a feed-forward layer."""

    def __init__(self) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(_WIDTH)
        self.into = nn.Linear(_WIDTH, 3 * _WIDTH)
        self.out = nn.Linear(_WIDTH, _WIDTH)
        self.before_feed = nn.LayerNorm(_WIDTH)
        self.feed = nn.Sequential(
            nn.Linear(_WIDTH, 4 * _WIDTH), nn.GELU(), nn.Linear(4 * _WIDTH, _WIDTH)
        )

    def forward(self, values: torch.Tensor, past: list[torch.Tensor] | None = None) -> torch.Tensor:
        """Return values (B, L, 192); ``past`` keeps keys and values between calls."""
        mixed = self.into(self.before_attention(values)).unflatten(-1, (3, _HEADS, -1))
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        causal = values.shape[1] > 1
        if past is not None:
            if past:
                key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
            past[:] = [key, value]
        # Written out: on a CPU the fused kernel takes twice as long to train at these sizes.
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if causal:
            scores = scores + torch.full(scores.shape[-2:], -1e4, dtype=scores.dtype).triu(1)
        seen = torch.softmax(scores, dim=-1).to(value.dtype) @ value
        values = values + self.out(seen.transpose(1, 2).flatten(2))
        return values + self.feed(self.before_feed(values))


class CodeTransformer(nn.Module):  # type: ignore[misc]
    """Logits of codes, given the caption, the codes before, and those one frame before.

    Args:
        words: Size of the vocabulary.
    """

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words + 1, _WIDTH)
        self.word_places = nn.Parameter(torch.randn(LONGEST_CAPTION, _WIDTH) * 0.02)
        self.last = nn.ModuleList(nn.Embedding(CODES + 1, _WIDTH) for _ in range(GROUPS))
        self.before = nn.ModuleList(nn.Embedding(CODES + 1, _WIDTH) for _ in range(GROUPS))
        self.places = nn.Parameter(torch.randn(PLACES, _WIDTH) * 0.02)
        self.times = nn.Embedding(FRAMES, _WIDTH)
        self.blocks = nn.ModuleList(_Block() for _ in range(_LAYERS))
        self.norm = nn.LayerNorm(_WIDTH)
        self.first = nn.Linear(_WIDTH, CODES)
        self.told = nn.Embedding(CODES, _WIDTH)
        self.second = nn.Sequential(
            nn.Linear(_WIDTH, _WIDTH), nn.GELU(), nn.LayerNorm(_WIDTH), nn.Linear(_WIDTH, CODES)
        )
        for embedding in (*self.last, *self.before, self.times, self.words, self.told):
            nn.init.normal_(embedding.weight, std=0.05)

    def caption(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return the beginning of the sequence (B, 32, 192) from word numbers (B, 32)."""
        return self.words(numbers) + self.word_places

    def embed(
        self,
        last: torch.Tensor,
        before: torch.Tensor,
        places: torch.Tensor,
        times: torch.Tensor,
    ) -> torch.Tensor:
        """Return the inputs of some places.

        Args:
            last: Codes of the place before in the order of writing, (B, L, 2).
            before: Codes of the same place one frame before, (B, L, 2).
            places: Numbers of the places, (L,).
            times: Numbers of the frames, (B, L).
        """
        values = self.places[places] + self.times(times.clamp(max=FRAMES - 1))
        for group in range(GROUPS):
            values = values + self.last[group](last[..., group])
            values = values + self.before[group](before[..., group])
        return values

    def run(
        self, values: torch.Tensor, past: list[list[torch.Tensor]] | None = None
    ) -> torch.Tensor:
        """Return what the last layer says of a sequence (B, L, 192)."""
        for number, block in enumerate(self.blocks):
            values = block(values, None if past is None else past[number])
        return self.norm(values)

    def second_logits(self, values: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
        """Return the logits of the second code, knowing the first."""
        return self.second(values + self.told(first))

    def forward(
        self, numbers: torch.Tensor, before: torch.Tensor, codes: torch.Tensor, times: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of both codes of every place of consecutive frames.

        Args:
            numbers: Word numbers, int64 (B, 32).
            before: Codes of the frame before the first one, (B, 64, 2); 512 if there is none.
            codes: Codes of W frames, (B, W, 64, 2); what is predicted, and looked back upon.
            times: Number of the first frame, (B,).

        Returns:
            Two tensors (B, W, 64, 512).
        """
        window = codes.shape[1]
        earlier = torch.cat([before[:, None], codes[:, :-1]], dim=1)
        line = codes.flatten(1, 2)
        last = torch.cat([before[:, -1:], line[:, :-1]], dim=1)
        frames = (times[:, None] + torch.arange(window)).repeat_interleave(PLACES, dim=1)
        places = torch.arange(PLACES).repeat(window)
        values = self.embed(last, earlier.flatten(1, 2), places, frames)
        values = self.run(torch.cat([self.caption(numbers), values], dim=1))[:, LONGEST_CAPTION:]
        logits = self.first(values), self.second_logits(values, line[..., 0])
        return (
            logits[0].unflatten(1, (window, PLACES)),
            logits[1].unflatten(1, (window, PLACES)),
        )
