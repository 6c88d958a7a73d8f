"""The seam to c2pa-python: its settings, stated once, and its exceptions, caught once.

Unknown settings are silently ignored by the library, and a name that changed would switch a check
off without a word; ``tests/watermark/credentials/test_sdk.py`` probes each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.trust import TrustSettings

if TYPE_CHECKING:
    from c2pa import Context

__all__ = ["media_type", "sdk_context", "sdk_errors"]

_MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".avif": "image/avif",
    ".heic": "image/heic",
}


def sdk_context(trust: TrustSettings) -> Context:
    """Return a library context: strict hashing, no network, these trust lists.

    Nothing is fetched: neither remote manifests nor OCSP answers. Video bytes in ``free`` and
    ``skip`` boxes are part of the hash of what is signed here; by the library's default they are
    not, and a picture can be swapped under a trusted signature (c2pa-rs issue 2511).
    """
    from c2pa import Context

    return Context.from_dict(
        {
            "version": 1,
            "trust": trust.sdk_settings(),
            "verify": {
                "verify_after_reading": True,
                "verify_after_sign": True,
                "verify_trust": True,
                "remote_manifest_fetch": False,
                "ocsp_fetch": False,
            },
            "builder": {
                "bmff_hash_exclude_free_and_skip_boxes": False,
                "created_assertion_labels": [
                    "c2pa.actions",
                    "c2pa.soft-binding",
                    "c2pa.ai-disclosure",
                ],
                # A picture of an input is not ours to publish.
                "thumbnail": {"enabled": False},
            },
        }
    )


@contextmanager
def sdk_errors(doing: str, hint: str) -> Iterator[None]:
    """Raise the library's exceptions again as ours.

    Args:
        doing: What could not be done, as the start of a sentence.
        hint: What to do next.

    Raises:
        CredentialsError: The library failed.
    """
    from c2pa import C2paError

    try:
        yield
    except C2paError as error:
        raise CredentialsError(f"{doing}: {error}.", hint=hint) from error


def media_type(path: Path) -> str | None:
    """Return the media type by the file's suffix; ``None`` if C2PA cannot live in such a file."""
    return _MEDIA_TYPES.get(path.suffix.lower())
