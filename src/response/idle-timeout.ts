import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { eachWithin } from '../flow/each-within.js';
import { IdleTimeoutError } from '../turn/errors.js';

/**
 * Errors with an `IdleTimeoutError` if the source is silent for too long, and unsubscribes from it.
 *
 * It counts from the subscription, and again from each value.
 *
 * ```
 * source   --a--b-----------c--
 *          idleTimeout(6)
 * result   --a--b-----#
 * ```
 *
 * @example
 * ```ts
 * bytes.pipe(decodeEventStream(), idleTimeout(30_000)).subscribe();
 * ```
 *
 * @param milliseconds - the longest silence; `Infinity` for none
 * @param scheduler - default `asyncScheduler`
 *
 * @see RxJS `timeout`, which it is built on
 */
export function idleTimeout<T>(
  milliseconds: number,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  return eachWithin(milliseconds, () => new IdleTimeoutError(milliseconds), scheduler);
}
