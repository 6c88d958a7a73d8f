"""Mend what a check of the ledger found, as far as it can be vouched for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vidigree.media.errors import CredentialsError, VidigreeError
from vidigree.watermark.ledger.check import LedgerFinding, stamped_files
from vidigree.watermark.ledger.entry import LedgerEntry
from vidigree.watermark.ledger.store import Ledger

if TYPE_CHECKING:
    from vidigree.watermark.credentials import TrustSettings

__all__ = ["Mender"]


class Mender:
    """Does what was asked for about one finding after the other.

    Args:
        repair: Whether to confirm records, and to record files.
        forget: Whether to drop records whose file never came into place.
        signers: PEM files of signers whose clips count as issued here, beside our own.
        report: Called with a sentence about what cannot be done.

    Raises:
        CredentialsError: A file of ``signers`` cannot be read or holds no certificate.
    """

    def __init__(
        self,
        *,
        repair: bool,
        forget: bool,
        signers: Sequence[Path] = (),
        report: Callable[[str], None],
    ) -> None:
        self._repair, self._forget = repair, forget
        self._named = {f"The signer's file {path}": _read(path) for path in signers}
        self._report = report
        self._ours: TrustSettings | None = None
        self._seen: dict[Path, LedgerEntry | None] = {}  # looked at before their turn
        if self._named:
            self._own_signers()  # what is wrong with them is told before anything is changed

    def mend(self, ledger: Ledger, finding: LedgerFinding) -> str:
        """Mend a finding if that was asked for; return what was done, empty if nothing.

        Raises:
            LedgerError: The database failed.
        """
        number = finding.clip_id
        if self._repair and finding.kind == "unconfirmed" and number is not None:
            ledger.confirm(number)
            return "Confirmed."
        if self._forget and finding.kind == "abandoned" and number is not None:
            return "Forgotten." if ledger.forget(number) else ""
        if self._repair and finding.kind == "file-without-record":
            return self._record(ledger, Path(finding.path))
        return ""

    def finds_a_clip(self, paths: Sequence[Path]) -> bool:
        """Return whether there is a file to be recorded, of which a ledger can be made.

        Args:
            paths: Files, or folders to search for MP4 files.
        """
        if not self._repair:
            return False
        for path in stamped_files(paths):
            self._seen[path] = self._entry(path)
            if self._seen[path] is not None:
                return True
        return False

    def _record(self, ledger: Ledger, path: Path) -> str:
        entry = self._seen.pop(path) if path in self._seen else self._entry(path)
        if entry is None:
            return ""
        try:
            ledger.record(entry)
        except VidigreeError as error:
            self._report(str(error))
            return ""
        return "Recorded."

    def _entry(self, path: Path) -> LedgerEntry | None:
        """Return the entry of a file; ``None``, and why not, where nobody here vouches for it."""
        from vidigree.watermark.ledger.adoption import adopted_entry

        try:
            return adopted_entry(path, trust=self._own_signers())
        except VidigreeError as error:
            self._report(str(error))
            return None

    def _own_signers(self) -> TrustSettings:
        """Return whose clips count as ours; the signer of the settings is asked once."""
        from vidigree.watermark.config import Config
        from vidigree.watermark.credentials import open_signer
        from vidigree.watermark.ledger.adoption import own_signers

        if self._ours is None:
            named = dict(self._named)
            try:
                named["The signer of the settings"] = open_signer(Config.load().signer).chain
            except CredentialsError as error:
                self._report(f"The signer of the settings does not count here. {error.message}")
            self._ours = own_signers(named)
        return self._ours


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(
            f"The signer's file {path} cannot be read: {error.strerror or error}.",
            hint="Check its permissions.",
        ) from error
