import { asyncScheduler, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { foldStates } from '../flow/fold-states.js';
import { asLibraryError, type ChatCompletionsError } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';
import { stoppedEvent } from './stop-when.js';

/** The next attempt, with what a countdown needs. */
export interface TurnRetry {
  /** The number of the attempt that failed; the first is 1. */
  readonly attempt: number;
  /** Milliseconds from the failure to the next attempt. */
  readonly delay: number;
  /** The time of the next attempt, in milliseconds since the epoch, by the scheduler's clock. */
  readonly at: number;
  /** The error of that attempt. */
  readonly error: ChatCompletionsError;
}

/**
 * The state of a turn for a user interface. `turn` is the output so far, also after an error; `retry` is set
 * while the turn waits for its next attempt, `error` once it has failed. An error that is not the library's,
 * such as one from an `apiKey` function, is the `cause` of an `ApplicationError`.
 *
 * - `'idle'`: nothing has been sent yet (`idleState` only)
 * - `'waiting'`: the request is sent, and no output has arrived
 * - `'retrying'`: a request failed and will be retried (only with `includeRetries`)
 * - `'restarting'`: the response broke off; its output is discarded, and it is requested again
 * - `'streaming'`: output is arriving
 * - `'completed'`: the turn is complete
 * - `'stopped'`: the turn was stopped before it was complete
 * - `'error'`: the turn failed
 */
export type TurnState =
  | {
      readonly status: 'idle' | 'waiting' | 'streaming' | 'completed' | 'stopped';
      readonly turn: Turn;
      readonly error: undefined;
      readonly retry: undefined;
    }
  | {
      readonly status: 'retrying';
      readonly turn: Turn;
      readonly error: undefined;
      readonly retry: TurnRetry;
    }
  | {
      readonly status: 'restarting';
      readonly turn: Turn;
      readonly error: undefined;
      readonly retry: TurnRetry;
    }
  | {
      readonly status: 'error';
      readonly turn: Turn;
      readonly error: ChatCompletionsError;
      readonly retry: undefined;
    };

export interface ToStateOptions {
  /** The clock for `retry.at`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** The state before anything is sent, for `initialValue` or `startWith`. */
export const idleState: TurnState = /* @__PURE__ */ Object.freeze({
  status: 'idle',
  turn: emptyTurn,
  error: undefined,
  retry: undefined,
});

/**
 * Emits the state of a turn for a user interface, and never errors: an error becomes a state that keeps the
 * partial output.
 *
 * Made for Angular's `toSignal` and `async` pipe: the first state, `'waiting'`, is emitted synchronously, and
 * every state is an immutable snapshot. With `includeRetries` it reports retries. If the source completes
 * before its turn does, because of `takeUntil` or `stopWhen`, the last state is `'stopped'`. Events that change
 * nothing emit no state.
 *
 * ```
 * source   --Hel--lo--(completed|)
 *          toState()
 * result   w-H----L---(C|)            w, H, L, C: waiting, streaming, streaming, completed
 *
 * source   --Hel--#
 *          toState()
 * result   w-H----(E|)                E: { status: 'error', turn: { text: 'Hel', ... }, error, ... }
 * ```
 *
 * @example
 * ```ts
 * const states = questions.pipe(
 *   switchMap((question) => streamChatCompletions(question, options).pipe(toState())),
 * );
 * const state = toSignal(states, { initialValue: idleState });
 * ```
 */
export function toState(options: ToStateOptions = {}): OperatorFunction<ResponseEvent, TurnState> {
  const { scheduler = asyncScheduler } = options;
  const after = (state: TurnState, event: ResponseEvent) => stateAfter(state, event, scheduler);
  return foldStates({
    first: stateOf(emptyTurn),
    after,
    ended: (state) => (isOver(state) ? state : after(state, stoppedEvent)),
    failed: ({ turn }, error) => failed(turn, error),
  });
}

function stateAfter(state: TurnState, event: ResponseEvent, scheduler: SchedulerLike): TurnState {
  const turn = reduceTurn(state.turn, event);
  if (event.type === 'retrying' || event.type === 'restarting') {
    const { type: status, attempt, delay, error } = event;
    const retry = { attempt, delay, error, at: scheduler.now() + delay };
    return { status, turn, error: undefined, retry };
  }
  return turn === state.turn ? state : stateOf(turn);
}

const failed = (turn: Turn, error: unknown): TurnState => ({
  status: 'error',
  turn,
  error: asLibraryError(error),
  retry: undefined,
});

const isOver = ({ status }: TurnState): boolean => status === 'completed' || status === 'stopped';

/** The state of a turn that is not waiting for its next attempt. */
const stateOf = (turn: Turn): TurnState => ({
  status: turn.status === 'retrying' || turn.status === 'restarting' ? 'waiting' : turn.status,
  turn,
  error: undefined,
  retry: undefined,
});
