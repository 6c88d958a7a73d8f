"""Feature groups: plug-ins that turn one canonical window into numbers."""

from vidigree.detect.classifier.features.group import FeatureGroup, feature_group, feature_groups

__all__ = ["FeatureGroup", "feature_group", "feature_groups"]
