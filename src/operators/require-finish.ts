import { defer, map, type MonoTypeOperatorFunction } from 'rxjs';
import { ChatCompletionsError, hide } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';

/**
 * The stream ended without a finish reason and without `[DONE]`, so the output may be incomplete. Raised by `requireFinish()`
 * only.
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
 * reason: what they said is whole. A turn stopped with `stopWhen()` passes.
 *
 * ```
 * source   --Hel--(completed|)          completed: { finishReason: null, endedBy: 'eof' }
 *          requireFinish()
 * result   --Hel--#
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(requireFinish()).subscribe({ error: (error) => console.log(error.turn.text) });
 * ```
 */
export function requireFinish(): MonoTypeOperatorFunction<ResponseEvent> {
  return (source) =>
    defer(() => {
      let turn = emptyTurn;
      return source.pipe(
        map((event) => {
          turn = reduceTurn(turn, event);
          if (isIncomplete(event)) throw new IncompleteStreamError(turn);
          return event;
        }),
      );
    });
}

const isIncomplete = (event: ResponseEvent): boolean =>
  event.type === 'completed' &&
  event.finishReason === null &&
  event.endedBy !== 'done' &&
  event.stopped !== true;
