// Spans by OpenTelemetry's SDK for JavaScript, as JSON and as protobuf; its address is the first argument.
import { SpanKind } from "@opentelemetry/api";
import { OTLPTraceExporter as AsJson } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as AsProtobuf } from "@opentelemetry/exporter-trace-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const address = process.argv[2];
const resource = resourceFromAttributes({ "service.name": "cart", "service.instance.id": "js" });
const exporters = [new AsJson({ url: `${address}/v1/traces` }), new AsProtobuf({ url: `${address}/v1/traces` })];
for (const exporter of exporters) {
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
  const tracer = provider.getTracer("test");
  for (let i = 0; i < 50; i++) {
    tracer.startSpan("GET /cart", { kind: SpanKind.SERVER, attributes: { "http.response.status_code": 200 } }).end();
    tracer.startSpan("inner").end();
  }
  await provider.forceFlush();
  await provider.shutdown();
}
const exporter = new OTLPMetricExporter({ url: `${address}/v1/metrics` });
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
const meters = new MeterProvider({ resource, readers: [reader] });
const counter = meters.getMeter("test").createCounter("requests");
for (let i = 0; i < 5; i++) {
  counter.add(7);
  await meters.forceFlush();
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
await meters.shutdown();
