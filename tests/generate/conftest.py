"""A stamp that works without the real mark, so that the generator is tested by itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.watermark import MarkKey, MarkReading, StampSettings, watermark_methods
from vidigree.watermark.credentials import init_identity
from vidigree.watermark.ledger import Ledger
from vidigree.watermark.method import SOFT_BINDING_ALGORITHM

Frames = Iterable[NDArray[np.uint8]]


class RememberedMark:
    """Leaves the pixels alone and remembers the message: only the stamp's steps are exercised."""

    name: ClassVar[str] = "remembered"
    message_bits: ClassVar[int] = 64
    soft_binding_algorithm: ClassVar[str] = SOFT_BINDING_ALGORITHM
    remembered: ClassVar[list[int]] = []

    def embed(
        self, frames: Frames, message: int, *, key: MarkKey, fps: Fraction
    ) -> Iterator[NDArray[np.uint8]]:
        self.remembered.append(message)
        yield from frames

    def detect(self, frames: Frames, *, keys: Sequence[MarkKey], fps: Fraction) -> MarkReading:
        for _ in frames:
            pass
        return MarkReading(
            method=self.name, present=True, p_value=1e-9, message=self.remembered[-1]
        )


@pytest.fixture
def stamp_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StampSettings:
    known = watermark_methods.get
    monkeypatch.setattr(
        watermark_methods,
        "get",
        lambda name: RememberedMark if name == "remembered" else known(name),
    )
    home = tmp_path / "home"
    identity = init_identity(home)
    ledger = Ledger.open(f"sqlite:///{home / 'ledger.sqlite3'}")
    return StampSettings(identity=identity, ledger=ledger, method="remembered")


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """An empty folder: whatever lies there afterwards was left by the generator."""
    path = tmp_path / "outputs"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def tiny_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Build, save and remember the folder of a tiny random pipeline."""
    pytest.importorskip("diffusers")
    import torch
    from fixtures.tiny_pipelines import BUILDERS

    folder = tmp_path_factory.mktemp("pipelines")

    def build(name: str) -> Path:
        target = folder / name
        if not target.exists():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.manual_seed(0)
                BUILDERS[name]().save_pretrained(target)
        return target

    return build
