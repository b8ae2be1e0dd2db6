import {
  asyncScheduler,
  identity,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
  tap,
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
  const limit = clampDelay(milliseconds);
  return (source) =>
    new Observable((subscriber) => {
      let heardAt: number | undefined;
      // A value only notes its time, and the one timer goes on for what is then left: RxJS's `timeout` sets a
      // timer for each value, which is a tenth of what a value costs on its way from a paced network.
      function wait(delay: number): void {
        const start = scheduler.now();
        heardAt = undefined;
        const timer = scheduler.schedule(() => {
          subscriber.remove(timer);
          if (heardAt === undefined) subscriber.error(new IdleTimeoutError(milliseconds));
          // The clock may have been set meanwhile: the timer has run for `delay`, whatever it shows.
          else wait(limit - delay + (heardAt < start ? delay : Math.min(heardAt - start, delay)));
        }, delay);
        subscriber.add(timer);
      }
      source.pipe(tap(() => (heardAt = scheduler.now()))).subscribe(subscriber);
      // After the source, so that a value which comes at the very end of the limit is in time.
      if (!subscriber.closed) wait(limit);
    });
}
