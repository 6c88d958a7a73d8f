"""Families of diffusers pipelines, tiny, from a folder to a file that carries both layers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidigree.detect import AuditSettings, Finding, audit
from vidigree.generate import ClipRequest, generate
from vidigree.media import VideoWriter

image_module = pytest.importorskip("PIL.Image")
pytest.importorskip("diffusers")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

FAMILIES: dict[str, dict[str, Any]] = {
    "animatediff": {},
    "cogvideox": {"call.max_sequence_length": 16},
    "hunyuan": {
        "call.prompt_template": {"template": "{}", "crop_start": 0},
        "call.max_sequence_length": 16,
    },
    "kandinsky5": {"call.max_sequence_length": 16},
    "ltx": {},
    "mochi": {"call.max_sequence_length": 16},
    "svd": {},
    "wan-v2v": {},
    "wan-vace": {},
}


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_clip_of_every_family_is_stamped_and_audited(
    name: str, tiny_pipeline: Callable[[str], Path], home: Path, tmp_path: Path, drawn: Any
) -> None:
    picture, footage, out = (tmp_path / leaf for leaf in ("in.png", "in.mp4", "clip.mp4"))
    image_module.fromarray(drawn[0]).save(picture)
    with VideoWriter(footage, width=192, height=192, fps=Fraction(8)) as video:
        for frame in (*drawn, drawn[0]):
            video.write(frame)
    inputs = {"svd": {"image": picture}, "wan-v2v": {"video": footage}}
    request = ClipRequest(
        prompt="a red ball",
        engine="diffusers",
        model=str(tiny_pipeline(name)),
        options={"steps": 2, "device": "cpu"} | FAMILIES[name],
        **({"width": 192, "height": 192, "num_frames": 5} | inputs.get(name, {})),
    )
    generate(request, out)
    findings = {
        layer: audit(out, settings=AuditSettings(layers=(layer,))).finding
        for layer in ("credentials", "mark")
    }
    assert findings == {
        "credentials": Finding.DECLARED_SYNTHETIC,
        "mark": Finding.MARKED_SYNTHETIC,
    }
