"""Ingredients, walked to the root, each validated by itself and today.

What the outer manifest says about its ingredients was frozen when it was signed, with the lists of
that day, by someone who may lie. So each ingredient's manifest is made the active one of a copy of
the store and validated like any other. Only the content of an ingredient cannot be checked any
more; there, a mismatch that the outer signer recorded is believed, and a match is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.answers import (
    ClaimedSource,
    StatusCodes,
    content_binding,
    manifest_integrity,
    overall_integrity,
    timestamp_trust,
    validity,
)
from vidigree.watermark.credentials.claims import (
    ActionReading,
    claimed_source,
    read_actions,
    read_generator,
    read_soft_bindings,
)
from vidigree.watermark.credentials.jumbf import activate
from vidigree.watermark.credentials.manifest import SoftBinding
from vidigree.watermark.credentials.readings import (
    INGREDIENT_MISSING,
    IngredientReading,
    SignerReading,
)
from vidigree.watermark.credentials.sdk import sdk_context
from vidigree.watermark.credentials.trust import OWN_SIGNERS, TrustList, TrustSettings
from vidigree.watermark.credentials.untrusted_text import bounded_text

__all__ = ["EMPTY_ASSET", "IngredientWalk", "manifest_answers"]

MAX_INGREDIENTS = 128
"""Most ingredients of one file that are looked at."""

MAX_INGREDIENT_DEPTH = 32
"""Longest chain of ingredients that is followed."""

MAX_INGREDIENT_ACTIONS = 1000
"""Most actions that are told of all ingredients of one file together. One manifest may be named as
an ingredient many times, and would be told as often."""

MAX_INGREDIENT_BINDINGS = 1000
"""Most soft bindings that are kept of all ingredients of one file together."""

MAX_VALIDATED_BYTES = 256 * 2**20
"""Most bytes of manifest stores validated for one file; each ingredient costs the whole store."""

_NOT_TRUSTED = frozenset({"signingCredential.untrusted", "signingCredential.invalid"})
_LIBRARY_LISTED = "timestamp cert trusted: "
_LIBRARY_LIST_ENTRY = "trust list: "
_LIBRARY_ANCHORS = "found in ["
_LIBRARY_SINGLE_SIGNER = "signing certificate trusted, found in [] trust anchors"


@dataclass(kw_only=True)
class IngredientWalk:
    """A walk over the manifests of one store.

    Attributes:
        manifests: Manifests of the crJSON document.
        store: The store's bytes; without them ingredients are listed and not validated.
        trust: Whom to believe.
        now: Time of reading.
        truncated: Set when a limit was hit, and something was not read.
        shortened: Set when something that was read is not told.
    """

    manifests: Sequence[Mapping[str, Any]]
    store: bytes | None
    trust: TrustSettings
    now: datetime
    truncated: bool = False
    shortened: bool = False
    _count: int = field(default=0, repr=False)
    _actions: int = field(default=0, repr=False)
    _bindings: int = field(default=0, repr=False)
    _validated: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def ingredients_of(
        self,
        manifest: Mapping[str, Any],
        results: Mapping[str, Any],
        above: tuple[str, ...] = (),
        existed_at: datetime | None = None,
    ) -> tuple[IngredientReading, ...]:
        """Return the ingredients of a manifest with all that stands behind them.

        Args:
            manifest: One manifest of the crJSON document.
            results: Validation results of that manifest.
            above: Labels of the manifests that led here; a loop ends the walk.
            existed_at: Time at which a time stamp further out shows the manifest to have existed.
        """
        stamped_at = _stamped_at(manifest, results)
        existed_at = min((time for time in (stamped_at, existed_at) if time), default=None)
        found = []
        above = (*above, str(manifest.get("label")))
        for label, data in _assertions(manifest).items():
            if label.startswith("c2pa.ingredient") and isinstance(data, dict):
                if self._count >= MAX_INGREDIENTS or len(above) > MAX_INGREDIENT_DEPTH:
                    self.truncated = True
                    break
                self._count += 1
                broken = _reference_failures(results, f"{above[-1]}/c2pa.assertions/{label}")
                found.append(self._ingredient(data, above, broken, existed_at))
        return tuple(found)

    def _ingredient(
        self,
        data: Mapping[str, Any],
        above: tuple[str, ...],
        broken: tuple[str, ...],
        existed_at: datetime | None,
    ) -> IngredientReading:
        facts: dict[str, Any] = {
            "relationship": bounded_text(data.get("relationship")),
            "format": bounded_text(data.get("dc:format")),
        }
        title = bounded_text(data.get("dc:title") or data.get("description"))
        label = _manifest_label(data)
        if label is None:
            return IngredientReading(**facts, title=title)
        manifest = next((row for row in self.manifests if row.get("label") == label), None)
        if manifest is None or label in above:
            codes = StatusCodes().with_failure(INGREDIENT_MISSING)
            return IngredientReading(**facts, title=title, signed=True, codes=codes)
        results = self._validate(label)
        codes = StatusCodes.from_library(results.get("activeManifest"))
        inner = self.ingredients_of(manifest, results, above, existed_at)
        answers = manifest_answers(
            manifest,
            results,
            codes,
            inner,
            trust=self.trust,
            now=self.now,
            existed_at=existed_at,
        )
        # The asset is not here, so its hash cannot match; the outer signer's record stands in.
        recorded = StatusCodes.from_library(
            _mapping(data.get("validationResults")).get("activeManifest")
        )
        answers["codes"] = _without_binding(codes, recorded).with_failure(*broken)
        answers["integrity"] = (
            "altered"
            if broken or content_binding(recorded) == "mismatch"
            else overall_integrity(manifest_integrity(codes), "match")
        )
        answers["title"] = title or answers["title"]
        answers |= self._within_limits(answers["actions"], answers["soft_bindings"])
        return IngredientReading(**facts, signed=True, **answers)

    def _within_limits(
        self, actions: Sequence[ActionReading], bindings: Sequence[SoftBinding]
    ) -> dict[str, Any]:
        """Return what may still be told of an ingredient; its claimed source is known by then."""
        told = tuple(actions[: MAX_INGREDIENT_ACTIONS - self._actions])
        kept = tuple(bindings[: MAX_INGREDIENT_BINDINGS - self._bindings])
        self._actions += len(told)
        self._bindings += len(kept)
        self.shortened |= len(told) < len(actions) or len(kept) < len(bindings)
        return {"actions": told, "soft_bindings": kept}

    def _validate(self, label: str) -> Mapping[str, Any]:
        """Validate one manifest of the store as if it were the active one, once."""
        if label not in self._validated:
            if len(self.store or b"") * (len(self._validated) + 1) > MAX_VALIDATED_BYTES:
                self.truncated = True
                return {}
            self._validated[label] = self._validate_afresh(label)
        return self._validated[label]

    def _validate_afresh(self, label: str) -> Mapping[str, Any]:
        from c2pa import C2paError, Reader

        if self.store is None:
            return {}
        try:
            store = activate(self.store, label)
            context = sdk_context(self.trust)
            with Reader("video/mp4", BytesIO(EMPTY_ASSET), store, context=context) as reader:
                return reader.get_validation_results() or {}
        except (C2paError, CredentialsError) as error:
            text = bounded_text(error)
            row = {"code": f"vidigree.manifest.unreadable: {text}"}
            return {"activeManifest": {"failure": [row]}}


EMPTY_ASSET = bytes.fromhex("00000014667479706d7034320000000069736f6d" + "000000086d6f6f76")
"""A valid, empty MP4 to which no manifest was ever bound."""


def manifest_answers(
    manifest: Mapping[str, Any],
    results: Mapping[str, Any],
    codes: StatusCodes,
    ingredients: tuple[IngredientReading, ...],
    *,
    trust: TrustSettings,
    now: datetime,
    existed_at: datetime | None = None,
) -> dict[str, Any]:
    """Return the fields that every manifest reading has, except ``integrity``."""
    signature = _mapping(manifest.get("signature"))
    stamp = _mapping(signature.get("timeStampInfo"))
    signer = _signer(signature)
    signed_at = _time(stamp.get("timestamp"))
    rows = _mapping(results.get("activeManifest"))
    found_in = _signer_list(rows, trust)
    assertions = _assertions(manifest)
    actions = read_actions(assertions)
    claim = _mapping(manifest.get("claim.v2") or manifest.get("claim"))
    # Only a parent whose manifest is whole can lend its claim.
    parents: list[ClaimedSource] = [
        row.claimed_source if row.integrity == "intact" else "unknown"
        for row in ingredients
        if row.relationship == "parentOf"
    ]
    source = claimed_source(actions, parents)
    listed = None if _NOT_TRUSTED.intersection(codes.failure) else found_in
    return {
        "signer_trust": _signer_trust(codes, listed=listed is not None),
        "trusted_by": None if listed is None else "own" if listed.role == "own" else "list",
        "trust_list": "" if listed is None else listed.name,
        "validity": validity(
            codes,
            not_before=signer.not_before if signer else None,
            not_after=signer.not_after if signer else None,
            stamped_at=_stamped_at(manifest, results) or existed_at,
            now=now,
        ),
        "timestamp": timestamp_trust(codes, listed=stamp_is_listed(rows, trust)),
        "claimed_source": source,
        "claim_of_parent": source != claimed_source(actions, ()),
        "signer": signer,
        "signed_at": signed_at,
        "generator": read_generator(claim),
        "title": bounded_text(claim.get("dc:title")),
        "actions": actions,
        "soft_bindings": read_soft_bindings(assertions),
        "ingredients": ingredients,
        "codes": codes,
    }


def _stamped_at(manifest: Mapping[str, Any], results: Mapping[str, Any]) -> datetime | None:
    """Return the time of a manifest's own time stamp, if its signature holds."""
    codes = StatusCodes.from_library(_mapping(results.get("activeManifest")))
    if "timeStamp.validated" not in codes.success:
        return None
    stamp = _mapping(_mapping(manifest.get("signature")).get("timeStampInfo"))
    return _time(stamp.get("timestamp"))


def _reference_failures(results: Mapping[str, Any], assertion: str) -> tuple[str, ...]:
    """Return what is wrong with the link from a manifest to one ingredient's manifest.

    The manifest that stands in the store under the right label may be another one than the outer
    manifest was signed with; only the hash in its ingredient assertion tells.
    """
    deltas = results.get("ingredientDeltas")
    found: list[str] = []
    for delta in deltas if isinstance(deltas, list) else []:
        if str(_mapping(delta).get("ingredientAssertionURI")).endswith(f"/{assertion}"):
            codes = StatusCodes.from_library(_mapping(delta.get("validationDeltas")))
            found += [code for code in codes.failure if code.startswith("ingredient.")]
    return tuple(found)


def _signer_trust(codes: StatusCodes, *, listed: bool) -> str:
    if listed:
        return "trusted"
    return "unlisted" if "claimSignature.validated" in codes.success else "unknown"


def _signer_list(rows: Mapping[str, Any], trust: TrustSettings) -> TrustList | None:
    """Return the list the signer was found in; time-stamp lists do not count."""
    for text in _explanations(rows, "signingCredential.trusted"):
        for group in trust.groups():
            if f"{_LIBRARY_ANCHORS}{group.uri}]" in text:
                return next((entry for entry in group.lists if entry.role != "tsa"), None)
        if trust.signers and text == _LIBRARY_SINGLE_SIGNER:
            return OWN_SIGNERS
    return None


def stamp_is_listed(rows: Mapping[str, Any], trust: TrustSettings) -> bool:
    """Return whether the time-stamping authority stands in a time-stamp list.

    The library's own "legacy" trust for claims of version 1 names no list, and does not count.
    """
    return any(
        text.startswith(_LIBRARY_LISTED) and text.endswith(f"{_LIBRARY_LIST_ENTRY}{group.uri}")
        for text in _explanations(rows, "timeStamp.trusted")
        for group in trust.groups()
        if "tsa" in group.roles
    )


def _explanations(rows: Mapping[str, Any], code: str) -> list[str]:
    found = rows.get("success")
    return [
        str(row.get("explanation", ""))
        for row in (found if isinstance(found, list) else [])
        if isinstance(row, dict) and row.get("code") == code
    ]


def _without_binding(codes: StatusCodes, recorded: StatusCodes) -> StatusCodes:
    """Replace today's impossible content check by what the outer signer recorded."""

    def is_binding(code: str) -> bool:
        return code.startswith("assertion.") and "Hash." in code

    return StatusCodes(
        success=codes.success,
        informational=codes.informational,
        failure=tuple(code for code in codes.failure if not is_binding(code)),
    ).with_failure(*(code for code in recorded.failure if is_binding(code)))


def _signer(signature: Mapping[str, Any]) -> SignerReading | None:
    certificate = _mapping(signature.get("certificateInfo"))
    if not certificate:
        return None
    subject = _mapping(certificate.get("subject"))
    issuer = _mapping(certificate.get("issuer"))
    span = _mapping(certificate.get("validity"))
    return SignerReading(
        organization=bounded_text(subject.get("O")),
        common_name=bounded_text(subject.get("CN")),
        issuer=bounded_text(issuer.get("O") or issuer.get("CN")),
        serial=bounded_text(certificate.get("serialNumber")),
        algorithm=bounded_text(signature.get("algorithm")),
        not_before=_time(span.get("notBefore")),
        not_after=_time(span.get("notAfter")),
    )


def _manifest_label(ingredient: Mapping[str, Any]) -> str | None:
    """Return the label of the ingredient's own manifest: ``c2pa_manifest`` (v1, v2) or v3's."""
    for key in ("activeManifest", "c2pa_manifest"):
        url = _mapping(ingredient.get(key)).get("url")
        if isinstance(url, str) and "/c2pa/" in url:
            return url.rsplit("/c2pa/", 1)[1].split("/", 1)[0]
    return None


def _assertions(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(manifest.get("assertions"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
