import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** The SDK with its exporters in memory. */
export function recordedSpans() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 2 ** 30,
  });
  const meterProvider = new MeterProvider({ readers: [reader] });
  return {
    provider,
    tracer: provider.getTracer('spec'),
    meter: meterProvider.getMeter('spec'),
    spans: () => exporter.getFinishedSpans(),
    /** The points of each metric, with their attributes. */
    metrics: async () => {
      await reader.forceFlush();
      const metrics = metricExporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap((scope) => scope.metrics);
      await meterProvider.shutdown();
      return new Map(
        metrics.map(({ descriptor, dataPoints }) => [descriptor.name, { descriptor, dataPoints }]),
      );
    },
  };
}

/** Within a spec file, contexts follow what runs asynchronously. */
export function withContexts(): void {
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });
  afterAll(() => context.disable());
}

/** Seconds of virtual time that a span lasted. */
export const secondsOf = ({ duration: [seconds, nanoseconds] }: ReadableSpan): number =>
  seconds + nanoseconds / 1e9;

/** The events of a span, with the seconds at which they came. */
export const eventsOf = ({ events, startTime }: ReadableSpan) =>
  events.map(({ name, attributes, time }) => ({
    name,
    attributes,
    at: time[0] - startTime[0] + (time[1] - startTime[1]) / 1e9,
  }));
