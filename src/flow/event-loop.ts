/** How long reads may follow one another before it is asked whether the event loop turns, in milliseconds. */
const longestRun = 5;

/** How long its answer may take while they go on. */
const longestWait = 5;

interface Platform {
  readonly performance: { now(): number };
  readonly setImmediate?: (work: () => void) => unknown;
  readonly MessageChannel?: new () => {
    readonly port1: { onmessage: (() => void) | null; close(): void };
    readonly port2: { postMessage(message: unknown): void };
  };
  readonly setTimeout: (work: () => void) => unknown;
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
  const platform = globalThis as unknown as Platform;
  let turnedAt = platform.performance.now();
  let markedAt: number | undefined;

  const turned = () => {
    turnedAt = platform.performance.now();
    markedAt = undefined;
  };

  return {
    isStarving() {
      const now = platform.performance.now();
      if (markedAt !== undefined) return now - markedAt >= longestWait;
      if (now - turnedAt < longestRun) return false;
      markedAt = now;
      runInTask(platform, turned);
      return false;
    },
    nextTask(work) {
      runInTask(platform, () => {
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
function runInTask(platform: Platform, work: () => void): void {
  if (platform.setImmediate !== undefined) platform.setImmediate(work);
  else if (platform.MessageChannel === undefined) platform.setTimeout(work);
  else {
    const { port1, port2 } = new platform.MessageChannel();
    port1.onmessage = () => {
      port1.close();
      work();
    };
    port2.postMessage(undefined);
  }
}
