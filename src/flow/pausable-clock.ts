import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';

/** A scheduler whose time can be paused. */
export interface PausableClock extends SchedulerLike {
  pause(): void;
  resume(): void;
}

/**
 * A clock that follows another scheduler's and can be paused: work scheduled on it waits for that much running
 * time. Work that reschedules itself (`interval`) leaves the clock.
 *
 * If the scheduler's clock was changed, time that has passed may be waited for again: late rather than early.
 *
 * @see docs/decisions/0004-demand.md
 */
export function pausableClock(scheduler: SchedulerLike): PausableClock {
  let pausedAt: number | undefined;
  let paused = 0;
  const waiting = new Set<{ start(): void; stop(): void }>();
  const now = () => (pausedAt ?? scheduler.now()) - paused;
  return {
    now,
    pause() {
      if (pausedAt !== undefined) return;
      pausedAt = scheduler.now();
      for (const action of waiting) action.stop();
    },
    resume() {
      if (pausedAt === undefined) return;
      // A clock that tells no time has not paused.
      paused += scheduler.now() - pausedAt || 0;
      pausedAt = undefined;
      for (const action of waiting) action.start();
    },
    schedule<T>(work: (this: SchedulerAction<T>, state: T) => void, delay = 0, state?: T): Subscription {
      let left = delay;
      let startedAt = 0;
      const subscription = new Subscription();
      let timer: Subscription | undefined;
      const action = {
        start() {
          startedAt = scheduler.now();
          timer = scheduler.schedule<T>(
            function (current) {
              waiting.delete(action);
              work.call(this, current as T);
            },
            left,
            state,
          );
        },
        stop() {
          const passed = scheduler.now() - startedAt;
          // Neither back, nor past the end of a timer that has not fired.
          if (passed >= 0 && passed <= left) left -= passed;
          timer?.unsubscribe();
        },
      };
      waiting.add(action);
      subscription.add(() => {
        waiting.delete(action);
        action.stop();
      });
      if (pausedAt === undefined) action.start();
      return subscription;
    },
  };
}
