import type { TurnOptions } from '../options.js';
import { telemetryOf, type TraceOptions } from './inference.js';
import { tracedOptions } from './traced-options.js';

/**
 * Traces turns with OpenTelemetry: options to options.
 *
 * Each subscription of a turn is one span, `chat {model}`, over all its attempts, waits and retries; each retry is an
 * event of it. Its parent is the span that is active where the turn is subscribed to, and the HTTP client's spans are
 * its children. It tells of the model and its parameters, the time to the first token, finish reasons, tokens (with
 * `includeUsage`) and the class of an error; of content nothing, unless `content` is `'all'`. Names are those of the
 * semantic conventions for generative AI v0.1.0, which still move.
 *
 * The caller's own `transport`, `diagnostics` and `admission` go on as they did. What a tracer or exporter throws never
 * touches the turn. Restarts and fallbacks subscribe to further turns, which are spans of their own; `traceTurn()`
 * holds them together.
 *
 * ```
 * request   --429
 *                 --(retry-after)--200
 * stream                              --Hel--lo--[DONE]
 * span      [-----e---------------------c--------------]     e: retry event, c: time to first token
 *             [--]                 [-------------------]     the HTTP client's spans
 * ```
 *
 * @example
 * ```ts
 * const options = traced({ model: 'gpt-4o-mini', provider, includeUsage: true }, { tracer: trace.getTracer('my-app') });
 * streamChatCompletions('Hi', options).pipe(textDeltas()).subscribe(render);
 * ```
 *
 * @param options - of `streamChatCompletions()` or `streamChatRequest()`
 * @returns options of the same kind
 * @throws TypeError where there is no tracer
 */
export function traced<Options extends TurnOptions>(options: Options, config: TraceOptions): Options {
  return tracedOptions(options, telemetryOf(config));
}
