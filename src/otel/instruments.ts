import type { Attributes, Meter } from '@opentelemetry/api';
import type { TokenUsage } from '../turn/events.js';
import { attribute, durationBuckets, metric } from './names.js';
import { quietly } from './quietly.js';

/** The metrics of inferences. */
export interface Instruments {
  duration(seconds: number, attributes: Attributes): void;
  timeToFirstChunk(seconds: number, attributes: Attributes): void;
  usage(usage: TokenUsage | undefined, attributes: Attributes): void;
}

export function instrumentsOf(meter: Meter): Instruments | undefined {
  return quietly(() => {
    const histogram = (name: string, description: string) =>
      meter.createHistogram(name, {
        description,
        unit: 's',
        advice: { explicitBucketBoundaries: durationBuckets },
      });
    const counter = (name: string, description: string) =>
      meter.createCounter(name, { description, unit: '{token}' });
    const duration = histogram(metric.duration, 'GenAI client inference operation duration.');
    const timeToFirstChunk = histogram(metric.timeToFirstChunk, 'Time to receive the first chunk.');
    const input = counter(metric.inputTokens, 'The number of input tokens used, including cached tokens.');
    const output = counter(
      metric.outputTokens,
      'The number of output tokens used, including reasoning tokens.',
    );
    const cached = counter(metric.cacheReadInputTokens, 'The number of input tokens read from a cache.');
    const reasoning = counter(
      metric.reasoningOutputTokens,
      'The number of output tokens used for reasoning.',
    );
    return {
      duration: (seconds, attributes) => duration.record(seconds, attributes),
      timeToFirstChunk: (seconds, attributes) => timeToFirstChunk.record(seconds, attributes),
      usage(usage, given) {
        // Chat Completions does not break the usage down by modality, and unreported values count as 0.
        const attributes = { ...given, [attribute.tokenModality]: 'unknown' };
        input.add(usage?.inputTokens ?? 0, attributes);
        output.add(usage?.outputTokens ?? 0, attributes);
        if (usage === undefined) return;
        if (usage.cachedInputTokens > 0) cached.add(usage.cachedInputTokens, attributes);
        if (usage.reasoningOutputTokens > 0) reasoning.add(usage.reasoningOutputTokens, attributes);
      },
    };
  });
}
