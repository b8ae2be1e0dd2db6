import {
  asyncScheduler,
  catchError,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
  tap,
} from 'rxjs';
import type { BackoffOptions } from '../flow/backoff.js';
import { retryWithBackoff } from '../flow/retry-with-backoff.js';
import { IncompleteStreamError } from '../operators/require-finish.js';
import { attemptsKept, ProviderStreamError, StreamError, withAttempts } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { emptyTurn, reduceTurn, type Turn } from '../turn/turn.js';

export type BreakError = StreamError | IncompleteStreamError;

/** When, and how often, a broken answer is requested again. */
export interface RestartOnBreakOptions extends BackoffOptions {
  /** Restarts after the first attempt. Default 5. */
  readonly maxRetries?: number | undefined;
  /** The longest wait that a provider may ask for, in milliseconds; a longer one fails at once. Default 60,000. */
  readonly maxRetryAfter?: number | undefined;
  /**
   * Which errors to restart from, from the error and what had come by then. Default: those with `retryable` set. An
   * error of it ends the turn.
   */
  readonly retryable?: ((error: BreakError, soFar: Turn) => boolean) | undefined;
  /** For the waits. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Restarts a turn whose answer breaks off: emits `restarting`, which discards what has arrived, waits, and resubscribes.
 *
 * Any {@link StreamError} with `retryable` set restarts the turn: a broken connection, an idle timeout, an overload or
 * rate limit reported inside the stream; and, after `requireFinish()`, a stream that ended too early. Failures before the
 * answer began pass, since the turn has already retried them. The second answer may differ, and both are billed.
 *
 * The wait is what the provider asks for in the stream, else {@link BackoffOptions | backoff}. The error that ends the turn lists
 * every attempt (`attempts`). Apply it to a single turn, before the operators that work on its text.
 *
 * ```
 * source   --On--ce--#
 *                         --Once--(completed|)
 *          restartOnBreak({ initialDelay: 5 })
 * result   --On--ce--r------Once--(completed|)      r: restarting, attempt 1, delay 5
 * ```
 *
 * @example
 * ```ts
 * streamChatCompletions('Tell me a long story.', options)
 *   .pipe(requireFinish(), restartOnBreak(), accumulate())
 *   .subscribe(({ text }) => render(text));
 * ```
 */
export function restartOnBreak(options: RestartOnBreakOptions = {}): MonoTypeOperatorFunction<ResponseEvent> {
  const { maxRetries = 5, scheduler = asyncScheduler, retryable } = options;
  return (source) =>
    new Observable((subscriber) => {
      const failures: BreakError[] = [];
      let turn = emptyTurn;
      let last: ResponseEvent['type'] | undefined;

      const note = (event: ResponseEvent): void => {
        last = event.type;
        if (retryable !== undefined) turn = reduceTurn(turn, event);
      };
      const mayRestart = (error: unknown): boolean =>
        isBreak(error) && last !== 'completed' && (retryable?.(error, turn) ?? error.retryable);

      return source
        .pipe(
          tap(note),
          retryWithBackoff({
            ...options,
            maxRetries,
            scheduler,
            retryable: mayRestart,
            retryAfter: (error) => (error instanceof ProviderStreamError ? error.retryAfter : undefined),
            onRetry: ({ attempt, delay, error }) => {
              if (!isBreak(error)) return;
              if (failures.push(error) > attemptsKept) failures.shift();
              turn = emptyTurn;
              subscriber.next({ type: 'restarting', attempt, delay, error });
            },
          }),
          catchError((error: unknown) => {
            throw withAttempts(error, failures);
          }),
        )
        .subscribe(subscriber);
    });
}

const isBreak = (error: unknown): error is BreakError =>
  error instanceof StreamError || error instanceof IncompleteStreamError;
