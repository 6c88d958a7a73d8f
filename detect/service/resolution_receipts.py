"""Receipts: what the repository says of a manifest that it ingested.

A receipt names the manifest, the SHA-256 of its store and the time. It carries no signature: it is
worth what the repository answers when it is asked to verify it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from vidigree.detect.service.refusals import RefusalError
from vidigree.detect.service.resolution_models import ManifestReceipt, VerifiedReceipt
from vidigree.watermark.ledger.repository import StoredManifestRow

__all__ = ["receipt_for", "verified_receipt"]

_CONTEXT = {"c2pa": "https://c2pa.org/ns/", "receipt": "https://c2pa.org/ns/manifest-receipt#"}


def receipt_for(kept: StoredManifestRow, base_url: str) -> ManifestReceipt:
    """Return the receipt of a manifest.

    Args:
        kept: The manifest.
        base_url: Where the API is reached, without a slash at the end.
    """
    return ManifestReceipt.model_validate(
        {
            "@context": _CONTEXT,
            "@type": "org.c2pa.manifest-receipt",
            "repository": {"uri": base_url, "manifestId": kept.manifest_id},
            "anchor": {
                "uri": f"{base_url}/manifests/{kept.manifest_id}/receipts",
                "proof": _proof(kept),
            },
        }
    )


def verified_receipt(receipt: ManifestReceipt, kept: StoredManifestRow) -> VerifiedReceipt:
    """Return a receipt with what came of comparing it with the manifest.

    Raises:
        RefusalError: It holds what cannot be sent back.
    """
    row = receipt.model_dump(by_alias=True, exclude_none=True)
    try:
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as problem:  # Python's reader of JSON takes NaN and halves of surrogate pairs
        raise RefusalError(400, "InvalidRequest", "The receipt is not JSON.") from problem
    error = None
    if receipt.repository.manifestId != kept.manifest_id:
        error = "The receipt is for another manifest."
    elif receipt.anchor.proof != _proof(kept):
        error = "The proof is not what this repository recorded."
    return VerifiedReceipt.model_validate({**row, "verified": error is None, "error": error})


def _proof(kept: StoredManifestRow) -> dict[str, Any]:
    return {
        "alg": "sha256",
        "value": hashlib.sha256(kept.store).hexdigest(),
        "ingestedAt": kept.created_at.isoformat(),
    }
