import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  distinctUntilChanged,
  EMPTY,
  map,
  of,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { ApplicationError, ChatCompletionsError } from '../turn/errors.js';
import type { ResponseEvent, RetryingEvent } from '../turn/events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';
import { stoppedEvent } from './stop-when.js';

/** The wait for the next attempt: what a countdown needs. */
export interface TurnRetry {
  /** Number of the attempt that failed; the first is 1. */
  readonly attempt: number;
  /** Milliseconds from the failure to the next attempt. */
  readonly delay: number;
  /** When the next attempt is made: milliseconds since the epoch, by the scheduler's clock. */
  readonly at: number;
  readonly error: RetryingEvent['error'];
}

/**
 * What a user interface shows of a turn. `turn` is what there is of it, after an error too; `retry` is
 * there while a retry is waited for, and `error` after an error. An error that is not the library's, such
 * as that of an `apiKey` function, stands in the `cause` of an {@link ApplicationError}.
 *
 * - `'idle'`: nothing was asked yet (`idleState` alone)
 * - `'waiting'`: asked, and nothing of the answer has come
 * - `'retrying'`: a request failed and the next one is being waited for (only with `includeRetries`)
 * - `'streaming'`: a part of the answer has come
 * - `'completed'`: the turn is over
 * - `'stopped'`: it was ended before it was over
 * - `'error'`: it failed
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
      readonly status: 'error';
      readonly turn: Turn;
      readonly error: ChatCompletionsError;
      readonly retry: undefined;
    };

export interface ToStateOptions {
  /** Its clock tells when a retry is due. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** The state before anything was asked: an `initialValue`, or what to `startWith`. */
export const idleState: TurnState = /* @__PURE__ */ Object.freeze({
  status: 'idle',
  turn: emptyTurn,
  error: undefined,
  retry: undefined,
});

/**
 * Emits what a user interface shows of a turn, and never errors: an error is a state, which keeps what
 * had come of the turn.
 *
 * The first state, `'waiting'`, is there synchronously, and every state is an immutable snapshot: made
 * for Angular's `toSignal` and `async` pipe. With `includeRetries` it tells of retries. A source that
 * ends in the middle of a turn, or before it, was stopped (by `takeUntil`, or with `stopWhen`): its
 * last state is `'stopped'`. Events that change nothing give no state.
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
  return (source) =>
    defer(() => {
      let state = stateOf(emptyTurn);
      const next = (event: ResponseEvent) => (state = stateAfter(state, event, scheduler));
      return concat(
        of(state),
        source.pipe(map(next)),
        defer(() => (isOver(state) ? EMPTY : of(next(stoppedEvent)))),
      ).pipe(
        catchError((error: unknown) => of(failed(state.turn, error))),
        distinctUntilChanged(),
      );
    });
}

function stateAfter(state: TurnState, event: ResponseEvent, scheduler: SchedulerLike): TurnState {
  const turn = reduceTurn(state.turn, event);
  if (event.type === 'retrying') {
    const { attempt, delay, error } = event;
    const retry = { attempt, delay, error, at: scheduler.now() + delay };
    return { status: 'retrying', turn, error: undefined, retry };
  }
  return turn === state.turn ? state : stateOf(turn);
}

const failed = (turn: Turn, error: unknown): TurnState => ({
  status: 'error',
  turn,
  error: error instanceof ChatCompletionsError ? error : new ApplicationError(error),
  retry: undefined,
});

const isOver = ({ status }: TurnState): boolean => status === 'completed' || status === 'stopped';

/** The state of any turn but one that is retried, whose state says more. */
const stateOf = (turn: Turn): TurnState => ({
  status: turn.status === 'retrying' ? 'waiting' : turn.status,
  turn,
  error: undefined,
  retry: undefined,
});
