import { identity, type MonoTypeOperatorFunction, type SchedulerLike, timeout } from 'rxjs';
import { clampDelay } from './timers.js';

/**
 * Errors if the first value does not arrive within the given milliseconds, and unsubscribes from the source.
 * `Infinity`: no limit.
 *
 * ```
 * source   -----------a|
 *          firstWithin(6, () => error)
 * result   ------#
 * ```
 *
 * @see RxJS `timeout`, which it is built on
 */
export function firstWithin<T>(
  milliseconds: number,
  error: () => unknown,
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<T> {
  if (milliseconds === Infinity) return identity;
  return timeout({
    first: clampDelay(milliseconds),
    with: () => {
      throw error();
    },
    scheduler,
  });
}
