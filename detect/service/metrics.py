"""What Prometheus reads: counts, durations and the state of the queue; never a name or a URL."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

__all__ = ["METRICS_CONTENT_TYPE", "ServiceMetrics"]

METRICS_CONTENT_TYPE = CONTENT_TYPE_LATEST
_STATES = ("receiving", "queued", "running", "done", "failed")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class ServiceMetrics:
    """The measurements of one service process, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "vidigree_http_requests",
            "HTTP requests, by route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.request_seconds = Histogram(
            "vidigree_http_request_seconds",
            "Time to answer a request, waiting for the audit included.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.received_bytes = Counter(
            "vidigree_received_bytes",
            "Bytes of clips that were uploaded whole, to be audited.",
            registry=self._registry,
        )
        self.audits = Counter(
            "vidigree_audits",
            "Finished audits, by finding; 'error' for clips that could not be read, 'given-up' for"
            " jobs that nobody could finish.",
            ("finding",),
            registry=self._registry,
        )
        self.gaps = Counter(
            "vidigree_layers_not_checked",
            "Layers that could not look at a clip, by layer.",
            ("layer",),
            registry=self._registry,
        )
        self.audit_seconds = Histogram(
            "vidigree_audit_seconds",
            "Time an audit took, waiting not counted.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._refusals = Counter(
            "vidigree_refusals",
            "Requests that were not carried out, by kind.",
            ("kind",),
            registry=self._registry,
        )
        self._jobs = Gauge(
            "vidigree_jobs", "Jobs in the database, by state.", ("state",), registry=self._registry
        )

    def refuse(self, kind: str) -> None:
        """Count a request that was not carried out."""
        self._refusals.labels(kind).inc()

    def render(self, jobs: dict[str, int]) -> bytes:
        """Return everything in the Prometheus text format.

        Args:
            jobs: Number of jobs in each state.
        """
        for state in _STATES:
            self._jobs.labels(state).set(jobs.get(state, 0))
        return generate_latest(self._registry)
