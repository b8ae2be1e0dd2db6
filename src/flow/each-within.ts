import { identity, type MonoTypeOperatorFunction, type SchedulerLike, timeout, using } from 'rxjs';
import { type RearmingClock, rearmingClock } from './rearming-clock.js';
import { clampDelay } from './timers.js';

/**
 * Errors if the source is silent for the given milliseconds, counted from the subscription and again from each
 * value, and unsubscribes from it. `Infinity`: no limit. It keeps one timer.
 *
 * ```
 * source   --a--b-----------c--
 *          eachWithin(6, () => error)
 * result   --a--b-----#
 * ```
 *
 * @see RxJS `timeout`, which it is built on
 */
export function eachWithin<T>(
  milliseconds: number,
  error: () => unknown,
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<T> {
  if (milliseconds === Infinity) return identity;
  const each = clampDelay(milliseconds);
  const fail = () => {
    throw error();
  };
  return (source) =>
    using(
      () => rearmingClock(scheduler),
      (clock) => source.pipe(timeout({ each, with: fail, scheduler: clock as RearmingClock })),
    );
}
