import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { observe } from '../flow/observe.js';
import { ChatCompletionsError, hide } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { isCall } from '../turn/is-call.js';
import { isTurnEvent } from '../turn/is-turn-event.js';
import type { RunEvent } from '../turn/run-events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';

/**
 * The stream ended without a finish reason and without `[DONE]`, or in the middle of a call, so the output may
 * be incomplete. Only `requireFinish()` and `toChatCompletion()` emit it.
 */
export class IncompleteStreamError extends ChatCompletionsError {
  override get name() {
    return 'IncompleteStreamError' as const;
  }
  /** Trying again may succeed. */
  readonly retryable = true;
  /** The partial output. Not enumerable. */
  declare readonly turn: Turn;

  constructor(turn: Turn) {
    super('The stream ended without a finish reason or [DONE]: the output is incomplete.');
    hide(this, 'turn', turn);
  }
}

/**
 * Errors with an `IncompleteStreamError` instead of `completed` if the stream ended with neither a finish
 * reason nor `[DONE]`, for example because the connection was closed early. Some servers send `[DONE]` but
 * never a finish reason: their output is complete. A turn stopped with `stopWhen()` passes. In a run it checks
 * each turn; inside the `turn` of `runTools()` it also keeps the tools from being executed.
 *
 * Text and reasoning pass at once. A call, and everything after it, waits until the end of the turn shows that
 * it is complete: calls arrive at the end of a stream, so this costs no time. An error of the source drops the
 * waiting events, and so does `restarting`.
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
  // One of several choices may have ended and another not.
  (event.endedBy === undefined ? event.finishReason === null : event.endedBy === 'eof');
