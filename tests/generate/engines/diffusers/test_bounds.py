"""What a configuration may ask for follows from what its weights hold."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate.engines.diffusers.bounds import (
    Held,
    check_folder,
    check_part,
    held_in_gguf,
    read_header,
)
from vidigree.media.errors import EngineError


def _weights(path: Path, *shapes: list[int]) -> None:
    tensors = {str(number): {"shape": shape} for number, shape in enumerate(shapes)}
    header = json.dumps({"__metadata__": {"a": "b"}, **tensors}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


@pytest.mark.parametrize(
    ("name", "held", "most"),
    [
        ("num_layers", Held(300, 1, 1), 300),
        ("num_layers", Held(3, 1, 1), 256),
        ("depth", Held(1000, 1, 1), 1000),
        ("hidden_size", Held(1, 5000, 1), 40_000),
        ("num_attention_heads", Held(1, 5, 1), 2**15),
        ("block_out_channels", Held(1, 5, 1), 2**15),
        ("vocab_size", Held(1, 1, 1), 2**22),
        ("max_window_layers", Held(1, 1, 2**23), 2**23),
        ("deepstack_layer_indexes", Held(1, 1, 1), 2**22),
    ],
)
def test_a_number_may_be_as_large_as_its_kind_allows(
    name: str, held: Held, most: int, tmp_path: Path
) -> None:
    def asking(value: Any) -> None:
        (tmp_path / "config.json").write_text(json.dumps({"inner": [{name: value}]}))
        check_part(tmp_path, held)

    asking(most)
    asking([[most], 1])
    asking({"another": 2**22})
    asking(float(most + 1))
    asking("x")
    for value in (most + 1, [1, [most + 1]]):
        with pytest.raises(EngineError, match=f"asks for {name} = {most + 1}, more"):
            asking(value)


def test_all_files_of_a_part_count_and_only_its_own(tmp_path: Path) -> None:
    part = tmp_path / "transformer"
    part.mkdir()
    (part / "config.json").write_text('{"num_layers": 300, "ffn_dim": 48000}')
    _weights(part / "a.safetensors", *[[1]] * 150)
    _weights(part / "b.safetensors", *[[6000, 1]] * 150)
    check_folder(tmp_path)
    (tmp_path / "other").mkdir()
    (part / "b.safetensors").rename(tmp_path / "other" / "b.safetensors")
    with pytest.raises(EngineError, match="asks for"):
        check_folder(tmp_path)
    for path in part.glob("*.safetensors"):
        path.write_bytes(b"damaged")
    check_folder(tmp_path)  # diffusers says so
    (part / "config.json").write_text("[" * 100_000)
    _weights(part / "a.safetensors", [])
    check_folder(tmp_path)


def test_weights_hold_no_more_than_fits_into_their_files(tmp_path: Path) -> None:
    part = tmp_path / "transformer"
    part.mkdir()
    _weights(part / "a.safetensors", [2**40, 2**10])
    for name, number in (("ffn_dim", 2**40), ("max_position_embeddings", 2**45)):
        (part / "config.json").write_text(json.dumps({name: number}))
        with pytest.raises(EngineError, match=f"asks for {name}"):
            check_folder(tmp_path)


def test_shapes_are_read_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    _weights(path, [2, 3], [], [4])
    assert read_header(path) == [(2, 3), (), (4,)]
    _weights(path, [2, 1.5])  # type: ignore[list-item]
    with pytest.raises(EngineError, match="not a safetensors file"):
        read_header(path)
    path.write_bytes(struct.pack("<Q", 2**40) + b"{}")
    with pytest.raises(EngineError, match="not a safetensors file"):
        read_header(path)


def test_a_gguf_file_holds_no_more_than_fits_into_it(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQ", 3, 2**60) + bytes(624))
    assert held_in_gguf(path) == Held(20, 640, 5120)
    path.write_bytes(b"GGUF" + struct.pack("<IQ", 3, 7) + bytes(624))
    assert held_in_gguf(path).tensors == 7
