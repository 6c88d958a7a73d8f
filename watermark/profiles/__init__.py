"""What laws ask of a generated clip beyond mark and signature: labels, tags, disclosures."""

from vidigree.watermark.profiles.profile import PROFILES, LabelRule, Profile, find_profile
from vidigree.watermark.profiles.provider import Provider

__all__ = ["PROFILES", "LabelRule", "Profile", "Provider", "find_profile"]
