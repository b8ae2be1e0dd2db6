import {
  NEVER,
  type Observable,
  type SchedulerAction,
  type SchedulerLike,
  type Subscription,
  timer,
} from 'rxjs';

/** The longest delay that JavaScript timers support: about 24.8 days. */
export const longestDelay = 2 ** 31 - 1;

/** Limits a delay to what timers support; a longer one would fire at once. */
export function clampDelay(milliseconds: number): number {
  return Math.min(milliseconds, longestDelay);
}

/** Emits once after the given milliseconds; never for `Infinity`. */
export const timerOf = (milliseconds: number, scheduler: SchedulerLike): Observable<unknown> =>
  milliseconds === Infinity ? NEVER : timer(clampDelay(milliseconds), scheduler);

/** @throws TypeError if the value is not a number of at least 1 */
export function checkLimit(name: string, value: unknown): void {
  if (!(typeof value === 'number' && value >= 1)) {
    throw new TypeError(`options.${name} must be a number of at least 1.`);
  }
}

/** The default of every `stallTimeout`, in milliseconds. */
export const defaultStallTimeout = 300_000;

/**
 * A scheduler whose timers do not keep a Node process alive. RxJS's asynchronous actions keep their timer in
 * `id`; a Node timer is unreferenced, and elsewhere there is nothing to do.
 */
export const inBackground = (scheduler: SchedulerLike): SchedulerLike => ({
  now: () => scheduler.now(),
  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
    const action = scheduler.schedule<T>(work, clampDelay(delay), state);
    const { id } = action as { id?: unknown };
    if (isNodeTimer(id)) id.unref();
    return action;
  },
});

function isNodeTimer(id: unknown): id is { unref(): void } {
  return typeof id === 'object' && id !== null && 'unref' in id && typeof id.unref === 'function';
}
