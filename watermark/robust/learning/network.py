"""The network of the learned front end: a small U-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["build_network"]


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

    class Estimator(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.enter = nn.Conv2d(8, 16, 3, padding=1)
            self.fine = block(16)
            self.down = nn.Conv2d(16, 32, 2, stride=2)
            self.middle = nn.Sequential(block(32), block(32))
            self.deeper = nn.Conv2d(32, 48, 2, stride=2)
            self.deep = nn.Sequential(block(48), block(48))
            self.rise = nn.Conv2d(48, 32 * 4, 1)
            self.middle_out = block(32)
            self.lift = nn.Conv2d(32, 16 * 4, 1)
            self.fine_out = block(16)
            self.leave = nn.Conv2d(16, 4, 3, padding=1)
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
