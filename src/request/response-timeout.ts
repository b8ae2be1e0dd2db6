import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import { firstWithin } from '../flow/first-within.js';
import { ResponseTimeoutError } from '../turn/errors.js';

/**
 * Errors with a `ResponseTimeoutError` if no response arrives within the given milliseconds, and aborts the
 * request. `Infinity`: no limit.
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
  return firstWithin(milliseconds, () => new ResponseTimeoutError(milliseconds), scheduler);
}
