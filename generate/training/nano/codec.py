"""The codec of the embedded model: a small Wan autoencoder, and a fast way to train it.

diffusers runs its Wan autoencoder in chunks of four frames with caches. The same arithmetic is
done here on whole clips, and the layers at high resolution are kept flat: only the last temporal
tap of their kernels is used, the others stay zero. The weights load into the stock class, whose
answer is the same (a test compares them).
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["CODEC", "build_codec", "decode_clips", "encode_clips"]

CODEC: Final[dict[str, Any]] = {
    "base_dim": 16,
    "z_dim": 16,
    "dim_mult": [1, 2, 4, 4],
    "num_res_blocks": 1,
    "attn_scales": [],
    "temperal_downsample": [False, True, True],
    "is_residual": True,
    "scale_factor_temporal": 4,
    "scale_factor_spatial": 8,
}
# Widths of feature maps, as a share of the picture, from which on layers look back in time.
_FLAT_ABOVE: Final = 4


def build_codec(**changes: Any) -> Any:
    """Return an untrained ``AutoencoderKLWan`` that treats every frame by itself.

    Temporal taps start at zero and temporal resampling as a copy, so that a codec trained on single
    frames is a good start for one trained on clips.

    Args:
        changes: Entries of its configuration to replace.
    """
    import torch
    from diffusers import AutoencoderKLWan

    codec = AutoencoderKLWan(**(CODEC | changes))
    with torch.no_grad():
        for name, module in codec.named_modules():
            if not isinstance(module, torch.nn.Conv3d):
                continue
            if name.endswith("time_conv"):
                _start_as_copy(module)
            elif module.kernel_size[0] == 3:
                module.weight[:, :, :2] = 0
    return codec


def _start_as_copy(conv: Any) -> None:
    """Make a temporal convolution pass on the newest frame, twice if it doubles the rate."""
    import torch

    conv.weight.zero_()
    conv.bias.zero_()
    channels = conv.in_channels
    for part in range(conv.out_channels // channels):
        conv.weight[part * channels : (part + 1) * channels, :, -1, 0, 0] = torch.eye(channels)


def encode_clips(codec: Any, clips: Any) -> tuple[Any, Any]:
    """Return mean and log-variance of the latents of whole clips.

    Args:
        codec: What :func:`build_codec` returns.
        clips: float (B, 3, F, H, W) in [-1, 1], F = 4k + 1.

    Returns:
        Two tensors (B, Z, k + 1, H / 8, W / 8).
    """
    encoder, side = codec.encoder, clips.shape[-1]
    x = _convolve(encoder.conv_in, clips, flat=True)
    for block in encoder.down_blocks:
        shortcut = block.avg_shortcut(x)
        for layer in block.resnets:
            x = _residual(layer, x, side)
        if block.downsampler is not None:
            x = _downsample(block.downsampler, x)
        x = x + shortcut
    x = _middle(encoder.mid_block, x, side)
    x = _convolve(encoder.conv_out, _silu_norm(encoder.norm_out, x), flat=False)
    mean, log_variance = _convolve(codec.quant_conv, x, flat=False).float().chunk(2, dim=1)
    return mean, log_variance.clamp(-30, 20)


def decode_clips(codec: Any, latents: Any, chosen: list[int] | None = None) -> Any:
    """Return clips, float (B, 3, F, H, W).

    Args:
        codec: What :func:`build_codec` returns.
        latents: float (B, Z, k + 1, H / 8, W / 8).
        chosen: Numbers of the frames to return; ``None`` for all 4k + 1 of them. Layers that look
            back in time still see all frames, the costly flat ones see these only.
    """
    decoder, side = codec.decoder, 8 * latents.shape[-1]
    x = _convolve(codec.post_quant_conv, latents, flat=False)
    x = _middle(decoder.mid_block, _convolve(decoder.conv_in, x, flat=False), side)
    for block in decoder.up_blocks:
        if chosen is not None and x.shape[-1] * _FLAT_ABOVE > side:
            x, chosen = x[:, :, chosen], None
        shortcut = x
        for layer in block.resnets:
            x = _residual(layer, x, side)
        if block.upsampler is not None:
            x = _upsample(block.upsampler, x)
            x = x + block.avg_shortcut(shortcut, first_chunk=True)
    return _convolve(decoder.conv_out, _silu_norm(decoder.norm_out, x), flat=True).float()


def _convolve(conv: Any, x: Any, *, flat: bool) -> Any:
    """Convolve causally in time, or every frame by itself."""
    from torch.nn import functional

    taps, side = conv.weight.shape[2], conv.weight.shape[-1]
    if flat or taps == 1:
        batch, frames = x.shape[0], x.shape[2]
        pictures = functional.conv2d(
            _pictures(x), conv.weight[:, :, -1], conv.bias, padding=side // 2
        )
        return _clips(pictures, batch, frames)
    return functional.conv3d(
        functional.pad(x, (0, 0, 0, 0, taps - 1, 0)),
        conv.weight,
        conv.bias,
        padding=(0, side // 2, side // 2),
    )


def _pictures(x: Any) -> Any:
    """Turn clips (B, C, F, H, W) into pictures (B F, C, H, W)."""
    return x.transpose(1, 2).flatten(0, 1)


def _clips(pictures: Any, batch: int, frames: int) -> Any:
    return pictures.unflatten(0, (batch, frames)).transpose(1, 2)


def _silu_norm(norm: Any, x: Any) -> Any:
    import torch
    from torch.nn import functional

    size = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.float32)
    share = (norm.scale / size.clamp(min=1e-12)).to(x.dtype)
    return functional.silu(x * share * norm.gamma.to(x.dtype))


def _residual(block: Any, x: Any, side: int) -> Any:
    flat = x.shape[-1] * _FLAT_ABOVE > side
    kept = x if block.in_dim == block.out_dim else _convolve(block.conv_shortcut, x, flat=True)
    x = _convolve(block.conv1, _silu_norm(block.norm1, x), flat=flat)
    return kept + _convolve(block.conv2, _silu_norm(block.norm2, x), flat=flat)


def _middle(block: Any, x: Any, side: int) -> Any:
    x = _residual(block.resnets[0], x, side)
    for attention, layer in zip(block.attentions, block.resnets[1:], strict=True):
        x = _residual(layer, attention(x), side)
    return x


def _downsample(layer: Any, x: Any) -> Any:
    """Halve the picture and, where the layer does, the rate; the first frame stays by itself."""
    import torch
    from torch.nn import functional

    batch, _, frames = x.shape[:3]
    x = _clips(layer.resample(_pictures(x)), batch, frames)
    if layer.mode != "downsample3d" or frames == 1:
        return x
    conv = layer.time_conv
    later = functional.conv3d(x, conv.weight, conv.bias, stride=(2, 1, 1))
    return torch.cat([x[:, :, :1], later], dim=2)


def _upsample(layer: Any, x: Any) -> Any:
    """Double the picture and, where the layer does, the rate of all frames but the first."""
    import torch

    if layer.mode == "upsample3d" and x.shape[2] > 1:
        later = _convolve(layer.time_conv, x[:, :, 1:], flat=False)
        doubled = later.unflatten(1, (2, -1)).permute(0, 2, 3, 1, 4, 5).flatten(2, 3)
        x = torch.cat([x[:, :, :1], doubled], dim=2)
    batch, _, frames = x.shape[:3]
    return _clips(layer.resample(_pictures(x)), batch, frames)
