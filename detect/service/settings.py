"""Everything about a service that an operator may want to set, with safe defaults."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from vidigree.detect.settings import CHECKED_LAYERS
from vidigree.media.errors import UsageError
from vidigree.media.home import home_folder

__all__ = ["ServiceSettings"]

_COUNTS = (
    "workers",
    "max_queue",
    "max_per_address",
    "max_upload_bytes",
    "max_kept_bytes",
    "worker_memory_bytes",
    "max_attempts",
    "per_minute",
    "key_per_minute",
    "min_fetch_rate",
)
_TIMES = (
    "upload_seconds",
    "idle_seconds",
    "wait_seconds",
    "job_seconds",
    "max_clip_seconds",
    "result_seconds",
    "linger_seconds",
    "max_keep_seconds",
    "lease_seconds",
)


def _cores() -> int:
    return os.cpu_count() or 1


def _spool() -> Path:
    return home_folder() / "spool"


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """Settings of a service.

    Attributes:
        ledger: Database URL of the ledger, which also holds jobs and keys; ``None`` means the one
            in the data folder.
        spool: Folder for uploads that wait to be audited; each is deleted with its audit.
        workers: Audits at a time, each in a process of its own.
        max_queue: Most jobs that are received, wait or run at one time; beyond it the answer
            is 429. Look-ups by clip are counted apart, up to the same number.
        max_per_address: Most of these of one address without a key; ``None`` for a quarter of
            them. A key may have half of them, or as many as an address if that is more.
        max_upload_bytes: Largest upload, and largest file behind a URL.
        upload_seconds: Longest time for one upload, and for fetching one URL.
        min_fetch_rate: Fewest bytes a second from a URL, over each 30 s.
        idle_seconds: Longest time in which an upload brings no byte.
        wait_seconds: Longest time that a request is held open for its answer; a job that takes
            longer is answered with 202 and a place to ask again.
        job_seconds: Longest time for one audit.
        worker_memory_bytes: Largest address space of a worker process; libraries alone map about
            2 GiB.
        max_clip_seconds: Longest clip by its container; ``None`` for no limit.
        layers: Layers of evidence to look at.
        weights: The classifier's weights; ``None`` means those that come with the package.
        result_seconds: How long the answer of a finished job waits to be fetched.
        linger_seconds: How long an answer stays after it was fetched, for a client that lost the
            connection.
        max_keep_seconds: Longest time that a client may ask to keep an answer.
        max_kept_bytes: Bytes of answers in the database beyond which no caller may ask to keep one,
            and no other stays longer than ``linger_seconds``; half of that for one key, and for
            all callers without one.
        lease_seconds: A running job whose service gave no sign of life for so long is taken up
            by another one.
        max_attempts: How often a job is taken up before it is given up.
        host_names: By which the service may be asked, beside loopback addresses, in lower case;
            empty for all. An application does not know where it is served, so the command says it.
        require_key: Whether only holders of an API key are served.
        per_minute: Audits a minute for one address without a key.
        key_per_minute: Audits a minute for one key, where the key itself says nothing else.
        public_only: Whether URLs must lie on the public internet.
    """

    ledger: str | None = None
    spool: Path = field(default_factory=_spool)
    workers: int = field(default_factory=_cores)
    max_queue: int = 32
    max_per_address: int | None = None
    max_upload_bytes: int = 1 << 30
    upload_seconds: float = 300.0
    min_fetch_rate: int = 32 << 10
    idle_seconds: float = 20.0
    wait_seconds: float = 20.0
    job_seconds: float = 600.0
    worker_memory_bytes: int = 6 << 30
    max_clip_seconds: float | None = 3600.0
    layers: tuple[str, ...] = CHECKED_LAYERS
    weights: Path | None = None
    result_seconds: float = 3600.0
    linger_seconds: float = 60.0
    max_keep_seconds: float = 7 * 86400.0
    max_kept_bytes: int = 1 << 30
    lease_seconds: float = 30.0
    max_attempts: int = 3
    host_names: frozenset[str] = frozenset()
    require_key: bool = False
    per_minute: int = 20
    key_per_minute: int = 120
    public_only: bool = True

    def __post_init__(self) -> None:
        for name in _COUNTS:
            count = getattr(self, name)
            if count is not None and count < 1:
                raise UsageError(f"{name} must be at least 1, not {count}.")
        for name in _TIMES:
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:  # NaN fails as well
                raise UsageError(f"{name} must be a number of 0 or more, not {value}.")
        if self.lease_seconds < 1:
            raise UsageError(f"lease_seconds must be at least 1, not {self.lease_seconds}.")

    @property
    def most_for_address(self) -> int:
        """Most unfinished jobs of one address without a key."""
        return self.max_per_address or max(1, self.max_queue // 4)

    @property
    def most_for_key(self) -> int:
        """Most unfinished jobs of one key."""
        return max(self.most_for_address, self.max_queue // 2)
