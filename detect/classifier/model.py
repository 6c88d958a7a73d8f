"""The trained model: arrays and a header, scored with NumPy alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.calibration import stacked_llr
from vidigree.detect.classifier.canonical import CanonicalWindow
from vidigree.detect.classifier.extraction import Block, block_features, blocks_width
from vidigree.detect.classifier.kernel import mixed_kernel

__all__ = ["LOCAL_PREFIX", "NUMBERS", "ClassifierModel", "Header"]

LOCAL_PREFIX = "local_"
"""Begins the names of the arrays of the member that says where."""

NUMBERS = ("gamma", "additive_share", "additive_gamma")
"""The arrays that are one number."""

_LIMIT = 4.0
"""Standardised features are cut here, so that one odd value cannot carry a verdict."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What must be known about weights before they are used.

    Attributes:
        recipe_id: Canonical form the weights belong to.
        blocks: Layout of the features: (view, group, version of the group).
        launderings: What the training clips went through.
        seed: Seed of folds.
        real_clips: Real clips trained on.
        synthetic_clips: Synthetic clips trained on.
        false_alarms: Share of held-out real clips above ``threshold`` that was asked for.
        threshold: Log-likelihood ratio above which a clip is called likely synthetic.
        trained_on: First 16 hex digits of the SHA-256 of every training clip, sorted.
        calibrated_on: Whose real clips set the threshold: ``"training"`` or a user's own name.
        local_blocks: Layout of the features of the member that says where, likewise; none where
            that is the whole model.
        local_launderings: What the training clips went through for that member.
    """

    recipe_id: str
    blocks: tuple[tuple[str, str, int], ...]
    launderings: tuple[str, ...]
    seed: int
    real_clips: int
    synthetic_clips: int
    false_alarms: float
    threshold: float
    trained_on: tuple[str, ...]
    calibrated_on: str = "training"
    local_blocks: tuple[tuple[str, str, int], ...] = ()
    local_launderings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassifierModel:
    """Kernel ridge regression on standardised features, calibrated on held-out scores.

    A feature group has its weight in a distance, however many numbers it has.

    Attributes:
        header: See Header.
        median: float32 (D,), stands in for features that are not there.
        mean: float32 (D,).
        scale: float32 (D,), above 0.
        balance: float32 (D,), above 0: factors that give every group its weight in a squared
            distance.
        support: float16 (S, D), prepared training windows.
        dual: float32 (S,).
        gamma: Width of the kernel of all groups: exp(-gamma * squared distance).
        additive_share: Share of the additive kernel, see :func:`mixed_kernel`.
        additive_gamma: Width of it.
        stack: float64 (2,): factor of the score, and a constant; see ``stacked_llr``.
        reals: float32 (n,), log-likelihood ratios of held-out real clips, ascending.
        local_member: The member that says where, trained on features that lean less on content;
            ``None`` where that is the whole model. Of its header and ``reals`` nothing counts.
    """

    header: Header
    median: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    balance: NDArray[np.float32]
    support: NDArray[np.float16]
    dual: NDArray[np.float32]
    gamma: float
    additive_share: float
    additive_gamma: float
    stack: NDArray[np.float64]
    reals: NDArray[np.float32]
    local_member: ClassifierModel | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Layout of the features."""
        return tuple(Block(view, group) for view, group, _ in self.header.blocks)

    @property
    def model_id(self) -> str:
        """Return the recipe id and the first digits of a hash over all arrays."""
        digest = hashlib.sha256()
        for name, array in sorted(self.arrays().items()):
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
        digest.update(repr(self.header.threshold).encode())
        digest.update(" ".join(group for _, group, _ in self.header.local_blocks).encode())
        if self.header.local_launderings:
            digest.update(" ".join(self.header.local_launderings).encode())
        return f"{self.header.recipe_id}-{digest.hexdigest()[:12]}"

    def prepared(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Fill, standardise, limit and balance features; float32 (n, D) in and out."""
        filled = np.where(np.isnan(rows), self.median, rows)
        limited = np.clip((filled - self.mean) / self.scale, -_LIMIT, _LIMIT)
        return np.asarray(limited * self.balance, dtype=np.float32)

    def kernel(self, left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how alike prepared rows are, float64 (n, m), of rows (n, D) and (m, D)."""
        widths = [blocks_width((block,)) for block in self.blocks]
        shares = np.add.reduceat(self.balance.astype(np.float64) ** 2, np.cumsum([0, *widths[:-1]]))
        return mixed_kernel(
            left,
            right,
            groups=list(zip(widths, shares.tolist(), strict=True)),
            gamma=self.gamma,
            additive_share=self.additive_share,
            additive_gamma=self.additive_gamma,
        )

    def members(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return scores, float64 (n, 1), not calibrated; a column for each member of the stack.

        Args:
            rows: float32 (n, D) features as extracted.
        """
        points = self.prepared(rows).astype(np.float64)
        kernel = self.kernel(points, self.support.astype(np.float64))
        return (kernel @ self.dual.astype(np.float64))[:, None]

    def llr(self, members: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return natural-log likelihood ratios, float64 (n,), from member scores (n, 1)."""
        return stacked_llr(members, self.stack)

    def windows_members(self, windows: Sequence[CanonicalWindow]) -> NDArray[np.float64]:
        """Return the member scores (n, 1) of windows."""
        rows = np.stack([block_features(window, self.blocks) for window in windows])
        return self.members(rows)

    @property
    def local(self) -> ClassifierModel:
        """Return the member that compares parts of one clip: without what leans on content.

        Scenes of one clip differ in content, whoever made them. Its threshold and real clips are
        those of the whole model and mean nothing for it.
        """
        if self.local_member is None:
            return self
        header = replace(
            self.header,
            blocks=self.header.local_blocks,
            launderings=self.header.local_launderings,
            local_blocks=(),
            local_launderings=(),
        )
        return replace(self.local_member, header=header, reals=self.reals)

    def p_value(self, llr: float) -> float:
        """Return the conformal p-value: how often held-out real clips score as high, in (0, 1]."""
        above = len(self.reals) - int(np.searchsorted(self.reals, llr, side="left"))
        return (above + 1) / (len(self.reals) + 1)

    def calibrated(
        self,
        *,
        stack: NDArray[np.float64],
        reals: NDArray[np.float32],
        threshold: float,
        false_alarms: float,
        on: str,
    ) -> ClassifierModel:
        """Return the model with another calibration of whole clips.

        The members stay what they are, and so does the ratio of the one that says where.
        """
        header = replace(
            self.header, threshold=threshold, false_alarms=false_alarms, calibrated_on=on
        )
        return replace(self, header=header, stack=stack, reals=reals)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays by the names that they have in a file of weights."""
        local = {} if self.local_member is None else _member_arrays(self.local_member)
        return {
            **{LOCAL_PREFIX + name: array for name, array in local.items()},
            **_member_arrays(self),
            "reals": self.reals,
        }


def _member_arrays(model: ClassifierModel) -> dict[str, NDArray[Any]]:
    return {
        "median": model.median,
        "mean": model.mean,
        "scale": model.scale,
        "balance": model.balance,
        "support": model.support,
        "dual": model.dual,
        **{name: np.array(getattr(model, name)) for name in NUMBERS},
        "stack": model.stack,
    }
