"""What is known of pipeline families by the name of their class.

Pipelines do not say at which rate their clips play, so the rate is ours to know: it is the one that
the official example of each family hands to ``export_to_video`` (diffusers documentation, 2026).
Licences are those of the usual weights; they are notes, not advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

__all__ = ["Family", "family_of", "is_known"]


@dataclass(frozen=True)
class Family:
    """One family of pipelines.

    Attributes:
        prefix: How the class names begin.
        fps: Frames per second its models were made for.
        memory: Memory class of the usual weights, for people.
        licence: Licence note of the usual weights.
    """

    prefix: str
    fps: Fraction
    memory: str
    licence: str


_UNKNOWN: Final = "see the model card"
_COSMOS: Final = "NVIDIA open model licence; needs the cosmos_guardrail package"
_TENCENT: Final = "Tencent community; not EU, UK, South Korea"

# The first that fits wins, so the special ones stand before the general ones.
_FAMILIES: Final = (
    Family("AnimateDiff", Fraction(16), "8-12 GB", "OpenRAIL-M base, Apache-2.0 adapter"),
    Family("Allegro", Fraction(15), "10-30 GB", "Apache-2.0"),
    Family("AnyFlow", Fraction(16), _UNKNOWN, _UNKNOWN),
    Family("ChronoEdit", Fraction(16), "13-40 GB", _UNKNOWN),
    Family("CogVideoX", Fraction(8), "5-20 GB", "2B: Apache-2.0; 5B: CogVideoX licence"),
    Family("ConsisID", Fraction(8), "5-40 GB", _UNKNOWN),
    Family("CosmosTextToWorld", Fraction(30), "24-80 GB", _COSMOS),
    Family("CosmosVideoToWorld", Fraction(30), "24-80 GB", _COSMOS),
    Family("Cosmos2_5_Transfer", Fraction(30), "24-80 GB", _COSMOS),
    Family("Cosmos", Fraction(16), "24-80 GB", _COSMOS),
    Family("EasyAnimate", Fraction(8), "12-40 GB", _UNKNOWN),
    Family("Helios", Fraction(24), "6-40 GB", _UNKNOWN),
    Family("HunyuanVideoFramepack", Fraction(30), "6-40 GB", _TENCENT),
    Family("HunyuanVideo15ImageToVideo", Fraction(24), "14-40 GB", _TENCENT),
    Family("HunyuanVideo", Fraction(15), "14-60 GB", _TENCENT),
    Family("HunyuanSkyreels", Fraction(15), "14-60 GB", _TENCENT),
    Family("I2VGenXL", Fraction(8), "8-16 GB", _UNKNOWN),
    Family("Kandinsky5", Fraction(24), "12-40 GB", "Kandinsky 5 Lite: MIT"),
    Family("Kandinsky6", Fraction(24), "24-80 GB", _UNKNOWN),
    Family("LTX2", Fraction(24), "16-60 GB", "LTX-2 community; commercial from USD 10M revenue"),
    Family("LTX", Fraction(24), "10-40 GB", "LTX community licence"),
    Family("Latte", Fraction(8), "8-16 GB", _UNKNOWN),
    Family("Lucy", Fraction(24), "13-40 GB", _UNKNOWN),
    Family("Mochi", Fraction(30), "22-70 GB", "Apache-2.0"),
    Family("MotifVideo", Fraction(24), _UNKNOWN, _UNKNOWN),
    Family("PIA", Fraction(16), "8-12 GB", _UNKNOWN),
    Family("SanaImageToVideo", Fraction(16), "8-24 GB", _UNKNOWN),
    Family("SanaVideo", Fraction(16), "8-24 GB", _UNKNOWN),
    Family("SanaWM", Fraction(16), _UNKNOWN, _UNKNOWN),
    Family("SkyReels", Fraction(24), "13-60 GB", "SkyReels licence"),
    Family("StableVideoDiffusion", Fraction(7), "8-16 GB", "stable-video-diffusion-community"),
    Family("TextToVideo", Fraction(8), "8 GB", "CC-BY-NC-4.0"),
    Family("VideoToVideo", Fraction(8), "8 GB", "CC-BY-NC-4.0"),
    Family("WanAnimate", Fraction(30), "13-40 GB", "Apache-2.0"),
    Family("Wan", Fraction(16), "8-40 GB", "Apache-2.0"),
)

_ANY: Final = Family("", Fraction(16), "see the model card", _UNKNOWN)


def family_of(class_name: str) -> Family:
    """Return what is known of the pipelines called like ``class_name``; 16 fps if nothing is."""
    for family in _FAMILIES:
        if class_name.startswith(family.prefix):
            return family
    return _ANY


def is_known(class_name: str) -> bool:
    """Return whether a pipeline class belongs to a family of this table."""
    return any(class_name.startswith(family.prefix) for family in _FAMILIES)
