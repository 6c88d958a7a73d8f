"""The video pipelines that the installed diffusers knows, with what is known of their models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vidigree.generate.engines.diffusers.arguments import (
    FRAME_COUNTS,
    call_parameters,
    tasks_of,
)
from vidigree.generate.engines.diffusers.families import family_of, is_known
from vidigree.generate.engines.diffusers.loading import check_installed, quiet_libraries
from vidigree.watermark.clip import Task

__all__ = ["PipelineInfo", "installed_pipelines"]


@dataclass(frozen=True, kw_only=True)
class PipelineInfo:
    """One pipeline class.

    Attributes:
        name: Its name, as it stands in ``model_index.json``.
        tasks: What it can do.
        size: Width and height in pixels unless asked otherwise; ``None`` if the model decides.
        num_frames: Frames unless asked otherwise; ``None`` if the model decides.
        fps: Frames per second its models were made for.
        memory: Memory class of the usual weights, for people.
        licence: Licence note of the usual weights.
    """

    name: str
    tasks: tuple[Task, ...]
    size: tuple[int, int] | None
    num_frames: int | None
    fps: str
    memory: str
    licence: str

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        return asdict(self)


def installed_pipelines() -> list[PipelineInfo]:
    """Return every video pipeline class that the engine can run, sorted by name.

    Raises:
        EngineError: diffusers is not installed.
    """
    check_installed()
    with quiet_libraries():
        import diffusers

        names = [name for name in dir(diffusers) if name.endswith("Pipeline") and is_known(name)]
        classes = [getattr(diffusers, name) for name in sorted(names)]
    return [info for pipeline in classes if (info := _info(pipeline)) is not None]


def _info(pipeline: type) -> PipelineInfo | None:
    """Return the facts of a class, or ``None`` if it makes pictures and not clips."""
    takes = call_parameters(pipeline)
    tasks = tasks_of(pipeline)
    length = next((name for name in FRAME_COUNTS if name in takes), None)
    if not tasks or (length is None and "video-to-video" not in tasks):
        return None
    width, height, frames = (
        takes[name].default if name in takes else None for name in ("width", "height", length)
    )
    size = None
    if isinstance(width, int) and isinstance(height, int):
        size = (width, height)
    family = family_of(pipeline.__name__)
    return PipelineInfo(
        name=pipeline.__name__,
        tasks=tasks,
        size=size,
        num_frames=frames if isinstance(frames, int) else None,
        fps=str(family.fps),
        memory=family.memory,
        licence=family.licence,
    )
