"""What a request will cost, told before the work begins."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from vidigree.generate.engine import Engine, RequestWarning, engine_registry
from vidigree.generate.engines.pictures import check_sources
from vidigree.generate.request import ClipRequest
from vidigree.media.arguments import check_kind, check_offers
from vidigree.media.errors import UsageError

__all__ = ["Estimate", "Estimator", "estimate"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a request is expected to need. ``None`` means not known.

    Attributes:
        width: Pixels.
        height: Pixels.
        num_frames: Frames.
        steps: Denoising steps or other units of work.
        memory: Bytes.
        seconds: Seconds on this machine.
        basis: Where the numbers come from.
    """

    width: int | None = None
    height: int | None = None
    num_frames: int | None = None
    steps: int | None = None
    memory: int | None = None
    seconds: float | None = None
    basis: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as JSON values."""
        return asdict(self)

    def summary(self) -> str:
        """Return the estimate as a few lines of text."""
        size = f"{self.width} x {self.height}" if self.width and self.height else "the model's"
        memory = "unknown" if self.memory is None else f"{self.memory / 2**20:.0f} MiB"
        seconds = "unknown" if self.seconds is None else f"{self.seconds:.1f} s"
        return "\n".join(
            [
                f"size    {size}",
                f"frames  {self.num_frames or 'the model decides'}",
                f"steps   {self.steps or 'unknown'}",
                f"memory  {memory}",
                f"time    {seconds}",
                f"basis   {self.basis or 'nothing known'}",
            ]
        )


@runtime_checkable
class Estimator(Protocol):
    """An engine that can tell what a request needs."""

    def estimate(self, request: ClipRequest) -> Estimate:
        """Return what ``request`` needs, without generating."""
        ...


def estimate(request: ClipRequest, *, engine: Engine | None = None) -> Estimate:
    """Return what ``request`` is expected to need; nothing is generated and nothing downloaded.

    Raises:
        UsageError: There is no such engine, or the request does not fit it.
        EngineError: The engine cannot do this.
        MediaNotFoundError: There is no such model folder.
        MediaError: The picture or clip to start from cannot be read.
    """
    check_kind(request, ClipRequest, "the request")
    if engine is not None:
        check_offers(engine, "generate", "the engine", hint="ClipRequest(engine=...) takes a name.")
    chosen = engine if engine is not None else engine_registry.get(request.engine)()
    if request.task not in chosen.info.tasks:
        raise UsageError(
            f"The {chosen.info.name} engine cannot do {request.task};"
            f" it does {', '.join(chosen.info.tasks)}.",
            hint="See 'vidigree engines' for one that does.",
        )
    check_sources(request)
    if isinstance(chosen, Estimator):
        with warnings.catch_warnings():
            # What is not followed to the letter is told when the clip is made.
            warnings.simplefilter("ignore", RequestWarning)
            return chosen.estimate(request)
    return Estimate(width=request.width, height=request.height, num_frames=request.num_frames)
