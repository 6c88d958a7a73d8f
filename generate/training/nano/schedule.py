"""What every training loop here does alike: learning rate, device, precision, gradient step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

__all__ = ["best_device", "low_precision", "take_step"]


def best_device() -> str:
    """Return ``"cuda"`` where there is a GPU, else ``"cpu"``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def low_precision(device: str) -> Iterator[None]:
    """Run matrix products and convolutions in bfloat16; weights and losses stay float32.

    On a CPU attention is spelled out: the fused kernel's backward pass takes as long as all the
    rest of a denoiser of a hundred tokens.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with ExitStack() as contexts:
        contexts.enter_context(torch.autocast(device, dtype=torch.bfloat16))
        if device == "cpu":
            contexts.enter_context(sdpa_kernel(SDPBackend.MATH))
        yield


def take_step(loss: Any, optimiser: Any, highest: float, progress: float) -> float:
    """Follow the gradient of ``loss`` once; return the loss.

    Args:
        loss: Scalar tensor.
        optimiser: Its learning rate is set here: a short warm-up, then half a cosine.
        highest: Highest learning rate.
        progress: Share of the training that is done, in [0, 1].
    """
    import torch

    rate = highest * min(1.0, progress / 0.02 + 0.01) * 0.5 * (1 + math.cos(math.pi * progress))
    for group in optimiser.param_groups:
        group["lr"] = rate + 0.01 * highest
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimiser.step()
    return float(loss.detach())
