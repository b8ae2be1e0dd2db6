import { asyncScheduler, type Observable, type SchedulerLike, type Subscription } from 'rxjs';
import { StallTimeoutError } from '../turn/errors.js';
import { Demand, holder } from './demand.js';
import { eventLoop } from './event-loop.js';
import { rearmingClock } from './rearming-clock.js';
import { checkLimit, clampDelay, defaultStallTimeout, inBackground } from './timers.js';

/** How values wait for a consumer that pulls them. */
export interface PullOptions {
  /** The demand of the turns in the source. Default: none, so all values are kept until they are taken. */
  readonly demand?: Demand | undefined;
  /** The turns are not read while this many values wait. Default 16. */
  readonly highWaterMark?: number | undefined;
  /**
   * How long a value may wait for the consumer, in milliseconds, before the source is unsubscribed. A consumer
   * that comes back gets the waiting values, then a `StallTimeoutError`. Default 300,000; `Infinity`: no limit.
   */
  readonly stallTimeout?: number | undefined;
  /** The timer of `stallTimeout`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** @throws TypeError if `highWaterMark` or `stallTimeout` is not a number of at least 1 */
export function checkPullOptions({
  highWaterMark = 16,
  stallTimeout = defaultStallTimeout,
}: PullOptions): void {
  checkLimit('highWaterMark', highWaterMark);
  checkLimit('stallTimeout', stallTimeout);
}

interface Request<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/**
 * The queue behind every pulling consumer: an iterator that subscribes at the first `next()` and unsubscribes
 * at `return()` and `throw()`. Values that arrived before an error are delivered before it.
 *
 * ```
 * source    --(abcd)--------------(ef)--|
 *           pull()
 * next()    ^-----^---^---^---^-----^---^
 * result    --a---b---c---d-------e-f---done
 * ```
 *
 * The source is unsubscribed once a value has waited for `stallTimeout` since it arrived, or since the previous
 * one was taken: the consumer has stopped, and an abandoned iterator gives no notice. Waiting values are kept,
 * followed by the error.
 *
 * ```
 * source    --(ab)------!
 *           pull({ stallTimeout: 8 })
 * next()    ^---------------^-^
 * result    --a-------------b-#
 * ```
 */
export function pull<T>(
  source: Observable<T>,
  {
    demand = new Demand(),
    highWaterMark = 16,
    stallTimeout = defaultStallTimeout,
    scheduler = asyncScheduler,
  }: PullOptions,
): Required<AsyncIterator<T, undefined>> {
  const hold = holder(demand);
  /** Values that nobody has asked for yet; empty while `requests` is not. */
  const values: (T | undefined)[] = [];
  /** How many of them have been taken. */
  let taken = 0;
  const requests: Request<T>[] = [];
  const loop = eventLoop();
  const stall = rearmingClock(inBackground(scheduler));
  let stalling: Subscription | undefined;
  let subscription: Subscription | undefined;
  let end: { readonly error?: unknown } | undefined;

  /** Restarts the stall timer while values wait. */
  function watch(): void {
    if (taken === values.length) stalling?.unsubscribe();
    else if (end === undefined && stallTimeout !== Infinity)
      stalling = stall.schedule(stalled, clampDelay(stallTimeout));
  }

  function stalled(): void {
    subscription?.unsubscribe();
    finish({ error: new StallTimeoutError(stallTimeout) });
  }

  function settle(request: Request<T>): void {
    if (taken < values.length) {
      const value = values[taken] as T;
      values[taken] = undefined;
      taken += 1;
      // Shifting costs the length of the array, which is unbounded without a demand: do it only once half is
      // taken.
      if (taken === values.length || (taken >= 1_024 && taken * 2 >= values.length)) {
        values.splice(0, taken);
        taken = 0;
      }
      watch();
      hold(values.length - taken >= highWaterMark, true);
      request.resolve({ done: false, value });
      return;
    }
    if (end === undefined) {
      requests.push(request);
      return;
    }
    const reason = end;
    // An error is delivered once; after it the iteration is over.
    end = {};
    if ('error' in reason) request.reject(reason.error);
    else request.resolve({ done: true, value: undefined });
  }

  function finish(reason: { readonly error?: unknown }): void {
    end ??= reason;
    stall.unsubscribe();
    hold(false);
    for (const request of requests.splice(0)) settle(request);
  }

  function leave(): void {
    values.length = 0;
    taken = 0;
    end = {};
    subscription?.unsubscribe();
    finish({});
  }

  const start = () =>
    source.subscribe({
      next: (value) => {
        const request = requests.shift();
        if (request !== undefined) request.resolve({ done: false, value });
        else if (values.push(value) === 1) watch();
        if (values.length - taken >= highWaterMark) hold(true);
      },
      error: (error: unknown) => finish({ error }),
      complete: () => finish({}),
    });

  return {
    next: () =>
      new Promise((resolve, reject) => {
        subscription ??= end === undefined ? start() : undefined;
        // Waiting values are taken in microtasks, and a loop over them would starve everything else.
        settle(
          loop.isStarving()
            ? { resolve: (result) => loop.nextTask(() => resolve(result)), reject }
            : { resolve, reject },
        );
      }),
    return: async () => {
      leave();
      return { done: true, value: undefined };
    },
    throw: async (error: unknown) => {
      leave();
      throw error;
    },
  };
}
