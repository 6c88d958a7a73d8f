"""From the library's status codes to our answers: integrity, signer trust, validity.

The library folds everything into one state; genuine files of known generators are "Invalid" in it
because a certificate has run out since. Codes (C2PA 2.4 section 15.2) say which question failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from vidigree.watermark.credentials.untrusted_text import bounded_text

__all__ = [
    "ClaimedSource",
    "ContentBinding",
    "Integrity",
    "SignerTrust",
    "StatusCodes",
    "TimestampTrust",
    "Validity",
    "content_binding",
    "manifest_integrity",
    "overall_integrity",
    "timestamp_trust",
    "validity",
]

Integrity = Literal["intact", "altered", "unknown"]
SignerTrust = Literal["trusted", "unlisted", "unknown"]
Validity = Literal["valid", "valid-when-signed", "expired", "not-yet-valid", "revoked", "unknown"]
ClaimedSource = Literal[
    "generated",
    "generated-by-algorithm",
    "composite-with-generated",
    "captured",
    "edited",
    "unknown",
]
ContentBinding = Literal["match", "mismatch", "not-checked"]
TimestampTrust = Literal["trusted", "unlisted", "invalid", "absent"]

_MAX_CODES = 200

_BINDING_MATCHES = frozenset(
    f"assertion.{kind}.match" for kind in ("bmffHash", "dataHash", "boxesHash", "collectionHash")
)
_BINDING_MISMATCHES = frozenset(
    f"assertion.{kind}.{problem}"
    for kind in ("bmffHash", "dataHash", "boxesHash", "collectionHash")
    for problem in ("mismatch", "malformed", "unknownBox")
)
# The signer left more out of the hash than the manifest itself. Where it is a BMFF hash, what lies
# there is looked at (``container_checks``); of other files nobody here knows.
_HASHED_IN_PART = frozenset(
    f"assertion.{kind}.additionalExclusionsPresent" for kind in ("dataHash", "boxesHash")
)
# Failures that say something about the signer or about an identity claim, not about the bytes.
_NOT_INTEGRITY = (
    "signingCredential.",
    "cawg.",
    "timeStamp.",
    "claimSignature.outsideValidity",
    "ingredient.",
)
_REVOKED = frozenset({"signingCredential.ocsp.revoked", "signingCredential.revoked"})
_NOT_KNOWN_TO_RESPONDER = "signingCredential.ocsp.unknown"
_ALTERATIONS = (".mismatch", ".missing", ".invalid", ".malformed", ".notRedacted", ".multiple")


@dataclass(frozen=True, kw_only=True)
class StatusCodes:
    """Validation status codes of one manifest, in the words of C2PA 2.4 section 15.2.

    Attributes:
        success: What was checked and held.
        informational: What was noticed.
        failure: What did not hold.
    """

    success: tuple[str, ...] = ()
    informational: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()

    @classmethod
    def from_library(cls, results: Mapping[str, Any] | None) -> StatusCodes:
        """Read one ``{"success": [{"code": ...}], ...}`` of the library."""
        results = results or {}
        return cls(
            success=_codes(results.get("success")),
            informational=_codes(results.get("informational")),
            failure=_codes(results.get("failure")),
        )

    def with_failure(self, *codes: str) -> StatusCodes:
        """Return the codes with further failures."""
        return StatusCodes(
            success=self.success,
            informational=self.informational,
            failure=_once((*self.failure, *codes)),
        )

    def with_note(self, *codes: str) -> StatusCodes:
        """Return the codes with further informational ones."""
        return StatusCodes(
            success=self.success,
            informational=_once((*self.informational, *codes)),
            failure=self.failure,
        )

    def to_dict(self) -> dict[str, list[str]]:
        """Return the codes as JSON values."""
        return {
            "success": list(self.success),
            "informational": list(self.informational),
            "failure": list(self.failure),
        }


def manifest_integrity(codes: StatusCodes) -> Integrity:
    """Say whether the manifest itself is as it was signed, whatever it is attached to.

    A failure that is none of an alteration and none of the signer's, such as an algorithm that the
    library does not know, leaves the answer open.
    """
    failures = [code for code in codes.failure if code not in _BINDING_MISMATCHES]
    if any(_is_alteration(code) for code in failures):
        return "altered"
    held = all(code.startswith(_NOT_INTEGRITY) for code in failures)
    return "intact" if held and "claimSignature.validated" in codes.success else "unknown"


def content_binding(codes: StatusCodes) -> ContentBinding:
    """Say whether the bytes of the file are those that the manifest was made for."""
    if _BINDING_MISMATCHES.intersection(codes.failure):
        return "mismatch"
    if _HASHED_IN_PART.intersection((*codes.success, *codes.informational, *codes.failure)):
        return "not-checked"
    return "match" if _BINDING_MATCHES.intersection(codes.success) else "not-checked"


def overall_integrity(manifest: Integrity, binding: ContentBinding) -> Integrity:
    """Fold manifest and content into one answer; only both together are "intact"."""
    if manifest == "altered" or binding == "mismatch":
        return "altered"
    return "intact" if manifest == "intact" and binding == "match" else "unknown"


def timestamp_trust(codes: StatusCodes, *, listed: bool) -> TimestampTrust:
    """Say what the time stamp is worth.

    Args:
        codes: Status codes of the manifest.
        listed: Whether its authority hangs from one of the reader's time-stamp lists.
    """
    if "timeStamp.validated" in codes.success:
        return "trusted" if listed else "unlisted"
    broken = any(code.startswith("timeStamp.") for code in (*codes.failure, *codes.informational))
    return "invalid" if broken else "absent"


def validity(
    codes: StatusCodes,
    *,
    not_before: datetime | None,
    not_after: datetime | None,
    stamped_at: datetime | None,
    now: datetime,
) -> Validity:
    """Say whether the certificate was good when it signed.

    ``valid-when-signed`` needs a time stamp whose signature holds; how far its authority can be
    believed is another answer. ``revoked`` needs an OCSP answer that the signer stapled: none is
    asked for.

    Args:
        codes: Status codes of the manifest.
        not_before: Start of the leaf certificate's validity.
        not_after: End of the leaf certificate's validity.
        stamped_at: Time in a time stamp that holds, its own or one further out; ``None`` without.
        now: Time of reading.
    """
    if "claimSignature.validated" not in codes.success or not_before is None or not_after is None:
        return "unknown"
    if _REVOKED.intersection(codes.failure):
        return "revoked"
    if _NOT_KNOWN_TO_RESPONDER in (*codes.failure, *codes.informational):
        return "unknown"
    if not_before <= now <= not_after:
        return "valid"
    if stamped_at is not None and not_before <= stamped_at <= not_after:
        return "valid-when-signed"
    return "not-yet-valid" if now < not_before else "expired"


def _is_alteration(code: str) -> bool:
    if code.startswith(_NOT_INTEGRITY):
        return code == "ingredient.manifest.mismatch"
    return code.endswith(_ALTERATIONS) or code.startswith(
        ("claim.", "claimSignature.", "manifest.")
    )


def _codes(rows: object) -> tuple[str, ...]:
    if not isinstance(rows, list):
        return ()
    return _once(bounded_text(row.get("code")) for row in rows if isinstance(row, dict))


def _once(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the codes without repetition, in order, bounded in number."""
    return tuple(list(dict.fromkeys(codes))[:_MAX_CODES])
