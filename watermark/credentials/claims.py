"""What a manifest claims: its actions, where the pixels are said to come from, its soft bindings.

Everything here is a claim by whoever signed. Every string is bounded; no shape is trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vidigree.watermark.credentials.answers import ClaimedSource
from vidigree.watermark.credentials.manifest import SoftBinding
from vidigree.watermark.credentials.untrusted_text import bounded_text

__all__ = [
    "GENERATED_TERMS",
    "ActionReading",
    "claimed_source",
    "read_actions",
    "read_generator",
    "read_soft_bindings",
    "source_of_term",
]

MAX_ACTIONS = 500
"""Actions of one manifest that are kept as they are."""

_MAX_BINDINGS = 100

_BY_SOURCE_TYPE: dict[str, ClaimedSource] = {
    "trainedAlgorithmicMedia": "generated",
    "trainedAlgorithmicData": "generated",
    "algorithmicMedia": "generated-by-algorithm",
    "dataDrivenMedia": "generated-by-algorithm",
    "virtualRecording": "generated-by-algorithm",
    "compositeWithTrainedAlgorithmicMedia": "composite-with-generated",
    "compositeSynthetic": "composite-with-generated",
    "digitalCapture": "captured",
    "computationalCapture": "captured",
    "negativeFilm": "captured",
    "positiveFilm": "captured",
    "print": "captured",
    "screenCapture": "captured",
    "compositeCapture": "captured",
    "digitisedFromNegativeOnFilm": "captured",
    "algorithmicallyEnhanced": "edited",
    "humanEdits": "edited",
    "composite": "edited",
    "digitalArt": "edited",
    "digitalCreation": "edited",
}
# C2PA 2.4 section 18.15: these leave the perceptible content as it was.
_NOT_EDITORIAL = frozenset(
    {
        "c2pa.opened",
        "c2pa.published",
        "c2pa.repackaged",
        "c2pa.transcoded",
        "c2pa.watermarked",
        "c2pa.watermarked.bound",
        "c2pa.watermarked.unbound",
        "c2pa.edited.metadata",
        "c2pa.redacted",
        "c2pa.resized.proportional",
    }
)
_GENERATED_FIRST: tuple[ClaimedSource, ...] = ("generated", "generated-by-algorithm")
GENERATED_TERMS = tuple(
    term
    for term, source in _BY_SOURCE_TYPE.items()
    if source in (*_GENERATED_FIRST, "composite-with-generated")
)
"""Last parts of the source types by which a manifest says that pixels were generated."""


@dataclass(frozen=True, kw_only=True)
class ActionReading:
    """One recorded action.

    Attributes:
        label: Action name, e.g. ``"c2pa.created"``.
        digital_source_type: Last part of the IPTC or C2PA term; empty for none.
        software_agent: Name of what did it.
        when: Time as written there, not checked.
        description: Free text.
    """

    label: str
    digital_source_type: str = ""
    software_agent: str = ""
    when: str = ""
    description: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the action as JSON values."""
        return {
            "label": self.label,
            "digital_source_type": self.digital_source_type,
            "software_agent": self.software_agent,
            "when": self.when,
            "description": self.description,
        }


def read_actions(assertions: Mapping[str, Any]) -> tuple[ActionReading, ...]:
    """Return the actions of all actions assertions, in order.

    Of those after the first :data:`MAX_ACTIONS` one of each meaning is kept: where the pixels come
    from must not be hidden behind a long list.
    """
    rows: list[ActionReading] = []
    meanings: set[tuple[object, ...]] = set()
    for data in _labelled(assertions, "c2pa.actions"):
        actions = data.get("actions")
        for row in actions if isinstance(actions, list) else []:
            if isinstance(row, dict):
                action = _action(row)
                if len(rows) < MAX_ACTIONS or _meaning(action) not in meanings:
                    rows.append(action)
                meanings.add(_meaning(action))
    return tuple(rows)


def _meaning(action: ActionReading) -> tuple[object, ...]:
    """Return all that :func:`claimed_source` goes by; there are a few dozen of them."""
    source = _BY_SOURCE_TYPE.get(action.digital_source_type)
    return source, action.label == "c2pa.created", action.label in _NOT_EDITORIAL


def read_soft_bindings(assertions: Mapping[str, Any]) -> tuple[SoftBinding, ...]:
    """Return every soft binding; values may be text, bytes or lists of integers there."""
    found: list[SoftBinding] = []
    for data in _labelled(assertions, "c2pa.soft-binding"):
        blocks = data.get("blocks")
        for block in blocks if isinstance(blocks, list) else []:
            if isinstance(block, dict) and len(found) < _MAX_BINDINGS:
                value = _binding_value(block.get("value"))
                found.append(SoftBinding(alg=bounded_text(data.get("alg")), value=value))
    return tuple(dict.fromkeys(found))


def read_generator(claim: Mapping[str, Any]) -> str:
    """Return the name and version of what made the claim."""
    info = claim.get("claim_generator_info")
    if isinstance(info, list):
        info = info[0] if info else None
    if isinstance(info, dict):
        return bounded_text(f"{info.get('name', '')} {info.get('version') or ''}")
    return bounded_text(claim.get("claim_generator"))


def source_of_term(term: str) -> ClaimedSource:
    """Return what the last part of an IPTC digital source type means."""
    return _BY_SOURCE_TYPE.get(term, "unknown")


def claimed_source(
    actions: Sequence[ActionReading], parents: Sequence[ClaimedSource]
) -> ClaimedSource:
    """Return where the pixels are said to come from.

    Args:
        actions: Actions of the manifest.
        parents: Claimed sources of its ``parentOf`` ingredients; they count where the manifest
            only opened its parent and left the picture as it was.
    """
    sources = [_BY_SOURCE_TYPE.get(action.digital_source_type) for action in actions]
    known = [source for source in sources if source is not None]
    for action, source in zip(actions, sources, strict=True):
        if action.label == "c2pa.created" and source in _GENERATED_FIRST:
            return source
    if any(source in (*_GENERATED_FIRST, "composite-with-generated") for source in known):
        return "composite-with-generated"
    edited = any(action.label not in {*_NOT_EDITORIAL, "c2pa.created"} for action in actions)
    if "captured" in known:
        return "edited" if edited else "captured"
    if len(parents) == 1 and not edited:  # more than one are against the specification
        return parents[0]
    if any(parent not in ("captured", "edited", "unknown") for parent in parents):
        return "composite-with-generated"
    return "edited" if edited or known else "unknown"


def _labelled(assertions: Mapping[str, Any], base: str) -> Iterator[dict[str, Any]]:
    """Yield the data of assertions called ``base``, ``base.v2``, ``base__1`` and so on."""
    for label, data in assertions.items():
        stem = label.split("__", 1)[0]
        version = stem.removeprefix(base)
        if isinstance(data, dict) and stem.startswith(base) and _is_version(version):
            yield data


def _is_version(suffix: str) -> bool:
    return suffix == "" or (suffix.startswith(".v") and suffix[2:].isdigit())


def _action(row: Mapping[str, Any]) -> ActionReading:
    agent = row.get("softwareAgent")
    if isinstance(agent, dict):
        agent = f"{agent.get('name', '')} {agent.get('version') or ''}"
    source_type = bounded_text(row.get("digitalSourceType"))
    return ActionReading(
        label=bounded_text(row.get("action")),
        digital_source_type=source_type.rsplit("/", 1)[-1],
        software_agent=bounded_text(agent),
        when=bounded_text(row.get("when")),
        description=bounded_text(row.get("description")),
    )


def _binding_value(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, int) and 0 <= item < 256 for item in value):
        return bytes(value[:128]).hex()
    if isinstance(value, bytes):
        return value[:128].hex()
    return bounded_text(value)
