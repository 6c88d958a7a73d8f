"""Audits on a Ray cluster: the same function, mapped over names on many machines.

Each CPU of the cluster holds one actor, and each actor one worker process with limits, as on a
single machine. Names travel, clips do not: a node fetches what it audits, so paths must be visible
to every node, or be URLs. The driver takes every answer exactly once: an actor or a node that dies
has its clip audited again elsewhere.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

from vidigree.detect.isolation import Answer, Job, WorkerLimits, WorkerPool
from vidigree.detect.worker import error_row
from vidigree.media.errors import UsageError, VidigreeError

__all__ = ["audit_cluster"]

_AHEAD = 2
"""Clips waiting per actor, so that none idles while the driver writes."""

_ATTEMPTS = 5
"""How often a clip is tried before the death of its process or node is held against it."""


def audit_cluster(
    names: Iterable[str],
    *,
    job: Job | None = None,
    address: str = "auto",
    limits: WorkerLimits | None = None,
) -> Iterator[Answer]:
    """Audit many clips on a Ray cluster; yield answers as they come.

    Args:
        names: Paths and URLs that every node can read, taken as they are needed.
        job: Settings of every audit; its name is replaced.
        address: ``"auto"`` for the running cluster that this machine belongs to, ``"local"`` to
            start one here, or ``ray://host:port``.
        limits: Limits on each worker process.

    Yields:
        One answer for every name: a verdict or an error.

    Raises:
        UsageError: Ray is not installed, or there is no such cluster.
    """
    ray, started = _connect(address)
    try:
        yield from _map(ray, iter(names), job or Job(name=""), limits or WorkerLimits())
    finally:
        if started:
            ray.shutdown()


def _connect(address: str) -> tuple[Any, bool]:
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "A cluster needs the package ray.",
            hint="Install it with: pip install 'vidigree[cluster]'",
        ) from error
    if ray.is_initialized():
        return ray, False
    _check_reachable(address)
    try:
        ray.init(
            address=None if address == "local" else address,
            include_dashboard=False if address == "local" else None,
            log_to_driver=False,
            logging_level="error",
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _no_cluster(address) from error
    return ray, True


def _check_reachable(address: str) -> None:
    """Refuse an address where nothing listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address) from error


def _no_cluster(address: str) -> UsageError:
    return UsageError(
        f"There is no Ray cluster at {address!r}.",
        hint="Start one with `ray start --head`, or give --cluster local.",
    )


class _Auditor:
    """The actor: one worker process with limits."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self._pool = WorkerPool(1, WorkerLimits(**limits))

    def ready(self) -> None:
        """Answer once the actor runs somewhere."""

    def audit(self, job: dict[str, Any]) -> dict[str, Any]:
        """Audit one clip."""
        return asdict(self._pool.audit(Job.from_dict(job)))


class _Fleet:
    """The actors: one for every CPU, and a new one for every one that dies.

    Ray could restart actors and retry by itself, but it retries against an actor that has no node
    to come back to until its retries are gone. Here a lost clip goes back into the queue, and an
    actor takes part when it says that it is ready.
    """

    def __init__(self, ray: Any, limits: WorkerLimits) -> None:
        self._ray = ray
        self._kind = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Auditor)
        self._limits = asdict(limits)
        self._starting: dict[Any, Any] = {}
        self._running: dict[Any, tuple[str, int, Any]] = {}
        self._alive: list[Any] = []
        self.free: list[Any] = []
        for _ in range(max(1, int(ray.cluster_resources().get("CPU", 1)))):
            self._start()

    @property
    def busy(self) -> bool:
        """Whether clips are being audited."""
        return bool(self._running)

    def give(self, job: Job, attempt: int) -> None:
        """Hand a clip to a free actor."""
        actor = self.free.pop()
        self._running[actor.audit.remote(job.to_dict())] = (job.name, attempt, actor)

    def wait(self) -> tuple[str, int, Answer | None] | None:
        """Wait for the next thing to happen.

        Returns:
            Name, attempt and answer of a clip; the answer is ``None`` if its actor was lost. Only
            ``None`` if an actor came or went.
        """
        (reference,), _ = self._ray.wait([*self._running, *self._starting])
        if reference in self._starting:
            actor = self._starting.pop(reference)
            try:
                self._ray.get(reference)
            except self._ray.exceptions.RayError:
                self._start()
                return None
            self._alive.append(actor)
            self.free.extend([actor] * _AHEAD)
            return None
        name, attempt, actor = self._running.pop(reference)
        try:
            answer = Answer(**self._ray.get(reference))
        except self._ray.exceptions.RayError:
            self._lost(actor)
            return name, attempt, None
        if actor in self._alive:
            self.free.append(actor)
        return name, attempt, answer

    def close(self) -> None:
        """End all actors."""
        for actor in (*self._alive, *self._starting.values()):
            self._ray.kill(actor)

    def _start(self) -> None:
        actor = self._kind.remote(self._limits)
        self._starting[actor.ready.remote()] = actor

    def _lost(self, actor: Any) -> None:
        if actor in self._alive:
            self._alive.remove(actor)
            self.free = [other for other in self.free if other != actor]
            self._start()


def _map(ray: Any, names: Iterator[str], job: Job, limits: WorkerLimits) -> Iterator[Answer]:
    fleet = _Fleet(ray, limits)
    again: list[tuple[str, int]] = []
    try:
        while True:
            while fleet.free:
                name, attempt = again.pop() if again else (next(names, None), 1)
                if name is None:
                    break
                fleet.give(replace(job, name=name), attempt)
            if not (fleet.busy or again) and fleet.free:
                return
            event = fleet.wait()
            if event is None:
                continue
            name, attempt, answer = event
            if answer is not None:
                yield answer
            elif attempt < _ATTEMPTS:
                again.append((name, attempt + 1))
            else:
                yield _given_up(replace(job, name=name))
    finally:
        fleet.close()


def _given_up(job: Job) -> Answer:
    error = VidigreeError(
        f"{job.name} could not be audited: what audited it was lost {_ATTEMPTS} times.",
        hint="Audit it alone, outside the cluster.",
    )
    return Answer(row=error_row(job.name, error, job.policy), exit_code=error.exit_code)
