"""A profile applied to one clip: what is burnt in, tagged and disclosed, settled beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from vidigree.media.errors import UsageError
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import (
    Action,
    Disclosure,
    ForeignLabels,
    Timestamping,
    read_foreign_labels,
)
from vidigree.watermark.credentials.manifest import digital_source_type
from vidigree.watermark.profiles.label import TimedFrame, VisibleLabel, fitting_label
from vidigree.watermark.profiles.profile import Profile
from vidigree.watermark.profiles.provider import Provider
from vidigree.watermark.profiles.tags import (
    aigc_tag,
    inherited_aigc_tag,
    inherited_iptc_fields,
    iptc_fields,
    xmp_packet,
)

__all__ = ["Applied", "apply_profile"]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What one clip gets.

    Attributes:
        profile: The profile.
        provider: Who provides the clip.
        label: Visible label; ``None`` without one.
        metadata: IPTC fields by name, for XMP and for the signed manifest.
        inherited: Unsigned labels of the file that the clip was made from; they are passed on.
        disclosure: SB 942 fields for the signed manifest; ``None`` without a provider.
        notes: What falls short of the profile, in sentences.
    """

    profile: Profile
    provider: Provider
    label: VisibleLabel | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    inherited: ForeignLabels = field(default_factory=ForeignLabels)
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
        """Return the container tags and the XMP packet, both empty if there are none to write.

        Args:
            unique_id: Our number for the clip.
        """
        tags = {}
        if self.profile.aigc or self.inherited.aigc is not None:
            passed_on_by = self.provider if self.profile.aigc else None
            tags["AIGC"] = (
                aigc_tag(self.provider, unique_id)
                if self.inherited.aigc is None
                else inherited_aigc_tag(self.inherited.aigc, passed_on_by, unique_id)
            )
        fields = self.metadata or inherited_iptc_fields(self.inherited)
        return tags, xmp_packet(fields) if fields else b""


def apply_profile(
    profile: Profile,
    *,
    origin: Origin,
    provider: Provider,
    timestamping: Timestamping,
    label: str | None,
    size: tuple[int, int],
    parent: Path | None,
) -> Applied:
    """Settle what a clip gets.

    Args:
        profile: Rules to follow.
        origin: What made the clip.
        provider: Who provides it.
        timestamping: Whether the signature will be stamped.
        label: Text instead of the profile's; empty for none; ``None`` follows the profile.
        size: Width and height in pixels.
        parent: Video that the clip was made from; its unsigned labels are passed on.

    Raises:
        MediaError: ``parent`` cannot be read.
        UsageError: The profile does not fit the clip, or the label does not fit into it.
    """
    notes = profile.check(origin, provider, timestamping)
    texts = _label_texts(profile, origin, label)
    if label == "" and profile.label is not None:
        notes = (*notes, f"The visible label of the profile {profile.name!r} was left out.")
    width, height = size
    visible = None
    if texts:
        seconds = profile.label.seconds if profile.label else None
        visible = fitting_label(texts, width=width, height=height, seconds=seconds)
    source_type = digital_source_type(origin, derived=parent is not None)
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
        inherited=read_foreign_labels(parent) if parent is not None else ForeignLabels(),
        notes=notes,
    )


def _label_texts(profile: Profile, origin: Origin, label: str | None) -> tuple[str, ...]:
    """Return the texts that the visible label may have, best first; none for no label.

    Raises:
        UsageError: A label was asked for a clip that nothing says is generated.
    """
    if label is None:
        return profile.label.texts(origin) if profile.label else ()
    if label and not origin.synthetic:
        raise UsageError(
            "A label was asked for a clip that nothing says is generated.",
            hint="Say --synthetic if a generator made it.",
        )
    return (label,) if label else ()
