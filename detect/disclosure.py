"""What a platform must be able to show of a clip's provenance, in four fields.

California AB 853, section 22757.3.1, asks platforms to show whether provenance data are available,
the name of the generating system or of the capture device, and whether digital signatures are
available. The fields repeat what the file says; the finding says what that is worth.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vidigree.detect.credentials import believed_validity
from vidigree.detect.readings import NotChecked, Readings
from vidigree.watermark.clip import MADE_ELSEWHERE

__all__ = ["Disclosure", "disclosure"]


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """Provenance as a platform shows it.

    Attributes:
        provenance_available: Whether the file carries provenance data, in its container or in its
            pixels; ``None`` if neither layer was looked at.
        system: Name of the generating system or capture device, as declared; empty if none is.
        signature_available: Whether a digital signature is there; ``None`` if not looked at.
        signature_valid: Whether it holds and its signer is on a trust list; ``None`` without one.
    """

    provenance_available: bool | None
    system: str
    signature_available: bool | None
    signature_valid: bool | None

    def to_dict(self) -> dict[str, Any]:
        """Return the disclosure as JSON values."""
        return asdict(self)


def disclosure(readings: Readings) -> Disclosure:
    """Return what the readings say about provenance.

    Args:
        readings: What every layer read.
    """
    credentials, marks, ledger = readings.credentials, readings.marks, readings.ledger
    signed = valid = None
    system = ""
    available: list[bool] = []
    if not isinstance(credentials, NotChecked):
        signed = credentials.status == "present"
        available.append(credentials.status != "absent")
        if signed:
            system = credentials.generator or ""
            valid = (
                credentials.integrity == "intact"
                and credentials.signer_trust == "trusted"
                and believed_validity(credentials.validity, credentials.timestamp)
                in {"valid", "valid-when-signed"}
            )
    if not isinstance(marks, NotChecked):
        available.append(any(reading.present for reading in marks))
    if not isinstance(ledger, NotChecked) and not system:
        made = [
            one.model or ("" if one.engine in MADE_ELSEWHERE else one.engine)
            for one in ledger.all
            if one.generated
        ]
        system = ", ".join(dict.fromkeys(filter(None, made)))
    return Disclosure(
        provenance_available=any(available) if available else None,
        system=system,
        signature_available=signed,
        signature_valid=valid,
    )
