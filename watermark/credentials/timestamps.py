"""RFC 3161 time stamps: whom to ask, and what to do when no answer comes.

A stamp proves that the signature is older than the end of its certificate, so that clips stay
verifiable after it (C2PA 2.4 section 15.8). It needs the network: the authority learns a hash and
when we sign, and it can be down. Hence a clear choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark.credentials.untrusted_text import bounded_text

__all__ = ["ATTEMPTS", "TimestampError", "TimestampPolicy", "Timestamping"]

TimestampPolicy = Literal["require", "try", "none"]

ATTEMPTS = 2
"""How often an authority is asked before it counts as away."""


class TimestampError(CredentialsError):
    """No usable time stamp could be had."""


@dataclass(frozen=True, kw_only=True)
class Timestamping:
    """Whether and where signatures are stamped.

    Attributes:
        policy: ``"require"``: no stamp, no clip. ``"try"``: issue without one and say so.
            ``"none"``: never ask.
        url: Address of the authority, ``http`` or ``https``. Stamps are signed themselves, so that
            plain ``http``, which most authorities speak, is no weakness.
    """

    policy: TimestampPolicy = "none"
    url: str = ""

    def __post_init__(self) -> None:
        if self.policy not in get_args(TimestampPolicy):
            raise UsageError(
                f"There is no time stamp policy {self.policy!r}.", hint="Use require, try or none."
            )
        if self.policy == "none":
            return
        if not self.url:
            raise UsageError(
                f"The time stamp policy is {self.policy!r}, but no authority is named.",
                hint="Give its address with --tsa, or as `url` under [timestamp] in the settings.",
            )
        if not _is_address(self.url):
            raise UsageError(
                f"{self.url!r} is not the address of a time-stamping authority.",
                hint="It must begin with http:// or https://.",
            )

    @property
    def authority(self) -> str:
        """Address to show: without a password or a query that may hold one."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"

    def reason(self, error: Exception) -> str:
        """Return what the library says about a failed request, in plain words where we know them.

        Args:
            error: The library's exception; it quotes the address, which may hold a password.
        """
        told = str(error).replace(self.url, self.authority)
        status = re.search(r"HTTP error \(status = (\d{3})", told)
        if status:
            return f"it answered with HTTP status {status[1]}"
        if "error sending request" in told:
            return "it cannot be reached, or did not answer"
        if "decode error" in told:
            return "its answer is no time stamp"
        return bounded_text(told)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # brackets without an end, or a port that is none
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
