"""The exception tree of the whole project.

::

    VidigreeError                       exit code 1
    +-- UsageError (ValueError)         2   the request cannot mean anything
    +-- MediaError                      3   the input cannot be read
    |   +-- MediaNotFoundError (FileNotFoundError)
    |   +-- NotAVideoError (ValueError)
    |   +-- TruncatedMediaError
    |   +-- UnsupportedMediaError
    +-- OutputError (OSError)           4   the output cannot be written
    +-- EngineError                     5   the generator failed
    +-- StampError                      6   a safety step could not be done; no clip was issued
    +-- CredentialsError                7   keys, certificates, signing, reading manifests
    +-- LedgerError                     8   the ledger cannot be opened, read or written
    +-- PolicyRefusalError              9   a policy refused the request

Every error carries what happened (``message``) and what to do next (``hint``). Third-party
exceptions are caught at the edge and raised again as one of these.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "CredentialsError",
    "EngineError",
    "LedgerError",
    "MediaError",
    "MediaNotFoundError",
    "NotAVideoError",
    "OutputError",
    "PolicyRefusalError",
    "StampError",
    "TruncatedMediaError",
    "UnsupportedMediaError",
    "UsageError",
    "VidigreeError",
]


class VidigreeError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        message: One sentence: what could not be done, and why.
        hint: One sentence: what a person should do next; empty if the message says it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(VidigreeError, ValueError):
    """The request is not one that can be carried out."""

    exit_code = 2


class MediaError(VidigreeError):
    """A media file cannot be read."""

    exit_code = 3


class MediaNotFoundError(MediaError, FileNotFoundError):
    """There is no such file."""


class NotAVideoError(MediaError, ValueError):
    """The file is not a video, or holds no frames."""


class TruncatedMediaError(MediaError):
    """The file ends before the video does, or is damaged."""


class UnsupportedMediaError(MediaError):
    """The file is a video of a kind or size that cannot be handled."""


class OutputError(VidigreeError, OSError):
    """The output cannot be written."""

    exit_code = 4


class EngineError(VidigreeError):
    """A generator engine failed or cannot do what was asked."""

    exit_code = 5


class StampError(VidigreeError):
    """A safety step of stamping could not be done, so no clip was issued."""

    exit_code = 6


class CredentialsError(VidigreeError):
    """Keys, certificates or content credentials cannot be made, used or read."""

    exit_code = 7


class LedgerError(VidigreeError):
    """The ledger cannot be opened, read or written."""

    exit_code = 8


class PolicyRefusalError(VidigreeError):
    """A policy refused the request."""

    exit_code = 9
