import {
  concat,
  defer,
  EMPTY,
  from,
  type ObservableInput,
  of,
  type OperatorFunction,
  takeUntil,
  tap,
} from 'rxjs';
import type { CompletedEvent, ResponseEvent } from '../turn/events.js';
import { type Progress, progressAfter } from '../turn/progress.js';
import type { RunEvent } from '../turn/run-events.js';

/** The end of a stopped turn, or run. */
export const stoppedEvent: CompletedEvent = /* @__PURE__ */ Object.freeze({
  type: 'completed',
  responseId: '',
  finishReason: null,
  usage: null,
  stopped: true,
});

/**
 * Stops a turn or a run when a notifier emits, and keeps what has arrived: aborts the request, or the tools, then emits
 * a `completed` marked as `stopped`, so that operators that wait for the end of the turn get one.
 *
 * A turn that is already complete gets no second `completed`: a stop between two turns of one source only
 * completes the source. A run is complete after `run_completed`, and not before: stopped while a tool is executed, while
 * an approval is waited for or between two turns, it ends with the `completed`, whose calls without an output were
 * cancelled. Only in its first turn a run cannot be told from a turn: after that turn's `completed` and before any other
 * event, a stop adds nothing, and none of its tools has started. A notifier that completes without a value stops nothing.
 *
 * ```
 * source   --Hel--lo--wo
 * stop     -----------x
 *          stopWhen(stop)
 * result   --Hel--lo--(S|)      S: { type: 'completed', finishReason: null, stopped: true, ... }
 *
 * source   --(call completed tool_started)--progress--…
 * stop     -----------------------------------------------x
 *          stopWhen(stop)
 * result   --(call completed tool_started)--progress------(S|)
 * ```
 *
 * @example
 * ```ts
 * turn
 *   .pipe(stopWhen(fromEvent(button, 'click')), outputItems())
 *   .subscribe((item) => conversation.push(item));
 * ```
 *
 * @param notifier - its first value stops the turn or the run; an error of it passes through
 */
export function stopWhen<T extends RunEvent = ResponseEvent>(
  notifier: ObservableInput<unknown>,
): OperatorFunction<T, NoInfer<T> | CompletedEvent> {
  return (source) =>
    defer(() => {
      let progress: Progress = 'turn';
      let isStopped = false;
      const stop = from(notifier).pipe(tap(() => (isStopped = true)));
      return concat(
        source.pipe(
          tap((event) => (progress = progressAfter(progress, event))),
          takeUntil(stop),
        ),
        // By now the source is unsubscribed, whatever the consumer of this event does.
        defer(() => (isStopped && progress !== 'over' ? of(stoppedEvent) : EMPTY)),
      );
    });
}
