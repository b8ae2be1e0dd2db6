import {
  concat,
  defer,
  EMPTY,
  from,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  of,
  takeUntil,
  tap,
} from 'rxjs';
import type { CompletedEvent, ResponseEvent } from '../turn/events.js';
import type { RunEvent } from '../turn/run-events.js';

/** The end of a stopped turn. */
export const stoppedEvent: CompletedEvent = /* @__PURE__ */ Object.freeze({
  type: 'completed',
  responseId: '',
  finishReason: null,
  usage: null,
  stopped: true,
});

/**
 * Stops a turn when a notifier emits, and keeps what has arrived: aborts the request, then emits a
 * `completed` marked as `stopped`, so that operators that wait for the end of the turn get one.
 *
 * Around a run, it unsubscribes from the tools too, and `runItems()` of what there is holds an output for each call.
 *
 * A turn that is already complete gets no second `completed`: a stop between two turns of one source only
 * completes the source. A notifier that completes without a value stops nothing.
 *
 * ```
 * source   --Hel--lo--wo
 * stop     -----------x
 *          stopWhen(stop)
 * result   --Hel--lo--(S|)      S: { type: 'completed', finishReason: null, stopped: true, ... }
 * ```
 *
 * @example
 * ```ts
 * turn
 *   .pipe(stopWhen(fromEvent(button, 'click')), outputItems())
 *   .subscribe((item) => conversation.push(item));
 * ```
 *
 * @param notifier - its first value stops the turn; an error of it passes through
 */
export function stopWhen<E extends RunEvent = ResponseEvent>(
  notifier: ObservableInput<unknown>,
): MonoTypeOperatorFunction<E> {
  return (source) =>
    defer(() => {
      let isOver = false;
      let isStopped = false;
      const stop = from(notifier).pipe(tap(() => (isStopped = true)));
      return concat(
        source.pipe(
          tap(({ type }) => (isOver = type === 'completed' || type === 'run_completed')),
          takeUntil(stop),
        ),
        // By now the source is unsubscribed, whatever the consumer of this event does.
        defer(() => (isStopped && !isOver ? of(stoppedEvent as E) : EMPTY)),
      );
    });
}
