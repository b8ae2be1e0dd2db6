import {
  asyncScheduler,
  identity,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
  timeout,
  using,
} from 'rxjs';
import { type RearmingClock, rearmingClock } from '../flow/rearming-clock.js';
import { clampDelay } from '../flow/timers.js';
import { IdleTimeoutError } from '../turn/errors.js';

/**
 * Errors with an `IdleTimeoutError` where the source is silent for too long, and unsubscribes from it.
 *
 * It counts from the subscription, and anew from each value.
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
 * @see RxJS `timeout`, which it stands on
 */
export function idleTimeout<T>(
  milliseconds: number,
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  if (milliseconds === Infinity) return identity;
  const each = clampDelay(milliseconds);
  const error = () => {
    throw new IdleTimeoutError(milliseconds);
  };
  return (source) =>
    using(
      () => rearmingClock(scheduler),
      (clock) => source.pipe(timeout({ each, with: error, scheduler: clock as RearmingClock })),
    );
}
