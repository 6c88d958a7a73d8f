"""Where and how precisely the embedded model is trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

__all__ = ["best_device", "low_precision"]


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
