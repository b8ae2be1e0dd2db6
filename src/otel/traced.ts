import type { TurnOptions } from '../options.js';
import { telemetryOf, type TraceOptions } from './inference.js';
import { tracedOptions } from './traced-options.js';

/**
 * Adds OpenTelemetry tracing to the options of turns.
 *
 * Each subscription of a turn is one span, `chat {model}`, with all its attempts and waits; each retry is an
 * event. Its parent is the span that is active when the turn is subscribed to, and the HTTP client's spans are
 * its children. It records the model and its parameters, the time to the first token, finish reasons, tokens
 * (with `includeUsage`) and the class of an error, and content only if `content` is `'all'`. The names follow
 * the semantic conventions for generative AI v0.1.0, which may still change.
 *
 * The options' own `transport`, `diagnostics` and `admission` still work. Errors of a tracer or exporter never
 * affect the turn. Restarts and fallbacks subscribe to more turns, which are separate spans; `traceTurn()`
 * groups them.
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
 * @throws TypeError if there is no tracer
 */
export function traced<Options extends TurnOptions>(options: Options, config: TraceOptions): Options {
  return tracedOptions(options, telemetryOf(config));
}
