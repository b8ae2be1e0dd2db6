import type { SchedulerLike, Subscriber, Subscription } from 'rxjs';
import { IdleTimeoutError } from '../turn/errors.js';
import { clampDelay } from '../flow/timers.js';

/** What ends a subscriber that hears nothing. */
export interface IdleTimer {
  /** Begins to count, where the subscriber is still there. */
  start(): void;
  /** Something came: counts anew, where it counts. */
  heard(): void;
  /** Counts no more. */
  stop(): void;
}

/**
 * Gives a subscriber an `IdleTimeoutError` after so many milliseconds in which nothing was heard; none for
 * `Infinity`.
 *
 * What is heard only notes its time, and the one timer goes on for what is then left: RxJS's `timeout` sets a
 * timer for each value, which is a tenth of what a value costs on its way from a paced network.
 */
export function idleTimer(
  subscriber: Subscriber<unknown>,
  milliseconds: number,
  scheduler: SchedulerLike,
): IdleTimer {
  const limit = clampDelay(milliseconds);
  let heardAt: number | undefined;
  let timer: Subscription | undefined;

  function wait(delay: number): void {
    const start = scheduler.now();
    heardAt = undefined;
    const waiting = scheduler.schedule(() => {
      subscriber.remove(waiting);
      if (heardAt === undefined) subscriber.error(new IdleTimeoutError(milliseconds));
      // The clock may have been set meanwhile: the timer has run for `delay`, whatever it shows.
      else wait(limit - delay + (heardAt < start ? delay : Math.min(heardAt - start, delay)));
    }, delay);
    timer = waiting;
    subscriber.add(waiting);
  }

  return {
    start() {
      if (milliseconds !== Infinity && !subscriber.closed) wait(limit);
    },
    heard() {
      if (timer !== undefined) heardAt = scheduler.now();
    },
    stop() {
      timer?.unsubscribe();
    },
  };
}
