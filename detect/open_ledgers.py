"""Ledgers that stay open between audits: opening one and reading its search codes takes time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from vidigree.media.errors import LedgerError

if TYPE_CHECKING:
    from vidigree.watermark.ledger import Ledger

__all__ = ["OpenLedgers"]


class OpenLedgers:
    """Opens each ledger once and hands it out again; a context manager, for one thread.

    A file that was replaced, say by a backup, is opened anew.
    """

    def __init__(self) -> None:
        self._open: dict[str | None, tuple[Ledger, tuple[int, int] | None]] = {}

    def __enter__(self) -> OpenLedgers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all ledgers."""
        for url in list(self._open):
            self._close(url)

    def get(self, url: str | None) -> Ledger | None:
        """Return a ledger; ``None`` if nothing was ever issued in this data folder.

        Args:
            url: Database URL; ``None`` means the ledger in the data folder, which is not made if
                it is not there.

        Raises:
            LedgerError: The ledger cannot be opened, or its file is not there.
        """
        from vidigree.watermark.ledger import Ledger
        from vidigree.watermark.ledger.connection import is_there, ledger_file, no_ledger

        file = ledger_file(url)
        if file is not None and not is_there(file):
            self._close(url)
            if url is None:
                return None
            # An empty ledger made in its place would answer, wrongly, that nobody issued the clip.
            raise no_ledger(str(file))
        now = _identity(file)
        if url in self._open and self._open[url][1] != now:
            self._close(url)
        if url not in self._open:
            self._open[url] = (Ledger.open(url, create=False), now)
        return self._open[url][0]

    def drop(self, url: str | None) -> None:
        """Close a ledger that failed, so that the next audit tries anew."""
        self._close(url)

    def _close(self, url: str | None) -> None:
        ledger, _ = self._open.pop(url, (None, None))
        if ledger is not None:
            with suppress(LedgerError):
                ledger.close()


def _identity(file: Path | None) -> tuple[int, int] | None:
    if file is None:
        return None
    status = file.stat()
    return status.st_dev, status.st_ino
