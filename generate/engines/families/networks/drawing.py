"""Runs the trained networks: from a request as :class:`Asked` to frames of 64 x 64 pixels.

Weights are loaded when the first frame is drawn. All randomness comes from the seed, and
everything is computed in float32.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from vidigree.generate.engines.families.family import Asked
from vidigree.generate.engines.families.native import FRAMES
from vidigree.generate.engines.families.networks.flow_gan import NOISE, FlowGenerator
from vidigree.generate.engines.families.networks.foundation import (
    load_captions,
    load_codec,
    padded,
)
from vidigree.generate.engines.families.networks.frames import from_unit, to_unit
from vidigree.generate.engines.families.networks.gan import (
    CONTENT,
    MOTION,
    FrameBasis,
    Generator,
)
from vidigree.generate.engines.families.networks.vae import CODE, CaptionFlow, ClipAutoencoder
from vidigree.generate.engines.families.networks.writing import write_codes
from vidigree.generate.engines.families.weights import shipped_weights

__all__ = ["draw_autoregressive", "draw_flow_gan", "draw_gan", "draw_vae"]

# Share of the usual spread that is drawn: narrower is clearer and less varied.
_SPREAD_GAN, _SPREAD_VAE = 0.8, 0.7


def draw_gan(asked: Asked) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of a clip drawn from noise."""
    with torch.inference_mode():
        frames = _gan_frames(asked, asked.num_frames)
    yield from frames


def draw_flow_gan(asked: Asked) -> Iterator[NDArray[np.uint8]]:
    """Yield the still, and then what becomes of it."""
    random = torch.Generator().manual_seed(asked.seed)
    still = asked.still
    with torch.inference_mode():
        if still is None:
            still = _gan_frames(asked, 1)[0]
        told = load_captions()[0](padded(asked.numbers))
        generator = shipped_weights("flow-gan").load("generator", FlowGenerator())
        noise = torch.randn(1, NOISE, generator=random)
        start = to_unit(still)[None]
    yield still
    for time in range(1, asked.num_frames):
        with torch.inference_mode():
            frame = generator(start, told, noise, torch.tensor([float(time)]))[0]
        yield from_unit(frame[0])


def draw_vae(asked: Asked) -> Iterator[NDArray[np.uint8]]:
    """Yield a clip of the caption's prior, or the clip to start from under another caption.

    The start's code is taken to noise under what the clip encoder sees in it, and back from there
    under the caption; the strength says how far of that way the code goes.
    """
    random = torch.Generator().manual_seed(asked.seed)
    weights = shipped_weights("vae")
    with torch.inference_mode():
        codec = load_codec()
        captions, clips = load_captions()
        told = captions(padded(asked.numbers))
        autoencoder = weights.load("autoencoder", ClipAutoencoder())
        flow = weights.load("flow", CaptionFlow())
        drawn = _SPREAD_VAE * torch.randn(1, CODE, generator=random)
        if asked.clip is None:
            codes = flow.to_codes(drawn, told)
        else:
            maps = codec.encode(to_unit(asked.clip))[None]
            old = autoencoder.encode(maps)[0]
            noise = flow.to_noise(old, clips(maps))[0]
            codes = torch.lerp(old, flow.to_codes(noise, told), asked.strength)
        frames = from_unit(codec.decode(autoencoder.decode(codes)[0, : asked.num_frames]))
    yield from frames


def draw_autoregressive(asked: Asked) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames as their codes are written; a still is the first frame as it is."""
    codec = load_codec()
    first = None
    if asked.still is not None:
        with torch.inference_mode():
            first = codec.to_codes(codec.quantise(codec.encode(to_unit(asked.still)[None])))[0]
    for number, codes in enumerate(write_codes(asked, first)):
        if number == 0 and asked.still is not None:
            yield asked.still
            continue
        with torch.inference_mode():
            yield from_unit(codec.decode(codec.from_codes(codes[None]))[0])


def _gan_frames(asked: Asked, num_frames: int) -> NDArray[np.uint8]:
    random = torch.Generator().manual_seed(asked.seed)
    content = _SPREAD_GAN * torch.randn(1, CONTENT, generator=random)
    motion = _SPREAD_GAN * torch.randn(1, FRAMES, MOTION, generator=random)
    told = load_captions()[0](padded(asked.numbers))
    weights = shipped_weights("gan")
    generator = weights.load("generator", Generator())
    basis = weights.load("basis", FrameBasis())
    maps = basis.to_maps(generator(content, motion, told)[0, :num_frames])
    return from_unit(load_codec().decode(maps))
