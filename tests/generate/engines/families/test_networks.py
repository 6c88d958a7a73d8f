"""What each network promises, with random weights: inverses, causality, and what moves what."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from vidigree.generate.engines.families.networks import writing  # noqa: E402
from vidigree.generate.engines.families.networks.autoregressive import (  # noqa: E402
    NONE,
    PLACES,
    CodeTransformer,
)
from vidigree.generate.engines.families.networks.captions import CaptionEncoder  # noqa: E402
from vidigree.generate.engines.families.networks.flow_gan import FlowGenerator, warp  # noqa: E402
from vidigree.generate.engines.families.networks.gan import FrameBasis, Generator  # noqa: E402
from vidigree.generate.engines.families.networks.vae import CODE, CaptionFlow  # noqa: E402


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_the_flow_runs_both_ways() -> None:
    flow = CaptionFlow()
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.04)
    codes, told = torch.randn(4, CODE), torch.randn(4, 128)
    noise, volume = flow.to_noise(codes, told)
    assert not torch.allclose(noise, codes, atol=0.1)
    assert torch.allclose(flow.to_codes(noise, told), codes, atol=1e-3)
    jacobian = torch.autograd.functional.jacobian(
        lambda one: flow.to_noise(one[None], told[:1])[0][0], codes[0]
    )
    assert float(torch.linalg.slogdet(jacobian).logabsdet) == pytest.approx(
        float(volume[0].detach()), abs=1e-2
    )


def test_a_warp_brings_pixels_from_where_the_flow_points() -> None:
    stills = torch.zeros(1, 3, 64, 64)
    stills[..., 20, 30] = 1.0
    flow = torch.zeros(1, 2, 64, 64)
    flow[:, 0] = 10 / 32  # every pixel came from ten pixels to the right
    assert warp(stills, flow)[0, 0, 20, 20] == pytest.approx(1.0, abs=1e-4)
    assert torch.allclose(warp(stills, torch.zeros(1, 2, 32, 32)), stills, atol=1e-5)


def test_an_untrained_flow_generator_nearly_keeps_the_still() -> None:
    stills = torch.rand(1, 3, 64, 64) * 2 - 1
    frames, flow, mask = FlowGenerator()(
        stills, torch.randn(1, 128), torch.randn(1, 16), torch.tensor([5.0])
    )
    assert flow.abs().max() == 0
    assert mask.min() > 0.8
    assert (frames - stills).abs().mean() < 0.1


def test_order_of_words_matters_and_padding_does_not() -> None:
    encoder = CaptionEncoder(10).eval()
    told = encoder(torch.tensor([[1, 2, 3, 0, 0], [3, 2, 1, 0, 0], [1, 2, 3, 4, 0]]))
    assert told.shape == (3, 128)
    assert torch.allclose(told.norm(dim=1), torch.ones(3), atol=1e-5)
    assert not torch.allclose(told[0], told[1], atol=1e-3)
    assert not torch.allclose(told[0], told[2], atol=1e-3)


def test_frames_share_their_content_and_differ_in_motion() -> None:
    made = Generator()(torch.randn(2, 64), torch.randn(2, 5, 8), torch.randn(2, 128))
    assert made.shape == (2, 5, 96)
    assert not torch.equal(made[:, 0], made[:, 1])


def test_components_have_one_variance_and_lead_back() -> None:
    mixed = torch.randn(2000, 40) @ torch.randn(40, 384) * 0.02  # fewer directions than components
    maps = mixed.unflatten(1, (6, 8, 8)) + 0.1
    basis = FrameBasis()
    basis.fit(maps)
    components = basis.to_components(maps)
    assert torch.allclose(components[:, :40].std(0), torch.ones(40), atol=0.02)
    assert torch.allclose(basis.to_maps(components), maps, atol=1e-3)


def _codes(frames: int) -> torch.Tensor:
    return torch.randint(0, 512, (1, frames, PLACES, 2))


def test_a_code_is_written_without_knowing_the_later_ones() -> None:
    network = CodeTransformer(5).eval()
    numbers, before = torch.ones(1, 32, dtype=torch.int64), torch.full((1, PLACES, 2), NONE)
    codes = _codes(3)
    first, second = network(numbers, before, codes, torch.zeros(1, dtype=torch.int64))
    changed = codes.clone()
    changed[0, 1, 10] = (codes[0, 1, 10] + 1) % 512
    again = network(numbers, before, changed, torch.zeros(1, dtype=torch.int64))
    assert torch.allclose(first[0, 0], again[0][0, 0], atol=1e-5)
    assert torch.allclose(first[0, 1, :11], again[0][0, 1, :11], atol=1e-5)
    assert not torch.allclose(first[0, 1, 11], again[0][0, 1, 11], atol=1e-5)
    assert torch.allclose(second[0, 1, :10], again[1][0, 1, :10], atol=1e-5)
    assert not torch.allclose(second[0, 1, 10], again[1][0, 1, 10], atol=1e-5), "knows the first"


def test_writing_place_by_place_says_what_one_pass_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and values that are kept give the logits of the whole sequence."""
    network = CodeTransformer(5).eval()
    codes = _codes(3)[0]
    numbers = torch.tensor([[2] * 32, [0] * 32])
    seen: list[torch.Tensor] = []
    flat = iter(codes[2].flatten().tolist())

    def forced(logits: torch.Tensor, temperature: float, random: torch.Generator) -> torch.Tensor:
        seen.append(logits)
        return torch.tensor([next(flat)])

    monkeypatch.setattr(writing, "_draw", forced)
    monkeypatch.setattr(writing, "_guided", lambda logits: logits[0])
    random = torch.Generator()
    with torch.inference_mode():
        written = writing._write_frame(network, numbers, [codes[0], codes[1]], 2, random)
        whole = network(
            numbers[:1],
            torch.full((1, PLACES, 2), NONE),
            codes[None],
            torch.zeros(1, dtype=torch.int64),
        )
    assert torch.equal(written, codes[2])
    assert torch.allclose(torch.stack(seen[0::2]), whole[0][0, 2], atol=1e-4)
    assert torch.allclose(torch.stack(seen[1::2]), whole[1][0, 2], atol=1e-4)
