"""The network of the learned front end: a small U-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["build_network"]

# Channels at half, a quarter and an eighth of the picture's size.
_WIDTHS = (24, 48, 64)


def build_network() -> torch.nn.Module:
    """Return the untrained network.

    Input float32 (n, 2, h, w), output float32 (n, 1, h, w), h and w multiples of 8. It works at
    half the size of the picture, since the carrier ends at 0.2 cycles per pixel, and adds to the
    linear residual, so that training starts from it.
    """
    import torch
    from torch import nn

    def block(channels: int) -> nn.Module:
        return _residual(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(channels, channels, 3, padding=1),
            )
        )

    def blocks(channels: int, count: int) -> nn.Module:
        return nn.Sequential(*(block(channels) for _ in range(count)))

    fine, middle, deep = _WIDTHS

    class Estimator(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.enter = nn.Conv2d(8, fine, 3, padding=1)
            self.fine = blocks(fine, 1)
            self.down = nn.Conv2d(fine, middle, 2, stride=2)
            self.middle = blocks(middle, 2)
            self.deeper = nn.Conv2d(middle, deep, 2, stride=2)
            self.deep = blocks(deep, 3)
            self.rise = nn.Conv2d(deep, middle * 4, 1)
            self.middle_out = blocks(middle, 2)
            self.lift = nn.Conv2d(middle, fine * 4, 1)
            self.fine_out = blocks(fine, 1)
            self.leave = nn.Conv2d(fine, 4, 3, padding=1)
            self.linear = nn.Parameter(torch.tensor(0.1))
            nn.init.zeros_(self.leave.weight)

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            shuffle = nn.functional.pixel_shuffle
            fine = self.fine(self.enter(nn.functional.pixel_unshuffle(pictures, 2)))
            middle = self.middle(self.down(fine))
            deep = self.deep(self.deeper(middle))
            middle = self.middle_out(middle + shuffle(self.rise(deep), 2))
            fine = self.fine_out(fine + shuffle(self.lift(middle), 2))
            return shuffle(self.leave(fine), 2) + self.linear * pictures[:, 1:]

    return Estimator()


def _residual(body: Any) -> torch.nn.Module:
    """Wrap a module so that its output is added to its input."""
    from torch import nn

    class Residual(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.body = body

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return nn.functional.relu(values + self.body(values))

    return Residual()
