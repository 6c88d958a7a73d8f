"""A transformer that writes clips code by code: caption, then frame after frame, rows first.

Decoder-only as in VideoGPT (Yan et al., 2021), with differences that suit short trainings and clips
of a still camera: every place is told the code that stood there one frame before, and can simply
copy it (as in pointer networks; See et al., 2017); codes are read and scored by their digits, the
levels of the codec's channels, so that alike codes are alike from the beginning; only the last
three frames are looked back upon, so that any length costs the same per frame. The two codes of a
place are drawn one after the other, the second knowing the first.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.codec import CHANNELS, CODES, GRID, GROUPS, LEVELS
from vidigree.generate.engines.families.vocabulary import LONGEST_CAPTION

__all__ = ["NONE", "PLACES", "WINDOW", "CodeTransformer"]

PLACES: Final = GRID * GRID
"""Places of a frame."""
WINDOW: Final = 3
"""Frames that a sequence holds, the one being written among them."""
NONE: Final = CODES
"""Stands where there is no code: before the first place, before the first frame."""

_WIDTH, _LAYERS, _HEADS = 128, 4, 4


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
        """Return values (B, L, 128); ``past`` keeps keys and values between calls."""
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


class _Codes(nn.Module):  # type: ignore[misc]
    """Pairs of codes (..., 2) to vectors (..., 128): the sum of one vector a digit."""

    def __init__(self) -> None:
        super().__init__()
        self.digits = nn.Embedding(CHANNELS * LEVELS + 1, _WIDTH)
        nn.init.normal_(self.digits.weight, std=0.05)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        each = _digits(codes).flatten(-2) + LEVELS * torch.arange(CHANNELS)
        none = (codes == NONE).repeat_interleave(CHANNELS // GROUPS, dim=-1)
        return self.digits(each.masked_fill(none, CHANNELS * LEVELS)).sum(-2)


class _Score(nn.Module):  # type: ignore[misc]
    """Vectors (..., 128) and the code one frame before (...) to logits (..., 512)."""

    members: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        digits = CHANNELS // GROUPS
        self.by_digit = nn.Linear(_WIDTH, digits * LEVELS)
        self.by_code = nn.Linear(_WIDTH, CODES)
        self.copy = nn.Linear(_WIDTH, 1)
        nn.init.zeros_(self.by_code.weight)
        nn.init.zeros_(self.by_code.bias)
        nn.init.constant_(self.copy.bias, 6.0)
        each = _digits(torch.arange(CODES)) + LEVELS * torch.arange(digits)
        members = nn.functional.one_hot(each, digits * LEVELS).sum(1).float()
        self.register_buffer("members", members.T.contiguous(), persistent=False)

    def forward(self, values: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        logits = self.by_digit(values) @ self.members + self.by_code(values)
        copied = self.copy(values) * (before != NONE)[..., None]
        place = before.clamp(max=CODES - 1)[..., None]
        return logits.float().scatter_add(-1, place, copied.float())


def _digits(codes: torch.Tensor) -> torch.Tensor:
    """Return the three digits of every code (..., 3)."""
    return codes[..., None] // (LEVELS ** torch.arange(CHANNELS // GROUPS)) % LEVELS


class CodeTransformer(nn.Module):  # type: ignore[misc]
    """Logits of codes, given the caption, the codes before, and those one frame before.

    Args:
        words: Size of the vocabulary.
    """

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words + 1, _WIDTH)
        self.word_places = nn.Parameter(torch.randn(LONGEST_CAPTION, _WIDTH) * 0.02)
        self.last, self.before = _Codes(), _Codes()
        self.places = nn.Parameter(torch.randn(PLACES, _WIDTH) * 0.05)
        self.times = nn.Embedding(FRAMES, _WIDTH)
        self.blocks = nn.ModuleList(_Block() for _ in range(_LAYERS))
        self.norm = nn.LayerNorm(_WIDTH)
        self.first, self.second = _Score(), _Score()
        self.told = _Codes()
        self.after = nn.Sequential(nn.Linear(_WIDTH, _WIDTH), nn.GELU(), nn.LayerNorm(_WIDTH))
        for embedding in (self.times, self.words):
            nn.init.normal_(embedding.weight, std=0.05)

    def caption(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return the beginning of the sequence (B, 32, 128) from word numbers (B, 32)."""
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
        fixed = self.places[places] + self.times(times.clamp(max=FRAMES - 1))
        return fixed + self.last(last) + self.before(before)

    def run(
        self, values: torch.Tensor, past: list[list[torch.Tensor]] | None = None
    ) -> torch.Tensor:
        """Return what the last layer says of a sequence (B, L, 128)."""
        for number, block in enumerate(self.blocks):
            values = block(values, None if past is None else past[number])
        return self.norm(values)

    def first_logits(self, values: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Return the logits of the first code, knowing the pair of codes one frame before."""
        return self.first(values, before[..., 0])

    def second_logits(
        self, values: torch.Tensor, before: torch.Tensor, first: torch.Tensor
    ) -> torch.Tensor:
        """Return the logits of the second code, knowing the first one too."""
        pair = torch.stack([first, torch.full_like(first, NONE)], dim=-1)
        return self.second(self.after(values + self.told(pair)), before[..., 1])

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
        earlier = torch.cat([before[:, None], codes[:, :-1]], dim=1).flatten(1, 2)
        line = codes.flatten(1, 2)
        last = torch.cat([before[:, -1:], line[:, :-1]], dim=1)
        frames = (times[:, None] + torch.arange(window)).repeat_interleave(PLACES, dim=1)
        places = torch.arange(PLACES).repeat(window)
        values = self.embed(last, earlier, places, frames)
        values = self.run(torch.cat([self.caption(numbers), values], dim=1))[:, LONGEST_CAPTION:]
        first = self.first_logits(values, earlier)
        second = self.second_logits(values, earlier, line[..., 0])
        return first.unflatten(1, (window, PLACES)), second.unflatten(1, (window, PLACES))
