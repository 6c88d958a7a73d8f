"""What we claim about a clip: the C2PA 2.4 manifest definition, built as plain JSON values.

Recipe (C2PA 2.4 sections 18.15 and 18.28, conformance 0.2): the first action is ``c2pa.created`` or
``c2pa.opened``, never both; actions are *created* assertions with ``allActionsIncluded``; what is
generated carries its IPTC digital source type; the pixel mark is ``c2pa.watermarked.bound`` with a
``c2pa.soft-binding`` assertion. Prompts go in as hashes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidigree import __version__
from vidigree.watermark.clip import Origin
from vidigree.watermark.method import SOFT_BINDING_ALGORITHM

__all__ = [
    "IPTC_EXTENSION",
    "IPTC_TERMS",
    "PARENT",
    "PROGRAM",
    "SOFT_BINDING_ALGORITHM",
    "Action",
    "Disclosure",
    "ManifestRequest",
    "SoftBinding",
    "digital_source_type",
    "input_files",
    "input_label",
    "manifest_definition",
    "mark_soft_binding",
    "marked_clip_id",
]

PARENT = "parent"
_CLIP_ID = re.compile(r"[0-9a-fA-F]{16}")
IPTC_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PROGRAM = "vidigree"
"""Software agent of what no engine did: the mark, and clips that were made elsewhere."""


@dataclass(frozen=True, kw_only=True)
class SoftBinding:
    """A content-derived or content-embedded identifier.

    Attributes:
        alg: Algorithm name from the C2PA soft binding list, or our own.
        value: Value in the algorithm's own notation.
    """

    alg: str
    value: str

    def to_dict(self) -> dict[str, str]:
        """Return the binding as JSON values."""
        return {"alg": self.alg, "value": self.value}


@dataclass(frozen=True, kw_only=True)
class Action:
    """A further action to record, in the words of C2PA 2.4 section 18.15.

    Attributes:
        label: Action name, e.g. ``"c2pa.addedText"``.
        description: One sentence, shown to people.
        digital_source_type: IPTC term without its prefix; empty for none.
        parameters: Further parameters, JSON values.
    """

    label: str
    description: str = ""
    digital_source_type: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """Latent disclosure fields of California SB 942 (Business and Professions Code 22757.3).

    Attributes:
        provider_name: Name of the covered provider; the deployer's own.
        detector_url: Permanent page of the provider's detection tool; empty for none.
    """

    provider_name: str
    detector_url: str = ""


@dataclass(frozen=True, kw_only=True)
class ManifestRequest:
    """Everything that goes into one manifest.

    Attributes:
        origin: What made the clip.
        clip_id: 64-bit id that the pixel mark carries.
        key_id: Mark key that it was made with.
        duration: Length of the clip in seconds.
        created_at: Time of creation, UTC; ``None`` means now.
        title: Name of the clip; empty for none.
        parent: The file this clip was derived from, kept with its own manifest. ``None`` means
            the first input of a video-to-video run, and no parent for other tasks.
        actions: Further actions, recorded between the first one and the watermark.
        disclosure: SB 942 fields; ``None`` leaves them out.
        metadata: IPTC extension fields by property name, recorded as ``cawg.metadata``; what stands
            in the file's XMP, under the signature.
        mark: Soft binding of the pixel mark; ``None`` means our robust mark's.
    """

    origin: Origin
    clip_id: int
    key_id: str
    duration: Fraction
    created_at: datetime | None = None
    title: str = ""
    parent: Path | None = None
    actions: tuple[Action, ...] = ()
    disclosure: Disclosure | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    mark: SoftBinding | None = None

    @property
    def parent_file(self) -> Path | None:
        """The file this clip was derived from, named or implied by the task."""
        if self.parent is None and self.origin.task == "video-to-video" and self.origin.inputs:
            return self.origin.inputs[0]
        return self.parent

    @property
    def created_clip(self) -> bool:
        """Whether the manifest begins with ``c2pa.created`` (else with ``c2pa.opened``)."""
        return self.parent_file is None


def mark_soft_binding(
    clip_id: int, key_id: str, *, alg: str = SOFT_BINDING_ALGORITHM
) -> SoftBinding:
    """Return the soft binding of a mark: ``<key id>:<clip id as 16 hex digits>``."""
    return SoftBinding(alg=alg, value=f"{key_id}:{clip_id:016x}")


def marked_clip_id(value: str) -> int | None:
    """Return the clip id in a value of the robust mark's soft binding; ``None`` if it is none."""
    # int() would take signs, underscores and "0x" as well: other values, or none at all.
    digits = value.rpartition(":")[2]
    return int(digits, 16) if _CLIP_ID.fullmatch(digits) else None


def manifest_definition(request: ManifestRequest) -> dict[str, Any]:
    """Return the manifest definition that the library signs, without file ingredients."""
    created_at = (request.created_at or datetime.now(UTC)).astimezone(UTC)
    definition: dict[str, Any] = {
        "claim_generator_info": [
            {"name": PROGRAM, "version": __version__, "specVersion": "2.4.0"},
        ],
        "format": "video/mp4",
        "assertions": [
            _actions(request, created_at),
            _soft_binding(request),
            *_ai_disclosure(request.origin),
            *_disclosure(request, created_at),
            *_metadata(request.metadata),
        ],
        "ingredients": _model_ingredients(request.origin),
    }
    if request.title:
        definition["title"] = request.title
    return definition


def digital_source_type(origin: Origin, *, derived: bool) -> str:
    """Return the IPTC term for how the pixels came to be; empty when nothing is claimed.

    Args:
        origin: What made the clip.
        derived: Whether it was made from a parent video.
    """
    if not origin.synthetic:
        return ""
    if derived:
        return (
            "compositeWithTrainedAlgorithmicMedia"
            if origin.trained_model
            else "algorithmicallyEnhanced"
        )
    return "trainedAlgorithmicMedia" if origin.trained_model else "algorithmicMedia"


def input_label(index: int) -> str:
    """Return the label by which an action names the input ingredient with this index."""
    return f"input-{index}"


def _actions(request: ManifestRequest, created_at: datetime) -> dict[str, Any]:
    origin = request.origin
    agent = _software_agent(origin)
    source_type = digital_source_type(origin, derived=not request.created_clip)
    references = [input_label(index) for index in range(len(input_files(request)))]
    when = created_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    if request.created_clip:
        first: dict[str, Any] = {
            "action": "c2pa.created",
            "softwareAgent": agent,
            "when": when,
            # 18.15.2 makes it mandatory here; "nothing is known" has a term of its own kind.
            "digitalSourceType": f"{IPTC_TERMS}{source_type}" if source_type else _UNKNOWN_SOURCE,
        }
        if references:
            first["parameters"] = {"ingredientIds": references}
        actions = [first]
    else:
        actions = [{"action": "c2pa.opened", "parameters": {"ingredientIds": [PARENT]}}]
        if source_type:
            edit: dict[str, Any] = {
                "action": "c2pa.edited",
                "softwareAgent": agent,
                "when": when,
                "digitalSourceType": f"{IPTC_TERMS}{source_type}",
            }
            if references:
                edit["parameters"] = {"ingredientIds": references}
            actions.append(edit)
    actions += [_further(action) for action in request.actions]
    binding = _binding(request)
    actions.append(
        {
            "action": "c2pa.watermarked.bound",
            "softwareAgent": {"name": PROGRAM, "version": __version__},
            "description": f"Robust watermark {binding.alg} in the pixels of every frame.",
        }
    )
    return {
        "label": "c2pa.actions.v2",
        "created": True,
        "data": {"actions": actions, "allActionsIncluded": True},
    }


# C2PA 2.4 section 18.15.2: for media whose origin its maker does not know.
_UNKNOWN_SOURCE = "http://c2pa.org/digitalsourcetype/empty"


def input_files(request: ManifestRequest) -> tuple[Path, ...]:
    """Return the files that went in besides the parent, in order."""
    return tuple(path for path in request.origin.inputs if path != request.parent_file)


def _further(action: Action) -> dict[str, Any]:
    row: dict[str, Any] = {"action": action.label}
    if action.description:
        row["description"] = action.description
    if action.digital_source_type:
        row["digitalSourceType"] = f"{IPTC_TERMS}{action.digital_source_type}"
    if action.parameters:
        row["parameters"] = dict(action.parameters)
    return row


def _software_agent(origin: Origin) -> dict[str, str]:
    if origin.engine == "external":
        return {"name": PROGRAM, "version": __version__}
    agent = {"name": origin.model or origin.engine}
    if origin.engine_version:
        agent["version"] = origin.engine_version
    return agent


def _binding(request: ManifestRequest) -> SoftBinding:
    return request.mark or mark_soft_binding(request.clip_id, request.key_id)


def _soft_binding(request: ManifestRequest) -> dict[str, Any]:
    binding = _binding(request)
    # Milliseconds, as in real files; the specification only asks for integers or text.
    end = max(1, round(request.duration * 1000))
    return {
        "label": "c2pa.soft-binding",
        "created": True,
        "data": {
            "alg": binding.alg,
            "name": "vidigree robust video watermark",
            "blocks": [{"scope": {"timespan": {"start": 0, "end": end}}, "value": binding.value}],
        },
    }


def _ai_disclosure(origin: Origin) -> list[dict[str, Any]]:
    if not (origin.synthetic and origin.trained_model):
        return []
    data: dict[str, Any] = {
        "modelType": "c2pa.types.model",
        "modelName": origin.model or origin.engine,
        "contentProfile": {
            "humanOversightLevel": "prompt_guided" if origin.prompt_sha256 else "fully_autonomous"
        },
    }
    if origin.model.count("/") == 1 and not origin.model.startswith(("/", ".")):
        data["modelIdentifier"] = f"pkg:huggingface/{origin.model}"
    return [{"label": "c2pa.ai-disclosure", "created": True, "data": data}]


def _disclosure(request: ManifestRequest, created_at: datetime) -> list[dict[str, Any]]:
    origin = request.origin
    data: dict[str, Any] = {
        "system_name": origin.engine if origin.engine != "external" else PROGRAM,
        "system_version": origin.engine_version or __version__,
        "created_at": created_at.isoformat(timespec="seconds"),
        "unique_id": f"{request.key_id}:{request.clip_id:016x}",
        "task": origin.task,
    }
    if origin.prompt_sha256:
        data["prompt_sha256"] = origin.prompt_sha256
    if origin.seed is not None:
        data["seed"] = origin.seed
    if origin.parameters:
        data["parameters"] = dict(origin.parameters)
    if request.disclosure is not None:
        data["provider_name"] = request.disclosure.provider_name
        if request.disclosure.detector_url:
            data["detector_url"] = request.disclosure.detector_url
    return [{"label": "org.vidigree.disclosure", "created": True, "data": data}]


def _metadata(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the IPTC fields as CAWG metadata 1.1 wants them: JSON-LD with its context."""
    if not fields:
        return []
    prefix = "Iptc4xmpExt"
    rows = {f"{prefix}:{name}": value for name, value in fields.items()}
    data = {"@context": {prefix: IPTC_EXTENSION}, **rows}
    return [{"label": "cawg.metadata", "kind": "Json", "created": True, "data": data}]


def _model_ingredients(origin: Origin) -> list[dict[str, Any]]:
    if not (origin.synthetic and origin.trained_model and origin.model):
        return []
    return [
        {
            "title": origin.model,
            "relationship": "inputTo",
            "data_types": [{"type": "c2pa.types.model"}],
        }
    ]
