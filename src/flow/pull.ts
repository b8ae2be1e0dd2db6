import type { Observable, Subscription } from 'rxjs';
import { Demand, holder } from './demand.js';
import { eventLoop } from './event-loop.js';

/** How values wait for a consumer that asks for them. */
export interface PullOptions {
  /** The demand of the turns in the source. Default: none, and all that comes is kept until it is taken. */
  readonly demand?: Demand | undefined;
  /** The turns are not read while this many values wait. Default 16. */
  readonly highWaterMark?: number | undefined;
}

/** @throws TypeError where `highWaterMark` is no number of at least 1 */
export function checkPullOptions({ highWaterMark = 16 }: PullOptions): void {
  if (!(typeof highWaterMark === 'number' && highWaterMark >= 1)) {
    throw new TypeError('options.highWaterMark must be a number of at least 1.');
  }
}

interface Request<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/**
 * The waiting room of every consumer that asks for values: an iterator that subscribes at the first
 * `next()` and unsubscribes at `return()` and `throw()`. What came before an error is delivered before it.
 *
 * ```
 * source    --(abcd)--------------(ef)--|
 *           pull()
 * next()    ^-----^---^---^---^-----^---^
 * result    --a---b---c---d-------e-f---done
 * ```
 */
export function pull<T>(
  source: Observable<T>,
  { demand = new Demand(), highWaterMark = 16 }: PullOptions,
): Required<AsyncIterator<T, undefined>> {
  const hold = holder(demand);
  /** Values that nobody has asked for yet; never filled together with `requests`. */
  const values: (T | undefined)[] = [];
  /** How many of them were taken. */
  let taken = 0;
  const requests: Request<T>[] = [];
  const loop = eventLoop();
  let subscription: Subscription | undefined;
  let end: { readonly error?: unknown } | undefined;

  function settle(request: Request<T>): void {
    if (taken < values.length) {
      const value = values[taken] as T;
      values[taken] = undefined;
      taken += 1;
      // To shift an array costs as much as it is long, and without a demand it may be: not before half was taken.
      if (taken === values.length || (taken >= 1_024 && taken * 2 >= values.length)) {
        values.splice(0, taken);
        taken = 0;
      }
      if (values.length - taken < highWaterMark) hold(false);
      request.resolve({ done: false, value });
      return;
    }
    if (end === undefined) {
      requests.push(request);
      return;
    }
    const reason = end;
    // An error is told once; after it the iteration is over.
    end = {};
    if ('error' in reason) request.reject(reason.error);
    else request.resolve({ done: true, value: undefined });
  }

  function finish(reason: { readonly error?: unknown }): void {
    end ??= reason;
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
        if (request === undefined) values.push(value);
        else request.resolve({ done: false, value });
        if (values.length - taken >= highWaterMark) hold(true);
      },
      error: (error: unknown) => finish({ error }),
      complete: () => finish({}),
    });

  return {
    next: () =>
      new Promise((resolve, reject) => {
        subscription ??= end === undefined ? start() : undefined;
        // Values that wait already are taken in microtasks, and a loop over them would starve all else.
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
