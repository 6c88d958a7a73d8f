"""Maps and codes say the same thing."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from vidigree.generate.engines.families.networks.codec import (  # noqa: E402
    CHANNELS,
    CODES,
    GRID,
    LEVELS,
    FrameCodec,
)


def maps(count: int = 3) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.rand(count, CHANNELS, GRID, GRID, generator=random) * 2 - 1


def test_codes_and_rounded_maps_are_the_same_thing() -> None:
    rounded = FrameCodec.quantise(maps())
    codes = FrameCodec.to_codes(rounded)
    assert codes.shape == (3, GRID * GRID, 2)
    assert codes.min() >= 0
    assert codes.max() < CODES
    assert torch.allclose(FrameCodec.from_codes(codes), rounded, atol=1e-6)


def test_places_are_numbered_row_by_row() -> None:
    one = torch.full((1, CHANNELS, GRID, GRID), -1.0)
    one[0, :, 0, 1] = 1.0
    codes = FrameCodec.to_codes(one)[0]
    assert codes[1].tolist() == [CODES - 1, CODES - 1]
    assert codes.sum() == 2 * (CODES - 1)


def test_rounding_has_eight_levels_and_passes_gradients() -> None:
    values = maps().requires_grad_()
    rounded = FrameCodec.quantise(values)
    assert len(torch.unique(rounded.detach().mul(1e4).round())) == LEVELS
    assert (rounded - values).abs().max() <= 1 / (LEVELS - 1) + 1e-6
    rounded.sum().backward()
    assert torch.equal(values.grad, torch.ones_like(values))


def test_frames_come_back_at_their_size() -> None:
    codec = FrameCodec()
    frames = torch.zeros(2, 3, 64, 64)
    assert codec.encode(frames).shape == (2, CHANNELS, GRID, GRID)
    assert codec(frames).shape == frames.shape
