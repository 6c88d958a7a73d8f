"""RFC 3161 time stamps: what keeps a signature valid after its certificate has run out.

The authority is asked over the network, so it is asked only if the caller names one. It learns the
hash of the signature and the caller's address, and nothing of the clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from vidigree.media.errors import UsageError

__all__ = ["TimestampPolicy", "Timestamping"]

TimestampPolicy = Literal["require", "try", "none"]


@dataclass(frozen=True, kw_only=True)
class Timestamping:
    """Whether and where to get a time stamp.

    Attributes:
        policy: ``"require"``: no stamp, no signature. ``"try"``: sign without one if the authority
            does not answer. ``"none"``: do not ask.
        url: Address of the time-stamping authority; needed unless the policy is ``"none"``.
    """

    policy: TimestampPolicy = "none"
    url: str = ""

    def __post_init__(self) -> None:
        if self.policy == "none":
            return
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"{self.url!r} is not the address of a time-stamping authority.",
                hint="Give its URL, e.g. http://timestamp.example.org.",
            )
