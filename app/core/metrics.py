"""Every figure that /metrics shows, in one place. Built once per process, passed down, never at module level."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)


class Metrics:
    """Counters, histograms and gauges of one process. Labels are bounded: never a tenant, an id or a path."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "connector_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "connector_http_request_seconds",
            "From the first byte of a request to the last byte of its answer.",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.overdue_seconds = Gauge(
            "connector_operation_overdue_seconds",
            "How long the longest overdue operation has been waiting for its turn.",
            registry=self.registry,
        )
        self.attention_open = Gauge(
            "connector_attention_open", "Attention items that wait for a person.", registry=self.registry
        )

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)
