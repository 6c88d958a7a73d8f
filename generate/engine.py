"""The contract of a generator engine, and the registry that engines stand in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, ClassVar, Protocol

from vidigree.generate.request import ClipRequest
from vidigree.media.progress import Progress, no_progress
from vidigree.media.registry import Registry
from vidigree.watermark.clip import Clip, Task

__all__ = ["Engine", "EngineInfo", "RequestWarning", "engine_registry"]


class RequestWarning(UserWarning):
    """Part of a request was not followed to the letter: unknown words, rounded sizes."""


@dataclass(frozen=True, kw_only=True)
class EngineInfo:
    """What an engine is.

    Attributes:
        name: Registered name, e.g. ``"render"``.
        family: Family of generators, e.g. ``"diffusion"`` or ``"gan"``.
        tasks: What it can do.
        licence: Licence note of its code and weights.
        description: One line.
        memory: What it needs, for people: ``"0.5 GB"``, ``"8-40 GB, GPU"``.
        needs_model: Whether a request must name a model.
        default_size: Width and height in pixels when the request leaves them open; ``None`` if the
            model decides.
        default_num_frames: Number of frames when the request leaves it open; ``None`` if the model
            decides.
        default_fps: Frames per second when the request leaves it open; ``None`` if the model
            decides.
    """

    name: str
    family: str
    tasks: tuple[Task, ...]
    licence: str
    description: str
    memory: str = ""
    needs_model: bool = False
    default_size: tuple[int, int] | None = None
    default_num_frames: int | None = None
    default_fps: Fraction | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        row = asdict(self)
        row["default_fps"] = None if self.default_fps is None else str(self.default_fps)
        return row


class Engine(Protocol):
    """A generator.

    Required: ``info``, :meth:`generate`. An engine is made without arguments and keeps no state
    from one request to the next that would change what comes out.
    """

    info: ClassVar[EngineInfo]

    def generate(self, request: ClipRequest, *, progress: Progress = no_progress) -> Clip:
        """Return the clip that ``request`` asks for; the same request gives the same frames.

        The frames may be a one-pass stream that does the work as it is read. Their number and
        size are those of the returned clip, and never differ from the request without a
        :class:`RequestWarning`.

        Args:
            request: What is asked.
            progress: Told as work goes on.

        Raises:
            EngineError: The engine cannot do this.
            UsageError: The request does not fit the engine.
        """
        ...


engine_registry: Registry[type[Engine]] = Registry("engine", "vidigree.engines")
_FAMILIES = "vidigree.generate.engines.families"
engine_registry.add("autoregressive", f"{_FAMILIES}:AutoregressiveEngine")
engine_registry.add("diffusers", "vidigree.generate.engines.diffusers:DiffusersEngine")
engine_registry.add("flow-gan", f"{_FAMILIES}:FlowGanEngine")
engine_registry.add("gan", f"{_FAMILIES}:GanEngine")
engine_registry.add("nano", "vidigree.generate.engines.nano:NanoEngine")
engine_registry.add("render", "vidigree.generate.engines.render:RenderEngine")
engine_registry.add("vae", f"{_FAMILIES}:VaeEngine")
