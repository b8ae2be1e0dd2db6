import { asyncScheduler, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { observe } from './observe.js';
import { inBackground } from './timers.js';

/** Reads the parts of a source that marks its own end, such as an event stream with `[DONE]`. */
export interface EndingReader<T, R> {
  /** Returns a part's result; `undefined` for none. If it throws, the result errors. */
  read(part: T): R | undefined;
  /** Whether the end mark has been read. */
  isDone(): boolean;
  /**
   * Whether the end mark may come next: unsubscribing now leaves the connection its grace period too. Default:
   * no.
   */
  mayBeDone?(): boolean;
  /** Returns the result for a source that ends without its mark. If it throws, the result errors. */
  end(): R | undefined;
  /** Maps the source's error. Default: unchanged. */
  readonly errorOf?: ((error: unknown) => unknown) | undefined;
}

/** How long a connection may take to end after the end mark, in milliseconds. */
const grace = 1_000;

/**
 * Completes at the end mark and keeps the connection: reads on, dropping what arrives, until the source ends or
 * a grace period of 1,000 ms has passed, so that the next request can reuse it. An earlier unsubscribe ends the
 * source at once, except where the end mark may come next: then the next value ends it.
 *
 * ```
 * source   --a--b--[DONE]--x--|
 *          untilEnd(reader)
 * result   --A--B--|
 * read     ^------------------!
 * ```
 *
 * A subscriber that leaves because of the completion (`first()`, `firstValueFrom`) leaves the connection its
 * grace period too.
 *
 * @see docs/decisions/0002-the-end-and-its-grace.md
 */
export function untilEnd<T, R>(
  readerOf: () => EndingReader<T, R>,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable((subscriber) => {
      const reader = readerOf();
      const mayBeDone = () => reader.mayBeDone?.() ?? false;
      let isDone = false;
      let isSubscribed = false;

      const connection = observe(source, subscriber, {
        next(part) {
          const value = reader.read(part);
          if (isDone) return isSubscribed || value === undefined;
          // The subscriber left at what may have been the last value. If another arrives, it was not.
          if (subscriber.closed) return value === undefined;
          if (value !== undefined) subscriber.next(value);
          if (!subscriber.closed && reader.isDone()) {
            isDone = true;
            subscriber.complete();
          }
          return isDone || (subscriber.closed && mayBeDone());
        },
        error: (error) => subscriber.error(reader.errorOf === undefined ? error : reader.errorOf(error)),
        complete() {
          const value = reader.end();
          if (value !== undefined) subscriber.next(value);
          subscriber.complete();
        },
      });
      isSubscribed = true;
      return () => {
        if (!isDone && !mayBeDone()) connection.unsubscribe();
        else if (!connection.closed)
          connection.add(inBackground(scheduler).schedule(() => connection.unsubscribe(), grace));
      };
    });
}
