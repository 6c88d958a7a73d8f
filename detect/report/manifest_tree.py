"""The manifest tree of a report: the file's credentials and those of what went into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vidigree.detect.credentials import believed_validity

__all__ = ["Node", "manifest_tree"]

_MAX_DEPTH = 16
_ANSWERS = ("integrity", "signer_trust", "validity")
_ANSWERS_RECOVERED = ("manifest_integrity", "content_binding")  # in the place of the integrity


@dataclass(frozen=True, kw_only=True)
class Node:
    """One manifest.

    Attributes:
        title: Name of the clip or ingredient, by its manifest.
        role: ``"file"``, ``"recovered"``, or the relationship of an ingredient.
        source: Claimed source.
        signer: Organization in the certificate; unverified unless trusted.
        generator: What made the claim.
        signed_at: Time in the time stamp, ISO 8601; empty without one.
        vouched: Whether the signer's name is more than what anybody may write.
        answers: Integrity, signer trust and validity; none for an ingredient without credentials.
            Of a recovered manifest on other bytes than were signed, integrity is two: that of the
            manifest, and that the content is other bytes.
        actions: Recorded actions in a few words each.
        failures: Failure status codes.
        children: Ingredients.
    """

    title: str
    role: str
    source: str
    signer: str
    generator: str
    signed_at: str
    vouched: bool
    answers: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]
    failures: tuple[str, ...]
    children: tuple[Node, ...]


def manifest_tree(row: dict[str, Any]) -> tuple[Node, ...]:
    """Return the trees of a verdict: of the credentials in the file, and of recovered ones.

    Args:
        row: The verdict in its JSON form.
    """
    trees = []
    credentials = row["readings"]["credentials"]
    if credentials.get("status") == "present":
        trees.append(_node(credentials, "file", 0))
    recovered = row["readings"]["ledger"].get("credentials")
    label = credentials.get("manifest_label")
    # Beside the file's own manifest the same one again would tell nothing.
    same = label and recovered and recovered.get("manifest_label") == label
    if recovered and recovered.get("status") == "present" and not same:
        trees.append(_node(recovered, "recovered", 0))
    return tuple(trees)


def _node(reading: dict[str, Any], role: str, depth: int) -> Node:
    ingredients = reading.get("ingredients", []) if depth < _MAX_DEPTH else []
    return Node(
        title=reading.get("title", ""),
        role=role,
        source=reading["claimed_source"],
        signer=(reading.get("signer") or {}).get("organization", ""),
        generator=reading.get("generator", ""),
        signed_at=reading.get("signed_at") or "",
        vouched=reading["signer_trust"] == "trusted",
        answers=_answers(reading) if reading.get("signed", True) else (),
        actions=tuple(_action(action) for action in reading.get("actions", [])),
        failures=tuple(reading.get("codes", {}).get("failure", [])),
        children=tuple(
            _node(part, part.get("relationship") or "ingredient", depth + 1) for part in ingredients
        ),
    )


def _answers(reading: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    # Trusting oneself is nobody's word but one's own.
    own = {"signer_trust": "own"} if reading.get("trusted_by") == "own" else {}
    if "relationship" not in reading:  # an ingredient's may rest on the stamp of its successor
        own["validity"] = believed_validity(reading["validity"], reading.get("timestamp", ""))
    names: tuple[str, ...] = _ANSWERS
    # A copy that lost its manifest has other bytes as a rule: that is no sign of tampering, and the
    # manifest may be whole; but neither does the hash vouch for such content.
    if reading.get("recovered") and reading["content_binding"] == "mismatch":
        names = (*_ANSWERS_RECOVERED, *_ANSWERS[1:])
    return tuple((name, own.get(name) or reading[name]) for name in names)


def _action(action: dict[str, str]) -> str:
    details = [action.get("digital_source_type", ""), action.get("software_agent", "")]
    note = ", ".join(filter(None, details))
    return f"{action['label']} ({note})" if note else action["label"]
