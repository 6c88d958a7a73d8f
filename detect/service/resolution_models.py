"""What the resolution API takes and gives: C2PA Soft Binding Resolution API 2.4, section 1.4.2."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "SCHEMA_NAMES",
    "Algorithm",
    "AlgorithmList",
    "Anchor",
    "AssetReference",
    "Bindings",
    "ManifestCreated",
    "ManifestReceipt",
    "Match",
    "Problem",
    "QueryResult",
    "Repository",
    "SoftBindingQuery",
    "VerifiedReceipt",
]

MAX_VALUE = 1 << 17
"""Longest soft binding value in characters; the largest fingerprint has about 52,000 in base64."""


class SoftBindingQuery(BaseModel):
    """A soft binding to look for."""

    alg: str = Field(min_length=1, max_length=256, description="Name of the algorithm.")
    value: str = Field(min_length=1, max_length=MAX_VALUE, description="Its value, in base64.")


class Match(BaseModel):
    """A manifest that matches."""

    manifestId: str = Field(description="Ask for it at /manifests/{manifestId}.")  # noqa: N815
    similarityScore: int | None = Field(  # noqa: N815
        default=None, ge=0, le=100, description="100 for a mark that was read."
    )


class QueryResult(BaseModel):
    """Manifests that match, best first."""

    matches: list[Match]


class AssetReference(BaseModel):
    """An asset to fetch and look at."""

    referenceUrl: str = Field(pattern="^https://.*", max_length=4096)  # noqa: N815
    assetLength: int = Field(ge=1, description="Its size in bytes; no more is fetched.")  # noqa: N815
    assetType: str | None = Field(default=None, max_length=128)  # noqa: N815
    region: list[dict[str, Any]] | None = Field(
        default=None, description="Not supported: the whole asset is looked at, or nothing."
    )


class Bindings(BaseModel):
    """A soft binding value for a manifest."""

    bindingValue: str = Field(min_length=1, max_length=MAX_VALUE)  # noqa: N815
    manifestId: str = Field(min_length=1, max_length=256)  # noqa: N815


class Algorithm(BaseModel):
    """One algorithm."""

    alg: str


class AlgorithmList(BaseModel):
    """Algorithms that can be asked for."""

    watermarks: list[Algorithm]
    fingerprints: list[Algorithm]


class Repository(BaseModel):
    """Where a manifest was ingested."""

    model_config = ConfigDict(extra="forbid")
    uri: str
    manifestId: str  # noqa: N815


class Anchor(BaseModel):
    """The proof of ingestion, and where it can be verified."""

    model_config = ConfigDict(extra="allow")
    uri: str
    parameters: dict[str, Any] | None = None
    proof: dict[str, Any]


class ManifestReceipt(BaseModel):
    """Says that a manifest was ingested; whoever doubts it asks the repository."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    context: dict[str, Any] | str = Field(alias="@context")
    type: Literal["org.c2pa.manifest-receipt"] = Field(alias="@type")
    repository: Repository
    anchor: Anchor


class VerifiedReceipt(ManifestReceipt):
    """A receipt with what came of verifying it."""

    verified: bool
    error: str | None = None


class ManifestCreated(BaseModel):
    """Where a manifest was kept."""

    manifestId: str  # noqa: N815
    receipt: ManifestReceipt | None = None


class _ProblemText(BaseModel):
    kind: str = Field(description="Stable name for programs.")
    message: str = Field(description="What could not be done, and why.")
    hint: str = Field(description="What to do next; may be empty.")


class Problem(BaseModel):
    """Why a request was refused; the specification leaves the body open."""

    error: _ProblemText


SCHEMA_NAMES = {
    "AlgorithmList": "c2pa.softBindingAlgList",
    "Bindings": "c2pa.bindings",
    "ManifestCreated": "c2pa.manifestCreateResult",
    "ManifestReceipt": "c2pa.manifestReceipt",
    "QueryResult": "c2pa.softBindingQueryResult",
    "SoftBindingQuery": "c2pa.softBindingQuery",
    "VerifiedReceipt": "c2pa.verifiedManifestReceipt",
}
"""The specification's names of these schemas."""
