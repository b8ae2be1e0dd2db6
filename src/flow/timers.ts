import { Subscription, type SchedulerLike } from 'rxjs';

/** The longest wait that the timers of JavaScript's platforms can hold: about 24.8 days. */
const longestDelay = 2 ** 31 - 1;

/** A delay that a timer can hold; a longer one would fire at once. */
export function clampDelay(milliseconds: number): number {
  return Math.min(milliseconds, longestDelay);
}

/**
 * Schedules work for which alone no Node process stays alive. RxJS's asynchronous actions keep their
 * timer in `id`; where that is a Node timer it is unreferenced, elsewhere there is nothing to do.
 */
export function scheduleInBackground(
  scheduler: SchedulerLike,
  work: () => void,
  delay: number,
): Subscription {
  const action = scheduler.schedule(work, clampDelay(delay));
  const { id } = action as { id?: unknown };
  if (isNodeTimer(id)) id.unref();
  return action;
}

function isNodeTimer(id: unknown): id is { unref(): void } {
  return typeof id === 'object' && id !== null && 'unref' in id && typeof id.unref === 'function';
}
