import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { observe } from '../flow/observe.js';
import { ChatCompletionsError, hide } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { isCall } from '../turn/is-call.js';
import { isTurnEvent } from '../turn/is-turn-event.js';
import type { RunEvent } from '../turn/run-events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';

/**
 * The stream ended without a finish reason and without `[DONE]`, or in the middle of a call, so the output may be incomplete.
 * Raised by `requireFinish()` and `toChatCompletion()` only.
 */
export class IncompleteStreamError extends ChatCompletionsError {
  override get name() {
    return 'IncompleteStreamError' as const;
  }
  /** Asking again may bring the whole answer. */
  readonly retryable = true;
  /** What arrived. Not enumerable. */
  declare readonly turn: Turn;

  constructor(turn: Turn) {
    super('The stream ended without a finish reason or [DONE]: the answer is incomplete.');
    hide(this, 'turn', turn);
  }
}

/**
 * Errors with an `IncompleteStreamError` instead of emitting a `completed` of a stream that ended with neither a
 * finish reason nor `[DONE]`, as when the connection was closed early. Some servers send `[DONE]` and never a finish
 * reason: what they said is whole. A turn stopped with `stopWhen()` passes. Of a run it looks at each turn; inside
 * `runTools()`, in its `turn`, it keeps the tools from being executed as well.
 *
 * Text and reasoning pass at once. A call, and what follows it, waits until the end of the turn shows that it is whole:
 * a stream gives its calls at its end, so that costs no time. An error of the source drops what waits, and so does
 * `restarting`.
 *
 * ```
 * source   --Hel--(completed|)          completed: { finishReason: null, endedBy: 'eof' }
 *          requireFinish()
 * result   --Hel--#
 *
 * source   --Hel--call--(completed|)    completed: { finishReason: 'tool_calls' }
 *          requireFinish()
 * result   --Hel--------(call completed|)
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(requireFinish()).subscribe({ error: (error) => console.log(error.turn.text) });
 * ```
 */
export function requireFinish<T extends RunEvent = ResponseEvent>(): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      let turn = emptyTurn;
      let held: T[] = [];

      function release(): void {
        const events = held;
        held = [];
        for (const event of events) subscriber.next(event);
      }

      // By hand: `concatMap` over lists costs each event half a microsecond.
      return observe(source, subscriber, {
        next(event) {
          if (isTurnEvent(event)) turn = reduceTurn(turn, event);
          if (isIncomplete(event)) throw new IncompleteStreamError(turn);
          if (event.type === 'restarting') held = [];
          if (event.type === 'restarting' || (held.length === 0 && !isCall(event))) {
            subscriber.next(event);
            return;
          }
          held.push(event);
          if (event.type === 'completed') release();
        },
        complete() {
          release();
          subscriber.complete();
        },
      });
    });
}

/** Whether a turn ended with neither a finish reason nor `[DONE]`. */
export const isIncomplete = (event: RunEvent): boolean =>
  event.type === 'completed' &&
  event.stopped !== true &&
  // Of several choices one may have ended and another not.
  (event.endedBy === undefined ? event.finishReason === null : event.endedBy === 'eof');
