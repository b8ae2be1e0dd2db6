import { asyncScheduler, type MonoTypeOperatorFunction, Observable, type SchedulerLike, tap } from 'rxjs';
import { idleTimer } from './idle-timer.js';

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
  return (source) =>
    new Observable((subscriber) => {
      const timer = idleTimer(subscriber, milliseconds, scheduler);
      source.pipe(tap(() => timer.heard())).subscribe(subscriber);
      // After the source, so that a value which comes at the very end of the limit is in time.
      timer.start();
    });
}
