"""Runs a flow-matching pipeline backwards: from a finished clip to the noise it was made from.

The path from noise to clip is an ordinary differential equation, which can be walked the other way
(Song et al. 2021 for diffusion; Lipman et al. 2023 for flow matching). Each step approximates the
equation that the sampler's step fulfilled, by fixed-point iteration. What is not known any more
stays unknown: the prompt, unless it is given; the guidance, which pushes a clip off the path of the
unguided model; and whatever the codec and later edits took away.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engines.diffusers.loading import quiet_libraries
from vidigree.media.errors import EngineError

__all__ = ["check_invertible", "invert", "noise_shape"]

# Pipelines whose latents are plain (1, C, F, H, W) and whose sampler is Euler on a flow.
_PIPELINES: Final = ("WanPipeline",)
# More rounds follow the sampler's path more exactly, and what the codec added as well: from exact
# latents three of them are better (83 % of the signs instead of 76 %), from pixels one is (56 % and
# 53 %; the embedded model, 20 steps).
_ITERATIONS: Final = 1


def check_invertible(pipe: Any) -> None:
    """Say so if this pipeline cannot be run backwards here.

    Raises:
        EngineError: It is of another kind.
    """
    scheduler = type(pipe.scheduler).__name__
    if type(pipe).__name__ not in _PIPELINES or scheduler != "FlowMatchEulerDiscreteScheduler":
        raise EngineError(
            f"{type(pipe).__name__} with {scheduler} cannot be run backwards here.",
            hint="The initial-noise mark works with Wan-shaped text-to-video models and the"
            " flow-matching Euler sampler.",
        )


def noise_shape(pipe: Any, *, width: int, height: int, num_frames: int) -> tuple[int, ...]:
    """Return the shape (1, C, F, H, W) of the noise that a clip of this size starts from.

    Args:
        pipe: A pipeline that :func:`check_invertible` accepts.
        width: Pixels.
        height: Pixels.
        num_frames: Frames, a length that the pipeline allows.
    """
    return (
        1,
        pipe.transformer.config.in_channels,
        (num_frames - 1) // pipe.vae_scale_factor_temporal + 1,
        height // pipe.vae_scale_factor_spatial,
        width // pipe.vae_scale_factor_spatial,
    )


def invert(
    pipe: Any, frames: NDArray[np.uint8], *, prompt: str = "", steps: int = 20
) -> NDArray[np.float32]:
    """Estimate the noise that a clip was made from.

    Args:
        pipe: The pipeline that made it, or may have.
        frames: uint8 (F, H, W, 3), of the size that the pipeline makes; F a length it allows.
        prompt: What it was made for, if that is known.
        steps: Steps back; best as many as it was made with.

    Returns:
        float32 (1, C, F', H', W').

    Raises:
        EngineError: The pipeline cannot be run backwards, or failed.
    """
    import torch

    check_invertible(pipe)
    try:
        with torch.inference_mode(), quiet_libraries():
            embeds, _ = pipe.encode_prompt(
                prompt=prompt,
                do_classifier_free_guidance=False,
                max_sequence_length=_text_length(pipe),
            )
            latents = _walk_back(pipe, _encode(pipe, frames), embeds, steps)
    except (RuntimeError, ValueError, MemoryError) as error:
        text = str(error).strip().splitlines()
        raise EngineError(
            f"The clip cannot be run backwards: {text[0][:300] if text else 'no message'}"
        ) from error
    estimate: NDArray[np.float32] = latents.float().cpu().numpy()
    return estimate


def _text_length(pipe: Any) -> int:
    """Tokens of the prompt: what the tokenizer says, at most the pipeline's own default."""
    return int(min(512, getattr(pipe.tokenizer, "model_max_length", 512)))


def _encode(pipe: Any, frames: NDArray[np.uint8]) -> Any:
    """Return the latents of a clip, normalised as the denoiser sees them."""
    import torch

    vae = pipe.vae
    video = torch.from_numpy(frames.astype(np.float32) / 127.5 - 1).permute(3, 0, 1, 2)[None]
    latents = vae.encode(video.to(vae.device, vae.dtype)).latent_dist.mode()
    shape = (1, -1, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(shape).to(latents)
    std = torch.tensor(vae.config.latents_std).view(shape).to(latents)
    return (latents - mean) / std


def _walk_back(pipe: Any, latents: Any, embeds: Any, steps: int) -> Any:
    pipe.scheduler.set_timesteps(steps, device=latents.device)
    sigmas = pipe.scheduler.sigmas
    times = pipe.scheduler.timesteps
    for k in reversed(range(len(times))):
        # The sampler's step was: later = earlier + (sigma[k + 1] - sigma[k]) * v(earlier, t[k]).
        later, stride = latents, sigmas[k + 1] - sigmas[k]
        for _ in range(_ITERATIONS):
            latents = later - stride * _velocity(pipe, latents, times[k], embeds)
    return latents


def _velocity(pipe: Any, latents: Any, time: Any, embeds: Any) -> Any:
    model = pipe.transformer
    moment = time.expand(latents.shape[0])
    if pipe.config.expand_timesteps:  # Wan 2.2 and its like: a time for every token
        _, down, across = model.config.patch_size
        tokens = latents.shape[2] * (latents.shape[3] // down) * (latents.shape[4] // across)
        moment = moment[:, None].expand(-1, tokens)
    (velocity,) = model(
        hidden_states=latents.to(model.dtype),
        timestep=moment,
        encoder_hidden_states=embeds.to(model.dtype),
        return_dict=False,
    )
    return velocity.float()
