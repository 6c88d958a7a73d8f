"""What the installed diffusers can run is listed with what a person has to know first."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("diffusers")

from vidigree.generate.engines.diffusers.catalogue import PipelineInfo, installed_pipelines

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


@pytest.fixture(scope="module")
def listed() -> dict[str, PipelineInfo]:
    return {info.name: info for info in installed_pipelines()}


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("WanPipeline", "text-to-video"),
        ("WanVACEPipeline", "video-to-video"),
        ("LTXPipeline", "text-to-video"),
        ("LTX2Pipeline", "text-to-video"),
        ("CogVideoXPipeline", "text-to-video"),
        ("HunyuanVideoPipeline", "text-to-video"),
        ("HunyuanVideoImageToVideoPipeline", "image-to-video"),
        ("MochiPipeline", "text-to-video"),
        ("AnimateDiffPipeline", "text-to-video"),
        ("StableVideoDiffusionPipeline", "image-to-video"),
        ("Kandinsky5T2VPipeline", "text-to-video"),
        ("Kandinsky5I2VPipeline", "image-to-video"),
        ("CosmosTextToWorldPipeline", "text-to-video"),
        ("AllegroPipeline", "text-to-video"),
    ],
)
def test_the_families_that_people_name_are_there(
    name: str, task: str, listed: dict[str, PipelineInfo]
) -> None:
    info = listed[name]
    assert task in info.tasks
    assert info.memory
    assert info.licence
    assert int(info.fps) > 0
    assert json.loads(json.dumps(info.to_dict()))["name"] == name


def test_sizes_and_lengths_are_the_pipelines_own(listed: dict[str, PipelineInfo]) -> None:
    assert (listed["WanPipeline"].size, listed["WanPipeline"].num_frames) == ((832, 480), 81)


def test_makers_of_pictures_are_not_listed(listed: dict[str, PipelineInfo]) -> None:
    assert not {"Kandinsky5T2IPipeline", "Cosmos2TextToImagePipeline"} & set(listed)
