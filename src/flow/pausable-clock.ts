import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';

/** A scheduler whose time can stand still. */
export interface PausableClock extends SchedulerLike {
  pause(): void;
  resume(): void;
}

/**
 * A clock that follows another scheduler's and can be paused: what is scheduled on it waits for as much running
 * time as it asked for. Work that schedules itself again (`interval`) leaves the clock.
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
      paused += scheduler.now() - pausedAt;
      pausedAt = undefined;
      for (const action of waiting) action.start();
    },
    schedule<T>(work: (this: SchedulerAction<T>, state: T) => void, delay = 0, state?: T): Subscription {
      const due = now() + delay;
      const subscription = new Subscription();
      let timer: Subscription | undefined;
      const action = {
        start() {
          timer = scheduler.schedule<T>(
            function (current) {
              waiting.delete(action);
              work.call(this, current as T);
            },
            Math.max(0, due - now()),
            state,
          );
        },
        stop: () => timer?.unsubscribe(),
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
