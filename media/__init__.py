"""The ground floor: video as streams of frames, containers, and what every room shares."""

from vidigree.media.errors import (
    CredentialsError,
    EngineError,
    LedgerError,
    MediaError,
    MediaNotFoundError,
    NotAVideoError,
    OutputError,
    PolicyRefusalError,
    StampError,
    TruncatedMediaError,
    UnsupportedMediaError,
    UsageError,
    VidigreeError,
)
from vidigree.media.registry import Registry

__all__ = [
    "CredentialsError",
    "EngineError",
    "LedgerError",
    "MediaError",
    "MediaNotFoundError",
    "NotAVideoError",
    "OutputError",
    "PolicyRefusalError",
    "Registry",
    "StampError",
    "TruncatedMediaError",
    "UnsupportedMediaError",
    "UsageError",
    "VidigreeError",
]
