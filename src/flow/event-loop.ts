import { asyncScheduler } from 'rxjs';

/** How long reads may follow one another until a task is posted, and again until it must have run; milliseconds. */
const patience = 5;

/** If the clock was set back the time is unknown: better one turn of the event loop too many than one too late. */
const isOver = (passed: number): boolean => !(passed >= 0 && passed < patience);

interface Platform {
  readonly setImmediate?: (work: () => void) => unknown;
  readonly MessageChannel?: new () => {
    readonly port1: { onmessage: (() => void) | null; close(): void };
    readonly port2: { postMessage(message: unknown): void };
  };
}

/** Whether the event loop turns beside a run of reads. */
export interface EventLoop {
  /** Whether reads have followed one another for some 10 ms without a task in between. */
  isStarving(): boolean;
  /** Runs work in a task of its own, after those that wait. */
  nextTask(work: () => void): void;
}

/**
 * Watches the event loop for whoever reads in microtasks: reads that are always ready keep every timer, click
 * and other stream waiting.
 *
 * It posts a task, one every 5 ms at most, and looks whether that has run. So a read costs a look at the clock,
 * and a stream whose reads come as tasks of their own is never held up.
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
