import { asyncScheduler, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { observe } from './observe.js';
import { inBackground } from './timers.js';

/** Reads the parts of a source that says itself where it ends, such as an event stream with `[DONE]`. */
export interface EndingReader<T, R> {
  /** What a part gives; `undefined` for nothing. What it throws is an error of the source. */
  read(part: T): R | undefined;
  /** Whether the parts have said that all is said. */
  isDone(): boolean;
  /** Whether that may come next: unsubscribing now leaves the connection its grace too. Default: no. */
  mayBeDone?(): boolean;
  /** What the end of a source gives that has not said so. What it throws is an error, too. */
  end(): R | undefined;
  /** The error in place of the source's own. Default: that one. */
  readonly errorOf?: ((error: unknown) => unknown) | undefined;
}

/** How long a connection may take to end by itself, in milliseconds. */
const grace = 1_000;

/**
 * Completes where the source says that it is done, and keeps the connection: reads on, dropping what comes,
 * until the source ends by itself or a grace of 1,000 ms has passed, so that the next request can use the
 * connection. An unsubscribe before that ends the source at once, except where it may be done: then the next
 * value does.
 *
 * ```
 * source   --a--b--[DONE]--x--|
 *          untilEnd(reader)
 * result   --A--B--|
 * read     ^------------------!
 * ```
 *
 * A subscriber that leaves because of the completion (`first()`, `firstValueFrom`) leaves it the grace too.
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
          // The subscriber has left at what may have been the last value. It was not, if another comes.
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
