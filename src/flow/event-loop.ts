import { asyncScheduler } from 'rxjs';

/**
 * How long reads may follow one another before a task is posted, and then before that task must have run, in
 * milliseconds.
 */
const patience = 5;

/**
 * If the clock was set back, the time is unknown: an extra turn of the event loop is better than a late one.
 */
const isOver = (passed: number): boolean => !(passed >= 0 && passed < patience);

interface Platform {
  readonly setImmediate?: (work: () => void) => unknown;
  readonly MessageChannel?: new () => {
    readonly port1: { onmessage: (() => void) | null; close(): void };
    readonly port2: { postMessage(message: unknown): void };
  };
}

/** Tells whether a run of reads starves the event loop. */
export interface EventLoop {
  /** Whether reads have followed one another for some 10 ms without a task in between. */
  isStarving(): boolean;
  /** Runs work in a separate task, after the waiting ones. */
  nextTask(work: () => void): void;
}

/**
 * Watches the event loop for code that reads in microtasks: reads that are always ready keep every timer, click
 * and other stream waiting.
 *
 * It posts a task, at most one every 5 ms, and checks whether it has run. So a read costs one look at the
 * clock, and a stream whose reads arrive in separate tasks is never delayed.
 */
export function eventLoop(): EventLoop {
  let turnedAt = asyncScheduler.now();
  let markedAt: number | undefined;

  const turned = () => {
    turnedAt = asyncScheduler.now();
    markedAt = undefined;
  };

  return {
    isStarving() {
      const now = asyncScheduler.now();
      if (markedAt !== undefined) return isOver(now - markedAt);
      if (!isOver(now - turnedAt)) return false;
      markedAt = now;
      runInTask(turned);
      return false;
    },
    nextTask(work) {
      runInTask(() => {
        turned();
        work();
      });
    },
  };
}

/**
 * A message: browsers clamp timers to 4 ms and throttle them in hidden tabs, and `scheduler.yield()` goes on before
 * every timer, message and network event that waits, so that a run of reads still starves them.
 *
 * @see docs/decisions/0008-the-event-loop-turns.md
 */
function runInTask(work: () => void): void {
  const { setImmediate, MessageChannel } = globalThis as unknown as Platform;
  if (setImmediate !== undefined) setImmediate(work);
  else if (MessageChannel === undefined) asyncScheduler.schedule(work);
  else {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      work();
    };
    port2.postMessage(undefined);
  }
}
