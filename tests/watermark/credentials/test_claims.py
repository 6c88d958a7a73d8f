"""What is claimed about the source of the pixels, from actions and parents."""

from __future__ import annotations

import pytest

from vidigree.watermark.credentials.answers import ClaimedSource
from vidigree.watermark.credentials.claims import (
    claimed_source,
    read_actions,
    read_generator,
    read_soft_bindings,
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
        ([("c2pa.opened", "")], ["captured", "generated"], "composite-with-generated"),
        ([("c2pa.opened", "")], ["captured", "captured"], "unknown"),
        ([("c2pa.opened", ""), ("c2pa.published", "")], ["captured"], "captured"),
        ([("c2pa.opened", ""), ("c2pa.color_adjustments", "")], ["captured"], "edited"),
        ([("c2pa.placed", AI), ("c2pa.created", CAMERA)], [], "composite-with-generated"),
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


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("0a0b", "0a0b"),
        (b"\x0a\x0b", "0a0b"),
        ([0, 11, 255], "000bff"),
        (bytes(1000), "00" * 128),
        ([0] * 1000, "00" * 128),
        ([256], "[256]"),
        ([-1], "[-1]"),
        (["a"], "['a']"),
    ],
)
def test_a_soft_binding_is_read_in_every_form(value: object, read: str) -> None:
    data = {"alg": "mark", "blocks": [{"value": value}, "no block"]}
    (binding,) = read_soft_bindings({"c2pa.soft-binding.v2__1": data, "c2pa.soft-binding": 5})
    assert (binding.alg, binding.value) == ("mark", read)


@pytest.mark.parametrize(
    "label", ["c2pa.soft-bindings", "c2pa.soft-binding.w1", "c2pa.soft-binding.v", "x.soft-binding"]
)
def test_assertions_of_other_names_are_not_read(label: str) -> None:
    assert read_soft_bindings({label: {"alg": "mark", "blocks": [{"value": "0a"}]}}) == ()


def test_no_manifest_makes_a_reader_hold_more_than_a_bounded_number() -> None:
    blocks = [{"value": f"{number}"} for number in range(1000)]
    assert len(read_soft_bindings({"c2pa.soft-binding": {"blocks": blocks}})) == 100
    assert len(read_actions({"c2pa.actions": {"actions": [{}] * 1000}})) == 500


def test_what_a_long_list_of_actions_ends_with_is_claimed_as_well() -> None:
    """It was cut after 500 actions, before anybody had looked what the rest says."""
    recorded = [{"action": "c2pa.created", "digitalSourceType": f"http://x/{CAMERA}"}]
    rows = [*recorded, *[{"action": "c2pa.transcoded"}] * 600]
    edited = {"action": "c2pa.edited", "digitalSourceType": f"http://x/{COMPOSITE}"}
    for last, source in (
        ({"action": "c2pa.filtered"}, "edited"),
        (edited, "composite-with-generated"),
    ):
        actions = read_actions({"c2pa.actions": {"actions": [*rows, last, last]}})
        assert len(actions) == 501
        assert claimed_source(actions, []) == source
