import { identity, type MonoTypeOperatorFunction, type SchedulerLike, timeout } from 'rxjs';
import { ResponseTimeoutError } from '../turn/errors.js';
import { clampDelay } from '../flow/timers.js';

/**
 * Errors with a `ResponseTimeoutError` where no answer comes within the given milliseconds, and aborts
 * the request. `Infinity`: no limit.
 *
 * ```
 * source   -----------a|
 *          responseTimeout(6)
 * result   ------#
 * ```
 */
export function responseTimeout<T>(
  milliseconds: number,
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<T> {
  if (milliseconds === Infinity) return identity;
  return timeout({
    first: clampDelay(milliseconds),
    with: () => {
      throw new ResponseTimeoutError(milliseconds);
    },
    scheduler,
  });
}
