"""What is claimed about the source of the pixels, from actions and parents."""

from __future__ import annotations

import pytest

from vidigree.watermark.credentials.answers import ClaimedSource
from vidigree.watermark.credentials.claims import (
    claimed_source,
    read_actions,
    read_generator,
)

AI, CAMERA = "trainedAlgorithmicMedia", "digitalCapture"
COMPOSITE = "compositeWithTrainedAlgorithmicMedia"


@pytest.mark.parametrize(
    ("actions", "parents", "source"),
    [
        ([], [], "unknown"),
        ([("c2pa.created", AI)], [], "generated"),
        ([("c2pa.created", CAMERA)], [], "captured"),
        ([("c2pa.created", CAMERA), ("c2pa.edited", "")], [], "edited"),
        ([("c2pa.created", CAMERA), ("c2pa.edited", AI)], [], "composite-with-generated"),
        ([("c2pa.created", CAMERA), ("c2pa.edited", COMPOSITE)], [], "composite-with-generated"),
        ([("c2pa.opened", ""), ("c2pa.edited", AI)], ["captured"], "composite-with-generated"),
        ([("c2pa.opened", "")], ["captured"], "captured"),
        ([("c2pa.opened", "")], ["generated"], "generated"),
        ([("c2pa.opened", ""), ("c2pa.edited", "")], ["captured"], "edited"),
        ([("c2pa.opened", ""), ("c2pa.edited", "")], ["generated"], "composite-with-generated"),
        (
            [("c2pa.opened", ""), ("c2pa.edited", "")],
            ["unknown", "composite-with-generated"],
            "composite-with-generated",
        ),
    ],
)
def test_what_was_generated_is_never_called_less(
    actions: list[tuple[str, str]], parents: list[ClaimedSource], source: str
) -> None:
    rows = [
        {"action": action, "digitalSourceType": f"http://cv.iptc.org/newscodes/{kind}"}
        for action, kind in actions
    ]
    read = read_actions({"c2pa.actions.v2": {"actions": [*rows, "no action"]}, "c2pa.actions": 5})
    assert claimed_source(read, parents) == source


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ({"claim_generator_info": [{"name": "Camera", "version": "1.2"}]}, "Camera 1.2"),
        ({"claim_generator_info": {"name": "Camera"}}, "Camera"),
        ({"claim_generator_info": [], "claim_generator": "Older"}, "Older"),
    ],
)
def test_who_made_the_claim_is_named_in_old_forms_and_new(
    claim: dict[str, object], name: str
) -> None:
    assert read_generator(claim).strip() == name


def test_a_tool_is_named_by_text_or_by_its_parts() -> None:
    agents = ["Editor 1", {"name": "Editor", "version": "2"}]
    rows = [{"action": "c2pa.edited", "softwareAgent": agent} for agent in agents]
    read = read_actions({"c2pa.actions": {"actions": rows}})
    assert [action.software_agent for action in read] == ["Editor 1", "Editor 2"]
