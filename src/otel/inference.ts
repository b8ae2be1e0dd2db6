import {
  type Attributes,
  type Context,
  INVALID_SPAN_CONTEXT,
  type Link,
  type Meter,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { EndDiagnostic, RetryDiagnostic } from '../turn/diagnostics.js';
import { type Instruments, instrumentsOf } from './instruments.js';
import { attribute, operation, own } from './names.js';
import { quietly } from './quietly.js';

/** How a turn is traced. */
export interface TraceOptions {
  /** For example `trace.getTracer('my-app')`. */
  readonly tracer: Tracer;
  /** For the metrics of the conventions, for example `metrics.getMeter('my-app')`. Default: no metrics. */
  readonly meter?: Meter | undefined;
  /**
   * Whether prompts, outputs, calls and tool definitions become attributes. Default `'none'`. Keys never do.
   */
  readonly content?: 'none' | 'all' | undefined;
}

/** The context that the spans of one `traced()` or `traceTurn()` share. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly instruments: Instruments | undefined;
  readonly hasContent: boolean;
}

export function telemetryOf({ tracer, meter, content = 'none' }: TraceOptions): Telemetry {
  if (typeof (tracer as Tracer | undefined)?.startSpan !== 'function')
    throw new TypeError("tracer must be a Tracer, such as trace.getTracer('my-app').");
  return { tracer, instruments: meter && instrumentsOf(meter), hasContent: content === 'all' };
}

export interface InferenceStart {
  /** What is known before the request is sent. */
  readonly identity: Attributes;
  readonly attributes: Attributes;
  /** The subscriber's context. */
  readonly parent: Context;
  /** The failed span that this one replaces. */
  readonly link: Link | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The span of one inference, over all its attempts. */
export interface Inference {
  readonly parent: Context;
  /** Spans started in it are children of this span. */
  readonly context: Context;
  readonly link: Link;
  set(attributes: Attributes): void;
  rename(model: string): void;
  /** Called when a request failed and another follows. */
  retry(attempt: number, retry: RetryDiagnostic, at: number): void;
  /** Called when the first content arrives. */
  content(at: number): void;
  /** Called when its turn has ended: `close()` ends the span at that time, unless the turn is requested again first. */
  end(end: EndDiagnostic, at: number): void;
  /** Called when a turn that asks again begins. */
  restart(at: number): void;
  close(): void;
}

export function startInference(
  { tracer, instruments }: Telemetry,
  { identity, attributes, parent, link, at }: InferenceStart,
): Inference {
  const requestModel = identity[attribute.requestModel];
  const named = (model: unknown) =>
    typeof model === 'string' ? `${operation.chat} ${model}` : operation.chat;
  const started = quietly(() =>
    tracer.startSpan(
      named(requestModel),
      {
        kind: SpanKind.CLIENT,
        attributes: { ...identity, ...attributes },
        startTime: new Date(at),
        ...(link && { links: [link] }),
      },
      parent,
    ),
  );
  const span: Span = started ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  const common: Attributes = { ...identity };
  let firstContent: number | undefined;
  let turns = 1;
  let ended: { readonly end: EndDiagnostic; readonly at: number } | undefined;

  const secondsUntil = (time: number) => (time - at) / 1000;

  function record({ outcome, usage, model }: EndDiagnostic, error: Attributes, until: number): void {
    const measured = { ...common, ...(model !== undefined && { [attribute.responseModel]: model }) };
    // If the caller unsubscribed, the duration says nothing about the provider.
    if (outcome !== 'unsubscribed') instruments?.duration(secondsUntil(until), { ...measured, ...error });
    if (firstContent !== undefined) instruments?.timeToFirstChunk(secondsUntil(firstContent), measured);
    instruments?.usage(usage, measured);
  }

  return {
    parent,
    context: trace.setSpan(parent, span),
    link: { context: span.spanContext() },
    set: (more) => void quietly(() => span.setAttributes(more)),
    rename(model) {
      common[attribute.requestModel] = model;
      quietly(() => span.updateName(named(model)).setAttribute(attribute.requestModel, model));
    },
    retry(attempt, { delay, error }, time) {
      const status = 'status' in error ? { [attribute.httpStatus]: error.status } : {};
      const event = {
        [own.attempt]: attempt,
        [own.delay]: delay / 1000,
        [attribute.errorType]: error.name,
        ...status,
      };
      quietly(() => span.addEvent(own.retry, event, new Date(time)));
    },
    content(time) {
      if (firstContent !== undefined) return;
      firstContent = time;
      quietly(() => span.setAttribute(attribute.responseTimeToFirstChunk, secondsUntil(time)));
    },
    end: (end, time) => void (ended = { end, at: time }),
    restart(time) {
      if (ended === undefined) return;
      const { end, at: failedAt } = ended;
      ended = undefined;
      const event = {
        [own.attempt]: turns,
        [own.delay]: (time - failedAt) / 1000,
        [attribute.errorType]: errorTypeOf(end),
      };
      turns += 1;
      quietly(() => span.addEvent(own.restart, event, new Date(failedAt)));
    },
    close() {
      if (ended === undefined) return;
      const { end, at: until } = ended;
      const error = end.outcome === 'error' ? { [attribute.errorType]: errorTypeOf(end) } : {};
      quietly(() => {
        span.setAttributes({ ...answerAttributes(end), ...error });
        if (end.outcome === 'error') span.setStatus({ code: SpanStatusCode.ERROR });
      });
      quietly(() => span.end(new Date(until)));
      quietly(() => record(end, error, until));
    },
  };
}

/** A stream that ended too early is not an error of its turn, but an operator after it may make it one. */
const errorTypeOf = ({ outcome, error }: EndDiagnostic): string =>
  error ?? (outcome === 'completed' ? 'IncompleteStreamError' : '_OTHER');

function answerAttributes({ outcome, finishReasons, responseId, model, usage }: EndDiagnostic): Attributes {
  return {
    [own.outcome]: outcome,
    // If a finish reason was expected and did not arrive, the conventions say `error`.
    [attribute.responseFinishReasons]:
      finishReasons.length === 0 ? ['error'] : finishReasons.map((reason) => reason ?? 'error'),
    ...(responseId !== undefined && { [attribute.responseId]: responseId }),
    ...(model !== undefined && { [attribute.responseModel]: model }),
    ...(usage && {
      [attribute.usageInputTokens]: usage.inputTokens,
      [attribute.usageOutputTokens]: usage.outputTokens,
      [attribute.usageCacheReadInputTokens]: usage.cachedInputTokens,
      [attribute.usageReasoningOutputTokens]: usage.reasoningOutputTokens,
    }),
  };
}
