import { type SchedulerAction, type SchedulerLike, Subscription, type Unsubscribable } from 'rxjs';

/** A scheduler for one timer that is set again and again. Unsubscribing clears it. */
export interface RearmingClock extends SchedulerLike, Unsubscribable {}

type Work = (this: SchedulerAction<unknown>, state?: unknown) => void;

/**
 * The clock of an operator that sets the same timer anew for each value, as RxJS's `timeout({ each })` does. It
 * keeps one timer of the scheduler's: to set it again notes the time alone, and when it is due, it goes on for
 * what is left.
 *
 * ```
 * set      6--6----6----------
 * timer    ^-----!^--!^----!x      x: due
 * ```
 *
 * Setting a timer costs 0.7 µs, noting the time 0.1.
 */
export function rearmingClock(scheduler: SchedulerLike): RearmingClock {
  const action = new RearmedAction();
  let delay = 0;
  /** When it was set again, where it was since the timer began. */
  let setAgainAt: number | undefined;
  let timer: Subscription | undefined;

  function wait(time: number): void {
    const start = scheduler.now();
    setAgainAt = undefined;
    timer = scheduler.schedule(() => {
      timer = undefined;
      const { work } = action;
      if (work === undefined) return;
      if (setAgainAt === undefined) {
        work.call(action);
        return;
      }
      // The timer has run its full time, whatever the clock shows: it may have been set or stand still. Where the
      // two differ, the next timer is late rather than early.
      const before = setAgainAt - start;
      const since = scheduler.now() - setAgainAt;
      const passed = Math.min(since >= 0 ? since : time, time - before);
      wait(before >= 0 && passed > 0 ? delay - passed : delay);
    }, time);
  }

  return {
    now: () => scheduler.now(),
    schedule(work: Work, newDelay = 0) {
      action.work = work;
      delay = newDelay;
      if (timer === undefined) wait(delay);
      else setAgainAt = scheduler.now();
      return action;
    },
    unsubscribe() {
      action.unsubscribe();
      timer?.unsubscribe();
    },
  };
}

/**
 * One for all the times that the timer is set: the list of teardowns that it stands in stays short. A class, since
 * an `unsubscribe` of its own on one Subscription makes every call of that name slow.
 */
class RearmedAction extends Subscription implements SchedulerAction<unknown> {
  work: Work | undefined = undefined;

  /** It is set again by its clock alone. */
  schedule(): this {
    return this;
  }

  /** The timer may run out in vain: to clear it and set another costs more. */
  override unsubscribe(): void {
    this.work = undefined;
  }
}
