"""Spans and metrics by OpenTelemetry's Python SDK; its address is the first argument."""

import sys

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

address = sys.argv[1]
resource = Resource.create({"service.name": "pay", "service.instance.id": "python"})

spans = TracerProvider(resource=resource)
spans.add_span_processor(
    BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{address}/v1/traces", compression=Compression.Gzip))
)
tracer = spans.get_tracer("test")
for i in range(100):
    with tracer.start_as_current_span("GET /charge", kind=trace.SpanKind.SERVER) as span:
        span.set_attribute("http.response.status_code", 500 if i % 10 == 0 else 200)
        with tracer.start_as_current_span("inner"):
            pass
        with tracer.start_as_current_span("SELECT", kind=trace.SpanKind.CLIENT) as query:
            query.set_attribute("db.system.name", "postgresql")
assert spans.force_flush()
spans.shutdown()

reader = PeriodicExportingMetricReader(
    OTLPMetricExporter(endpoint=f"{address}/v1/metrics"), export_interval_millis=3_600_000
)
meters = MeterProvider(resource=resource, metric_readers=[reader])
meter = meters.get_meter("test")
requests, latency = meter.create_counter("requests"), meter.create_histogram("latency")
queue = meter.create_gauge("queue")
for line in sys.stdin:
    requests.add(int(line))
    latency.record(0.25)
    queue.set(int(line))
    assert meters.force_flush()
    print("sent", flush=True)
meters.shutdown()
