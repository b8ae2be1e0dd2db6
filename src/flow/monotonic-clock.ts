import type { SchedulerAction, SchedulerLike } from 'rxjs';
import { clampDelay } from './timers.js';

/**
 * A view of a scheduler whose time never goes back and keeps up with its timers: once one has fired, its time
 * has come. It starts at 0.
 *
 * A scheduler tells the time of day, which can be set forward and back. A step back counts as no time, a step
 * forward as that much time. So code that compares times on this clock may be early, but never waits for a time
 * that does not come.
 *
 * ```
 * scheduler   0--1--2--1--2--3     set back by 2
 * clock       0--1--2--2--3--4
 * ```
 *
 * A limit that must not be early cannot compare times: see `rearmingClock` and `pausableClock`.
 */
export function monotonicClock(scheduler: SchedulerLike): SchedulerLike {
  let shown = scheduler.now();
  let time = 0;
  const now = () => {
    const before = shown;
    shown = scheduler.now();
    const step = shown - before;
    if (step > 0) time += clampDelay(step);
    return time;
  };
  return {
    now,
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T) {
      const due = now() + delay;
      return scheduler.schedule<T>(
        function (current) {
          time = Math.max(now(), due);
          work.call(this, current);
        },
        delay,
        state,
      );
    },
  };
}
