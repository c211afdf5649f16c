"""OpenTelemetry, behind the extra `otel` and a switch: FastAPI's own spans, sent over OTLP."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry.context import Context
from opentelemetry.trace import TracerProvider

from app.core.log import HIDDEN

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

SERVICE = "arcavis-bexio-connector"
_QUIET = ("/health/", "/metrics")


def provider(exporter: SpanExporter | None = None) -> TracerProvider:
    """Sends spans in batches, without `exporter` over OTLP to where `OTEL_EXPORTER_OTLP_ENDPOINT` points.

    Raises:
        RuntimeError: the extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import Span, SpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider as SdkProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise RuntimeError("Tracing is switched on, but the extra `otel` is not installed.") from error

    class HideQuery(SpanProcessor):
        """A query may hold a customer's name."""

        def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
            if span.attributes and "url.query" in span.attributes:
                span.set_attribute("url.query", HIDDEN)

    made = SdkProvider(resource=Resource.create({"service.name": SERVICE}))
    made.add_span_processor(HideQuery())
    made.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
    return made


def telemetry(tracer_provider: TracerProvider | None) -> TelemetryConfig:
    """FastAPI's configuration: request spans with a provider, nothing at all without.

    Its logs quote what was sent, and its metrics repeat ours: both stay off.
    """
    return {
        "tracing": tracer_provider is not None,
        "tracer_provider": tracer_provider,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
        "exclude": _is_quiet,
    }


def _is_quiet(scope: MutableMapping[str, Any]) -> bool:
    return str(scope.get("path", "")).startswith(_QUIET)
