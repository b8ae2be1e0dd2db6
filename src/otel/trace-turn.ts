import { defer, finalize, from, type Observable, type ObservableInput } from 'rxjs';
import type { TurnOptions } from '../options.js';
import { telemetryOf, type TraceOptions } from './inference.js';
import { type Scope, tracedOptions } from './traced-options.js';
import { activeContext } from './within.js';

/** Options of turns that belong to one subscription. */
export type Traced = <Options extends TurnOptions>(options: Options) => Options;

/**
 * Traces a turn together with what restarts it or stands in for it: `restartOnBreak()`, `fallbackWith()`,
 * `hedgeWith()`, `retry()`.
 *
 * The function gets a `traced` for the options of each turn and returns the whole. The turns of one `traced(options)`
 * that ask again after a failure are one span, each restart an event of it with the time it waited. Another provider's
 * turn is a span of its own, since a span names one provider, with a link to the one that failed. All have the same
 * parent: the span that is active where the result is subscribed to. A span that failed ends, as of then, when the
 * whole has ended. Each subscription begins anew.
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
 * @throws TypeError where there is no tracer
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
