import { defer, finalize, from, type Observable, type ObservableInput } from 'rxjs';
import type { TurnOptions } from '../options.js';
import { telemetryOf, type TraceOptions } from './inference.js';
import { type Scope, tracedOptions } from './traced-options.js';
import { activeContext } from './within.js';

/** Adds tracing to the options of turns, within one subscription. */
export type Traced = <Options extends TurnOptions>(options: Options) => Options;

/**
 * Traces a turn together with its restarts and fallbacks: `restartOnBreak()`, `fallbackWith()`, `hedgeWith()`,
 * `retry()`.
 *
 * The function gets a `traced` for the options of each turn and returns the combined Observable. Turns of one
 * `traced(options)` that are restarted after a failure share one span, with an event for each restart and its
 * wait. Another provider's turn is a separate span, since a span names one provider, with a link to the one
 * that failed. All have the same parent: the span that is active when the result is subscribed to. A failed
 * span is ended when everything has ended, with the time of the failure. Each subscription starts new spans.
 *
 * ```
 * a         --On--ce--#
 *                          --Once--(completed|)
 *           traceTurn({ tracer }, (traced) => streamChatCompletions('Hi', traced(a)).pipe(restartOnBreak()))
 * result    --On--ce--r------Once--(completed|)
 * span      [---------e------------------------]     e: restart event
 * ```
 *
 * @example
 * ```ts
 * traceTurn({ tracer }, (traced) =>
 *   streamChatCompletions('Hi', traced(openai)).pipe(
 *     restartOnBreak(),
 *     fallbackWith(streamChatCompletions('Hi', traced(mistral))),
 *   ),
 * ).subscribe(render);
 * ```
 *
 * @param project - called for each subscription
 * @throws TypeError if there is no tracer
 */
export function traceTurn<T>(
  config: TraceOptions,
  project: (traced: Traced) => ObservableInput<T>,
): Observable<T> {
  const telemetry = telemetryOf(config);
  return defer(() => {
    const scope: Scope = { parent: activeContext(), failed: [] };
    return from(project((options) => tracedOptions(options, telemetry, scope))).pipe(
      finalize(() => {
        for (const inference of scope.failed) inference.close();
      }),
    );
  });
}
