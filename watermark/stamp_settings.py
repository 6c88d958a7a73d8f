"""What a stamp is made with: keys, ledger, quality, and the rules to follow."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vidigree.media.errors import UsageError
from vidigree.media.one_line import check_utf8
from vidigree.watermark.config import Config
from vidigree.watermark.credentials import SigningIdentity, Timestamping
from vidigree.watermark.credentials.signers import open_signer
from vidigree.watermark.keyring import KeyRing
from vidigree.watermark.profiles import PROFILES, Profile, Provider, find_profile

if TYPE_CHECKING:
    from vidigree.watermark.ledger import Ledger

__all__ = ["X264_PRESETS", "StampSettings"]

X264_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium"),
    *("slow", "slower", "veryslow", "placebo"),
)
"""Names that libx264 knows, fastest first; libx264 itself complains on the terminal."""


@dataclass(frozen=True, kw_only=True)
class StampSettings:
    """What a stamp is made with.

    Attributes:
        identity: Key and certificate that sign the credentials.
        ledger: Where the clip is recorded.
        keys: Ring of mark keys; the active one marks.
        method: Registered watermark method; its message must have 64 bits.
        crf: x264 constant rate factor of the output, 0 (lossless) to 51.
        preset: x264 preset of the output.
        pad_odd: Repeat the last row or column of a clip with an odd side; refused otherwise.
        overwrite: Whether an existing output may be replaced.
        timestamping: Whether and where the signature is time-stamped.
        profile: Rules to follow: visible label, tags, disclosures.
        provider: Who provides the clip, for disclosures.
        label: Text of the visible label instead of the profile's; empty for no label at all;
            ``None`` does what the profile says.
        title: Name of the clip in its credentials, which everybody can read; ``None`` takes the
            output's, empty for none.
    """

    identity: SigningIdentity
    ledger: Ledger
    keys: KeyRing = field(default_factory=KeyRing)
    method: str = "robust"
    crf: float = 18
    preset: str = "medium"
    pad_odd: bool = False
    overwrite: bool = False
    timestamping: Timestamping = field(default_factory=Timestamping)
    profile: Profile = PROFILES["none"]
    provider: Provider = field(default_factory=Provider)
    label: str | None = None
    title: str | None = None

    def __post_init__(self) -> None:
        # Known before hours of generating, not after them.
        if not 0 <= self.crf <= 51:  # NaN passes every range that is written the other way
            raise UsageError(f"The quality is {self.crf}; it must be in the range 0 to 51.")
        if self.preset not in X264_PRESETS:
            raise UsageError(
                f"There is no x264 preset {self.preset!r}.",
                hint=f"Known: {', '.join(X264_PRESETS)}.",
            )
        check_utf8("The label", self.label or "")
        check_utf8("The title", self.title or "")
        for name in astuple(self.provider):
            check_utf8("What is said of the provider", name)
        self.profile.check_provider(self.provider)

    @classmethod
    def load(
        cls, *, config: Config | None = None, ledger_url: str | None = None, **changes: Any
    ) -> StampSettings:
        """Load signer, keys and ledger as the settings in the data folder say.

        Args:
            config: Settings to follow; ``None`` reads ``config.toml`` in the data folder.
            ledger_url: Database to record in; ``None`` is the file in the data folder.
            **changes: Other attributes than the defaults.

        Raises:
            UsageError: The settings mean nothing.
            CredentialsError: There is no signing identity yet, or it cannot be used.
            LedgerError: The ledger cannot be opened, or lies in memory, where no record stays.
        """
        from vidigree.watermark.ledger import Ledger
        from vidigree.watermark.ledger.connection import refuse_memory

        config = Config.load() if config is None else config
        profile = find_profile(config.profile)
        profile.check_provider(config.provider)
        refuse_memory(ledger_url)
        settings = cls(
            identity=open_signer(config.signer),
            ledger=Ledger.open(ledger_url),
            keys=KeyRing.load(),
            timestamping=config.timestamping,
            profile=profile,
            provider=config.provider,
        )
        return replace(settings, **changes)
