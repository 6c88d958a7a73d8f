"""Extremely randomised trees: evaluations alone need them, for probes and to compare with."""

from __future__ import annotations

from typing import Any

from vidigree.media.errors import UsageError

__all__ = ["extra_trees"]


def extra_trees() -> Any:
    """Return the class ``ExtraTreesClassifier`` of scikit-learn.

    Raises:
        UsageError: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import ExtraTreesClassifier
    except ImportError as error:
        raise UsageError(
            "An evaluation needs scikit-learn, which is not installed.",
            hint="Install it with: pip install 'vidigree[train]'",
        ) from error
    return ExtraTreesClassifier
