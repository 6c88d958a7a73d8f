"""The traits of the C2PA conformance programme (0.2, for 2.4) that can be seen in a signed file.

One test per trait and kind of manifest. The traits are facts of the programme's public rubric; the
predicates are our own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import (
    Action,
    ManifestRequest,
    SigningIdentity,
    TrustSettings,
    sign_file,
)
from vidigree.watermark.credentials.sdk import sdk_context

NOT_EDITORIAL = {
    "c2pa.created",
    "c2pa.opened",
    "c2pa.placed",
    "c2pa.transcoded",
    "c2pa.watermarked.bound",
}
ALLOWED = {
    "c2pa.actions.v2",
    "c2pa.ai-disclosure",
    "c2pa.hash.bmff.v3",
    "c2pa.ingredient.v3",
    "c2pa.soft-binding",
}
STANDARD_PARAMETERS = {"ingredients", "description", "relatedAssertions"}
KINDS = ["text-to-video", "image-to-video", "video-to-video", "made-elsewhere"]

Manifest = dict[str, Any]


def _actions(manifest: Manifest) -> list[dict[str, Any]]:
    return list(manifest["assertions"]["c2pa.actions.v2"]["actions"])


def _ingredients(manifest: Manifest) -> list[dict[str, Any]]:
    return [row for label, row in manifest["assertions"].items() if "c2pa.ingredient" in label]


def _labels(manifest: Manifest) -> set[str]:
    return {label.split("__")[0] for label in manifest["assertions"]}


def _perceptible_actions_have_a_source(manifest: Manifest) -> bool:
    rows = [row for row in _actions(manifest) if row["action"] not in NOT_EDITORIAL]
    return all("digitalSourceType" in row for row in rows)


def _spec_version(manifest: Manifest) -> bool:
    info = manifest["claim.v2"]["claim_generator_info"]
    info = info[0] if isinstance(info, list) else info
    return bool(info["specVersion"].startswith("2.4"))


def _inception_first(manifest: Manifest) -> bool:
    created = [row["url"] for row in manifest["claim.v2"]["created_assertions"]]
    actions = [url for url in created if "c2pa.actions" in url]
    names = [row["action"] for row in _actions(manifest)]
    inceptions = [name for name in names if name in ("c2pa.created", "c2pa.opened")]
    return actions[0].endswith("c2pa.actions.v2") and inceptions == names[:1]


def _parameters(manifest: Manifest) -> bool:
    names = {name for row in _actions(manifest) for name in row.get("parameters", {})}
    return all(name in STANDARD_PARAMETERS or "." in name for name in names)


def _ingredient_results(manifest: Manifest) -> bool:
    return all(
        ("activeManifest" in row) == ("validationResults" in row) for row in _ingredients(manifest)
    )


def _opened_names_its_parent(manifest: Manifest) -> bool:
    opened = [row for row in _actions(manifest) if row["action"] == "c2pa.opened"]
    parents = [row for row in _ingredients(manifest) if row["relationship"] == "parentOf"]
    return len(opened) == len(parents) and all(
        len(row["parameters"]["ingredients"]) == 1 for row in opened
    )


TRAITS: dict[str, Callable[[Manifest], bool]] = {
    "perceptible actions have a digitalSourceType": _perceptible_actions_have_a_source,
    "specVersion is 2.4": _spec_version,
    "allActionsIncluded": lambda m: (
        m["assertions"]["c2pa.actions.v2"]["allActionsIncluded"] is True
    ),
    "opened has no digitalSourceType": lambda m: all(
        "digitalSourceType" not in row for row in _actions(m) if row["action"] == "c2pa.opened"
    ),
    "created has a digitalSourceType": lambda m: all(
        "digitalSourceType" in row for row in _actions(m) if row["action"] == "c2pa.created"
    ),
    "nothing failed but the listing": lambda m: (
        {row["code"] for row in m["validationResults"]["failure"]}
        <= {"signingCredential.untrusted"}
    ),
    "inception action is first and alone": _inception_first,
    "only allowed c2pa assertions": lambda m: (
        {label for label in _labels(m) if label.startswith("c2pa.")} <= ALLOWED
    ),
    "own assertions have a name space": lambda m: all("." in label for label in _labels(m)),
    "action parameters are standard": _parameters,
    "label is urn:c2pa": lambda m: m["label"].startswith("urn:c2pa:"),
    "ingredients carry results with their manifest only": _ingredient_results,
    "ingredients have a known relationship": lambda m: all(
        row["relationship"] in ("parentOf", "inputTo") for row in _ingredients(m)
    ),
    "no specVersion in the claim": lambda m: "specVersion" not in m["claim.v2"],
    "no ingredient has manifest and source type": lambda m: all(
        not ("activeManifest" in row and "digitalSourceType" in row) for row in _ingredients(m)
    ),
    "no url in the hash": lambda m: "url" not in m["assertions"]["c2pa.hash.bmff.v3"],
    "opened names its one parent": _opened_names_its_parent,
    "watermark action has its soft binding": lambda m: (
        "c2pa.soft-binding" in _labels(m) and _actions(m)[-1]["action"] == "c2pa.watermarked.bound"
    ),
    "what we assert is created, not gathered": lambda m: all(
        row["url"].rsplit("/", 1)[-1].startswith(("c2pa.ingredient", "cawg."))
        for row in m["claim.v2"]["gathered_assertions"]
    ),
}


def _request(kind: str, clip: Path, signed: Path, picture: Path) -> ManifestRequest:
    origin = Origin(task="text-to-video", engine="nano", model="a/b", synthetic=True, seed=1)
    request = ManifestRequest(
        origin=origin,
        clip_id=5,
        key_id="published-1",
        duration=2,  # type: ignore[arg-type]
        actions=(
            Action(label="c2pa.addedText", digital_source_type="algorithmicMedia"),
            Action(label="c2pa.transcoded"),
        ),
    )
    if kind == "image-to-video":
        return replace(request, origin=replace(origin, task="image-to-video", inputs=(picture,)))
    if kind == "video-to-video":
        return replace(request, origin=replace(origin, task="video-to-video", inputs=(signed,)))
    if kind == "made-elsewhere":
        return replace(request, origin=Origin(), parent=signed)
    return request


@pytest.fixture
def manifests(
    clip: Path, identity: SigningIdentity, tmp_path: Path
) -> Callable[[str], list[Manifest]]:
    """Return a maker of signed files that gives the manifests of one kind, active first."""
    from c2pa import Reader

    signed, picture = tmp_path / "signed.mp4", tmp_path / "picture.png"
    first = _request("text-to-video", clip, signed, picture)
    sign_file(clip, signed, request=first, identity=identity)
    cv2.imwrite(str(picture), np.full((32, 32, 3), 90, np.uint8))

    def make(kind: str) -> list[Manifest]:
        out = tmp_path / f"{kind}.mp4"
        request = _request(kind, clip, signed, picture)
        sign_file(clip, out, request=request, identity=identity, trust=TrustSettings.load())
        with Reader.try_create(out, context=sdk_context(TrustSettings.load())) as reader:
            return list(json.loads(reader.crjson())["manifests"])

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_every_trait_holds(kind: str, manifests: Callable[[str], list[Manifest]]) -> None:
    active = manifests(kind)[0]
    assert [name for name, holds in TRAITS.items() if not holds(active)] == []


@pytest.mark.parametrize(
    ("kind", "actions", "relationships", "number"),
    [
        ("text-to-video", ["c2pa.created"], ["inputTo"], 1),
        ("image-to-video", ["c2pa.created"], ["inputTo", "inputTo"], 1),
        ("video-to-video", ["c2pa.opened", "c2pa.edited"], ["inputTo", "parentOf"], 2),
        ("made-elsewhere", ["c2pa.opened"], ["parentOf"], 2),
    ],
)
def test_manifest_tells_how_the_clip_came_to_be(
    kind: str,
    actions: list[str],
    relationships: list[str],
    number: int,
    manifests: Callable[[str], list[Manifest]],
) -> None:
    found = manifests(kind)
    names = [row["action"] for row in _actions(found[0])]
    assert names == [*actions, "c2pa.addedText", "c2pa.transcoded", "c2pa.watermarked.bound"]
    assert sorted(row["relationship"] for row in _ingredients(found[0])) == relationships
    assert len(found) == number, "the history of a signed input is kept"


def test_image_is_named_by_the_action_and_its_picture_is_not_published(
    manifests: Callable[[str], list[Manifest]],
) -> None:
    active = manifests("image-to-video")[0]
    assert len(_actions(active)[0]["parameters"]["ingredients"]) == 1
    assert not any("thumbnail" in label for label in active["assertions"])
