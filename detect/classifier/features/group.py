"""The contract of a feature group, and the registry of all groups."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.media.registry import Registry

__all__ = ["FeatureGroup", "feature_group", "feature_groups"]

_BACKBONE = "backbone"
"""The one group that is not in the registry: it needs an encoder of the user's own."""


class FeatureGroup(Protocol):
    """Numbers computed from the canonical pixels and motion vectors of one window.

    A group sees a :class:`DecodedView` and nothing else: no path, no container, no source size or
    rate. Required: ``name``, ``version`` (raised whenever the numbers change), ``names``,
    :meth:`extract`.
    """

    @property
    def name(self) -> str:
        """Registered name."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the numbers change."""
        ...

    def names(self) -> tuple[str, ...]:
        """Return one name per feature, in order, without repetition."""
        ...

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return the features of one window.

        Args:
            view: A view in canonical form, of at least four frames.

        Returns:
            float32 (len(names()),). All NaN, never partly, where the group has nothing to say:
            a temporal group on a clip that repeats frames, corners of a picture without any.
        """
        ...


feature_groups: Registry[type[FeatureGroup]] = Registry("feature group", "vidigree.feature_groups")
for _name, _class in (
    ("blocks", "blocks:BlockTransform"),
    ("colour", "colour:Colour"),
    ("compressibility", "compressibility:Compressibility"),
    ("constancy", "constancy:Constancy"),
    ("cooccurrence", "cooccurrence:Cooccurrence"),
    ("flow", "flow:FlowConsistency"),
    ("matches", "matches:Matches"),
    ("motion", "motion:MotionVectors"),
    ("naturalness", "naturalness:Naturalness"),
    ("noise", "noise:NoiseLevel"),
    ("palette", "palette:Palette"),
    ("predictability", "predictability:Predictability"),
    ("redundancy", "redundancy:Redundancy"),
    ("spacetime", "spacetime:SpaceTimePatterns"),
    ("spectrum", "spectrum:Spectrum"),
    ("temporal", "temporal:TemporalDifferences"),
    ("tracks", "tracks:Tracks"),
    ("trajectory", "trajectory:Trajectory"),
):
    feature_groups.add(_name, f"vidigree.detect.classifier.features.{_class}")


def feature_group(name: str) -> FeatureGroup:
    """Return the group of a name, ready to extract.

    Args:
        name: A name of the registry, or ``"backbone"`` where the environment names an encoder.

    Raises:
        UsageError: There is no such group, or no encoder for it.
    """
    if name == _BACKBONE:
        from vidigree.detect.classifier.features.backbone import BackboneGeometry

        return BackboneGeometry()
    return feature_groups.get(name)()
