"""The seam to c2pa-python: its settings, stated once, and its exceptions, caught once.

Unknown settings are silently ignored by the library, and a name that changed would switch a check
off without a word; ``tests/watermark/credentials/test_sdk.py`` probes each of them.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vidigree.media.container import is_iso_media, open_media
from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.trust import TrustSettings

if TYPE_CHECKING:
    from c2pa import Context

__all__ = ["ingredient_type", "sdk_context", "sdk_errors"]

_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
    b"\x1a\x45\xdf\xa3": "video/webm",
}
_ISO_IMAGES = frozenset({".heic", ".heif", ".avif"})


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


def ingredient_type(path: Path) -> str:
    """Return the media type of an input, by content where C2PA lives in it, else by its name.

    A kind that C2PA does not know (WebM, Matroska) becomes an ingredient without a manifest.

    Raises:
        MediaError: The file cannot be read.
    """
    with open_media(path) as stream:
        if is_iso_media(stream) and path.suffix.lower() not in _ISO_IMAGES:
            return "video/quicktime" if path.suffix.lower() == ".mov" else "video/mp4"
        head = stream.read(12)
    for start, kind in _SIGNATURES.items():
        if head.startswith(start) and (kind != "image/webp" or head[8:] == b"WEBP"):
            return kind
    if head[:4] == b"RIFF" and head[8:] == b"AVI ":
        return "video/x-msvideo"
    guessed, _ = mimetypes.guess_type(path.name)
    return guessed or "application/octet-stream"
