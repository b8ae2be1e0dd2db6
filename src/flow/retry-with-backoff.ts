import {
  asyncScheduler,
  identity,
  retry,
  timer,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { clampDelay } from './timers.js';
import { backoff, type BackoffOptions } from './backoff.js';

/** When a source is resubscribed. */
export interface RetryWithBackoffOptions extends BackoffOptions {
  /** How many times to resubscribe. Default 4; 0 never retries. */
  readonly maxRetries?: number | undefined;
  /** Whether to retry after an error. Default: always. */
  readonly retryable?: ((error: unknown) => boolean) | undefined;
  /** The wait that an error asks for, in milliseconds, instead of the backoff. */
  readonly retryAfter?: (error: unknown) => number | undefined;
  /** The longest `retryAfter` to wait for, in milliseconds; a longer one gives up. Default 60,000. */
  readonly maxRetryAfter?: number | undefined;
  /** Called for each retry, before its wait. */
  readonly onRetry?: (retry: {
    readonly attempt: number;
    readonly delay: number;
    readonly error: unknown;
  }) => void;
  /** The error to give up with after a retryable error. Default: that error. */
  readonly giveUp?: ((error: unknown, attempts: number) => unknown) | undefined;
  /** Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Resubscribes to a source that failed, with exponential backoff.
 *
 * The wait is the error's own `retryAfter`, else {@link backoff}. After `maxRetries`, on an error that is not
 * `retryable`, and on a `retryAfter` beyond `maxRetryAfter`, the source's own error passes.
 *
 * ```
 * source   --#
 *                    --#
 *                                    --a--|
 *          retryWithBackoff({ initialDelay: 8, jitter: 0 })
 * result   ----------------------------a--|
 * ```
 *
 * @example
 * ```ts
 * defer(() => fetch(url)).pipe(retryWithBackoff({ maxRetries: 2 })).subscribe();
 * ```
 *
 * @see RxJS `retry`, which it is built on
 */
export function retryWithBackoff<T>(options: RetryWithBackoffOptions = {}): MonoTypeOperatorFunction<T> {
  const { maxRetries = 4, maxRetryAfter = 60_000, scheduler = asyncScheduler } = options;
  const { retryable, retryAfter, onRetry, giveUp = identity } = options;
  // The limit is counted here: `retry({ count: 0 })` never asks `delay` about the last error (docs/decisions/0003).
  return retry({
    delay: (error: unknown, attempt) => {
      if (retryable?.(error) === false) throw error;
      const requestedDelay = retryAfter?.(error);
      if (attempt > maxRetries || (requestedDelay ?? 0) > maxRetryAfter) {
        throw giveUp(error, attempt);
      }
      const delay = clampDelay(requestedDelay ?? backoff(attempt, options));
      onRetry?.({ attempt, delay, error });
      return timer(delay, scheduler);
    },
  });
}
