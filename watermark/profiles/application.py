"""A profile applied to one clip: what is burnt in, tagged and disclosed, settled beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from vidigree.media.errors import UsageError
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import Action, Disclosure, Timestamping
from vidigree.watermark.credentials.manifest import digital_source_type
from vidigree.watermark.profiles.label import TimedFrame, VisibleLabel, fitting_label
from vidigree.watermark.profiles.profile import Profile
from vidigree.watermark.profiles.provider import Provider
from vidigree.watermark.profiles.tags import aigc_tag, iptc_fields, xmp_packet

__all__ = ["Applied", "apply_profile"]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What one clip gets.

    Attributes:
        profile: The profile.
        provider: Who provides the clip.
        label: Visible label; ``None`` without one.
        metadata: IPTC fields by name, for XMP and for the signed manifest.
        disclosure: SB 942 fields for the signed manifest; ``None`` without a provider.
        notes: What falls short of the profile, in sentences.
    """

    profile: Profile
    provider: Provider
    label: VisibleLabel | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    disclosure: Disclosure | None = None
    notes: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Actions to record in the manifest."""
        return () if self.label is None else (self.label.action(),)

    def label_frames(self, frames: Iterable[TimedFrame], fps: Fraction) -> Iterator[TimedFrame]:
        """Burn the label into a stream of frames with their times in seconds."""
        return iter(frames) if self.label is None else self.label.on(frames, fps)

    def tags(self, unique_id: str) -> tuple[dict[str, str], bytes]:
        """Return the container tags and the XMP packet, both empty if the profile has none.

        Args:
            unique_id: Our number for the clip.
        """
        aigc = {"AIGC": aigc_tag(self.provider, unique_id)} if self.profile.aigc else {}
        return aigc, xmp_packet(self.metadata) if self.profile.xmp else b""


def apply_profile(
    profile: Profile,
    *,
    origin: Origin,
    provider: Provider,
    timestamping: Timestamping,
    label: str | None,
    size: tuple[int, int],
    derived: bool,
) -> Applied:
    """Settle what a clip gets.

    Args:
        profile: Rules to follow.
        origin: What made the clip.
        provider: Who provides it.
        timestamping: Whether the signature will be stamped.
        label: Text instead of the profile's; empty for none; ``None`` follows the profile.
        size: Width and height in pixels.
        derived: Whether the clip was made from a parent video.

    Raises:
        UsageError: The profile does not fit the clip, or the label does not fit into it.
    """
    notes = profile.check(origin, provider, timestamping)
    rule = profile.label
    texts = rule.texts(origin) if rule else ()
    if label:
        if not origin.synthetic:
            raise UsageError(
                "A label was asked for a clip that nothing says is generated.",
                hint="Say --synthetic if a generator made it.",
            )
        texts = (label,)
    elif label == "":
        texts = ()
        if rule is not None:
            notes = (*notes, f"The visible label of the profile {profile.name!r} was left out.")
    width, height = size
    visible = None
    if texts:
        seconds = rule.seconds if rule else None
        visible = fitting_label(texts, width=width, height=height, seconds=seconds)
    source_type = digital_source_type(origin, derived=derived)
    return Applied(
        profile=profile,
        provider=provider,
        label=visible,
        metadata=iptc_fields(origin, source_type) if profile.xmp else {},
        disclosure=(
            Disclosure(provider_name=provider.name, detector_url=provider.detector_url)
            if provider.name
            else None
        ),
        notes=notes,
    )
