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

/** The event that ends a stopped turn or run. */
export const stoppedEvent: CompletedEvent = /* @__PURE__ */ Object.freeze({
  type: 'completed',
  responseId: '',
  finishReason: null,
  usage: null,
  stopped: true,
});

/**
 * Stops a turn or a run when a notifier emits, and keeps the partial output: aborts the request or the tools,
 * then emits a `completed` marked `stopped`, for operators that wait for the end of the turn.
 *
 * A turn that is already complete gets no second `completed`: a stop between two turns of one source only
 * completes the source. A run is complete only after `run_completed`: if it is stopped while a tool executes,
 * while it waits for an approval or between two turns, it ends with that `completed`, and calls without an
 * output are cancelled. A run is not known to be one until after its first turn: a stop after that turn's
 * `completed` and before any other event adds nothing, and no tool has started. A notifier that completes
 * without a value stops nothing.
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
 * @param notifier - its first value stops the turn or the run; its error passes
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
        // By now the source is unsubscribed, even if the consumer of this event throws or unsubscribes.
        defer(() => (isStopped && progress !== 'over' ? of(stoppedEvent) : EMPTY)),
      );
    });
}
