import {
  asyncScheduler,
  identity,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
  throwError,
  timeout,
} from 'rxjs';
import { IdleTimeoutError } from '../errors.js';
import { clampDelay } from '../timers.js';

/**
 * Errors with an `IdleTimeoutError` where the source stays silent: counted from the subscription, and
 * anew from each value.
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
 */
export function idleTimeout<T>(
  milliseconds: number,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  if (milliseconds === Infinity) return identity;
  return timeout({
    each: clampDelay(milliseconds),
    with: () => throwError(() => new IdleTimeoutError(milliseconds)),
    scheduler,
  });
}
