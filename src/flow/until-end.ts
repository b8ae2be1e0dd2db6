import { asyncScheduler, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { observe } from './observe.js';
import { scheduleInBackground } from './timers.js';

/** Reads the parts of a source that says itself where it ends, such as an event stream with `[DONE]`. */
export interface EndingReader<T, R> {
  /** What a part gives; `undefined` for nothing. What it throws is an error of the source. */
  read(part: T): R | undefined;
  /** Whether the parts have said that all is said. */
  isDone(): boolean;
  /** What the end of a source gives that has not said so. What it throws is an error, too. */
  end(): R | undefined;
  /** The error in place of the source's own. Default: that one. */
  errorOf?(error: unknown): unknown;
}

/** How long a connection may take to end by itself, in milliseconds. */
const grace = 1_000;

/**
 * Completes where the source says that it is done, and keeps the connection: reads on, dropping what comes,
 * until the source ends by itself or a grace of 1,000 ms has passed, so that the next request can use the
 * connection. An unsubscribe before that ends the source at once.
 *
 * ```
 * source   --a--b--[DONE]--x--|
 *          untilEnd(reader)
 * result   --A--B--|
 * read     ^------------------!
 * ```
 *
 * Whether it is done is known before the subscriber completes: whoever unsubscribes because of what comes
 * with the completion (`first()`, `firstValueFrom`) leaves the connection its grace too.
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
      let isDone = false;
      let isSubscribed = false;

      const connection = observe(source, subscriber, {
        next(part) {
          const value = reader.read(part);
          if (isDone) return isSubscribed || value === undefined;
          if (value !== undefined) subscriber.next(value);
          if (!subscriber.closed && reader.isDone()) {
            isDone = true;
            subscriber.complete();
          }
          return isDone;
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
        if (!isDone) connection.unsubscribe();
        else if (!connection.closed)
          connection.add(scheduleInBackground(scheduler, () => connection.unsubscribe(), grace));
      };
    });
}
