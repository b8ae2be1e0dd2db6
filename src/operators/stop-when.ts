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

/** How a turn ends that its caller stopped. */
export const stoppedEvent: CompletedEvent = /* @__PURE__ */ Object.freeze({
  type: 'completed',
  responseId: '',
  finishReason: null,
  usage: null,
  stopped: true,
});

/**
 * Ends a turn with what there is when a notifier emits: the request is aborted, then a `completed` that
 * is marked as `stopped` is emitted, so that whatever waits for the end of a turn gets one.
 *
 * Nothing is added to a turn that is over: a stop between two turns of one source only ends the source.
 * A notifier that completes without a value stops nothing.
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
 *   .pipe(stopWhen(fromEvent(button, 'click')), aggregate())
 *   .subscribe((event) => event.type === 'output_item_done' && conversation.push(event.item));
 * ```
 *
 * @param notifier - its first value stops the turn; its error passes
 */
export function stopWhen(notifier: ObservableInput<unknown>): MonoTypeOperatorFunction<ResponseEvent> {
  return (source) =>
    defer(() => {
      let isOver = false;
      let isStopped = false;
      const stop = from(notifier).pipe(tap(() => (isStopped = true)));
      return concat(
        source.pipe(
          tap(({ type }) => (isOver = type === 'completed')),
          takeUntil(stop),
        ),
        // The source has been unsubscribed by now, whatever a consumer of this event does.
        defer(() => (isStopped && !isOver ? of(stoppedEvent) : EMPTY)),
      );
    });
}
