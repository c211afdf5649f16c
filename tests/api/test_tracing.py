from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.api import tracing
from app.api.assembly import Options
from app.core.log import HIDDEN
from tests.api.tiny import Bench

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_a_request_is_a_span_of_the_callers_trace_without_its_query(bench: Bench) -> None:
    exporter = InMemorySpanExporter()
    provider = tracing.provider(exporter)
    assert isinstance(provider, TracerProvider)
    marks = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    async with bench.client(Options(tracer_provider=provider)) as client:
        await client.get("/things/sold?name=Muster", headers=marks)
        await client.get("/health/live", headers=marks)
    provider.force_flush()
    (span,) = exporter.get_finished_spans()
    provider.shutdown()
    assert span.name == "GET /things/sold"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    attributes = dict(span.attributes or {})
    assert attributes["url.query"] == HIDDEN
    assert attributes["http.response.status_code"] == 401
    assert "Muster" not in span.to_json()


async def test_without_a_provider_there_are_no_spans(bench: Bench) -> None:
    assert tracing.telemetry(None).get("tracing") is False
    async with bench.client() as client:
        assert (await client.get("/health/live")).status_code == 200
