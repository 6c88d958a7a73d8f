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

pytest.importorskip("diffusers")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

# Wan itself is among the ways out of test_every_way_out.py. Not here: tiny LTX-2 and Stable Video
# Diffusion, whose codecs halve the sides only once, so that attention takes minutes at a size that
# can carry the mark.
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
    "skyreels": {},
    "wan-v2v": {},
    "wan-vace": {},
}

# Its codec halves the sides only once too: at 192 pixels its attention takes most of a minute.
SMALLER = {"animatediff": 128}


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_clip_of_every_family_is_stamped_and_audited(
    name: str, tiny_pipeline: Callable[[str], Path], home: Path, tmp_path: Path, drawn: Any
) -> None:
    footage, out = tmp_path / "in.mp4", tmp_path / "clip.mp4"
    with VideoWriter(footage, width=192, height=192, fps=Fraction(8)) as video:
        for frame in (*drawn, drawn[0]):
            video.write(frame)
    inputs = {"wan-v2v": {"video": footage}}
    side = SMALLER.get(name, 192)
    request = ClipRequest(
        prompt="a red ball",
        engine="diffusers",
        model=str(tiny_pipeline(name)),
        options={"steps": 2, "device": "cpu"} | FAMILIES[name],
        **({"width": side, "height": side, "num_frames": 5} | inputs.get(name, {})),
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
