"""The profiles: for each set of rules, what a clip gets, and what must be known for it.

Sources: EU AI Act article 50 and the code of practice on marking (June 2026); California Business
and Professions Code 22757.3 (SB 942); GB 45438-2025. ``docs/compliance.md`` maps demand to feature
and says what stays with the deployer. These are engineering choices, and no legal advice.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fractions import Fraction

from vidigree.media.errors import UsageError
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials.timestamps import Timestamping
from vidigree.watermark.profiles.provider import Provider

__all__ = ["PROFILES", "LabelRule", "Profile", "find_profile"]


@dataclass(frozen=True, kw_only=True)
class LabelRule:
    """A visible label that a profile asks for.

    Attributes:
        generated: Texts for a wholly generated clip, the preferred one first; a small picture
            takes the first that fits.
        modified: Texts for a clip that was made from another clip.
        seconds: How long from the start it is shown; ``None`` means to the end.
    """

    generated: tuple[str, ...]
    modified: tuple[str, ...]
    seconds: Fraction | None = None

    def texts(self, origin: Origin) -> tuple[str, ...]:
        """Return the texts for a clip of this origin."""
        return self.modified if origin.task == "video-to-video" else self.generated


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a set of rules adds to mark and signature.

    Attributes:
        name: Name on the command line.
        label: Visible label; ``None`` for none.
        aigc: Whether the container gets the ``AIGC`` tag.
        xmp: Whether the container gets the IPTC fields.
        needs_provider: Whether the provider's name must be known.
        wants_timestamp: Whether a signature without a time stamp falls short.
    """

    name: str
    label: LabelRule | None = None
    aigc: bool = False
    xmp: bool = False
    needs_provider: bool = False
    wants_timestamp: bool = False

    @property
    def claims_generated(self) -> bool:
        """Whether it says of a clip that a machine made it."""
        return self.aigc or self.xmp or self.label is not None

    def check(
        self, origin: Origin, provider: Provider, timestamping: Timestamping
    ) -> tuple[str, ...]:
        """Refuse what would make an untrue or empty label; return what falls short.

        Raises:
            UsageError: The clip is not known to be generated, or the provider is not named.
        """
        if self.claims_generated and not origin.synthetic:
            raise UsageError(
                f"The profile {self.name!r} labels a clip as AI-generated, and nothing says so of"
                " this one.",
                hint="Say --synthetic if a generator made it, or use --profile none.",
            )
        self.check_provider(provider)
        if self.wants_timestamp and timestamping.policy == "none":
            return (f"The profile {self.name!r} asks for a time stamp; name an authority (--tsa).",)
        return ()

    def check_provider(self, provider: Provider) -> None:
        """Refuse a provider without a name where the profile discloses it.

        Raises:
            UsageError: The provider is not named.
        """
        if self.needs_provider and not provider.name:
            raise UsageError(
                f"The profile {self.name!r} discloses the provider, and none is named.",
                hint="Give --provider, or `name` under [provider] in config.toml.",
            )


_ENGLISH = LabelRule(generated=("AI GENERATED", "AI"), modified=("AI MODIFIED", "AI"))

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(name="none"),
        Profile(name="eu", label=_ENGLISH, xmp=True, wants_timestamp=True),
        # The visible disclosure is an option that a provider offers, not a duty: --label adds it.
        Profile(name="ca", xmp=True, needs_provider=True),
        Profile(
            name="cn",
            # It must name both the machine and the making; for video at least 2 s at the start.
            label=LabelRule(generated=("AI生成",), modified=("AI生成",), seconds=Fraction(2)),
            aigc=True,
            xmp=True,
            needs_provider=True,
        ),
    )
}
"""Every profile by its name."""


def find_profile(name: str) -> Profile:
    """Return the profile called ``name``.

    Raises:
        UsageError: There is no such profile.
    """
    if name not in PROFILES:
        close = difflib.get_close_matches(name, PROFILES, n=1)
        raise UsageError(
            f"There is no profile {name!r}.",
            hint=(f"Did you mean {close[0]!r}? " if close else "")
            + f"Known: {', '.join(PROFILES)}.",
        )
    return PROFILES[name]
