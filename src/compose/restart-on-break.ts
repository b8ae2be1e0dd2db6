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

/** When and how often a broken turn is restarted. */
export interface RestartOnBreakOptions extends BackoffOptions {
  /** Restarts after the first attempt. Default 5. */
  readonly maxRetries?: number | undefined;
  /** The longest wait that a provider may ask for, in milliseconds; a longer one fails at once. Default 60,000. */
  readonly maxRetryAfter?: number | undefined;
  /**
   * Whether to restart, given the error and the output so far. Default: if the error has `retryable` set. An
   * error that it throws ends the turn.
   */
  readonly retryable?: ((error: BreakError, soFar: Turn) => boolean) | undefined;
  /** Times the waits. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Restarts a turn whose stream breaks: emits `restarting`, which discards the output so far, waits, and
 * resubscribes.
 *
 * Any {@link StreamError} with `retryable` set restarts the turn: a broken connection, an idle timeout, an
 * overload or rate limit reported inside the stream and, after `requireFinish()`, a stream that ended too
 * early. Failures before the response pass, since the turn has already retried them. The second output may
 * differ, and both are billed.
 *
 * It waits as long as the provider asks for in the stream, else for the {@link BackoffOptions | backoff}. The
 * error that ends the turn lists every attempt (`attempts`). Apply it to a single turn, before operators that
 * use its text.
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
