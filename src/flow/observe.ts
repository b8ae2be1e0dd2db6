import { type Observable, type Subscriber, type Subscription, takeWhile } from 'rxjs';

/** What an operator does with its source: what it leaves out goes on as it came. */
export interface SourceObserver<T> {
  next(value: T): void;
  error?(error: unknown): void;
  complete?(): void;
}

/**
 * Subscribes an operator to its source on behalf of its subscriber. What `next` and `complete` throw is
 * an error of the source.
 */
export function observe<T, R>(
  source: Observable<T>,
  subscriber: Subscriber<R>,
  observer: SourceObserver<T>,
): Subscription {
  // The work is done where it can stop the source: one that emits synchronously is known to nothing else yet.
  const isWanted = (value: T): boolean => {
    observer.next(value);
    return !subscriber.closed;
  };
  const error = (cause: unknown) =>
    observer.error === undefined ? subscriber.error(cause) : observer.error(cause);
  return source.pipe(takeWhile(isWanted)).subscribe({
    error,
    complete: () => {
      if (subscriber.closed) return;
      try {
        if (observer.complete === undefined) subscriber.complete();
        else observer.complete();
      } catch (cause) {
        error(cause);
      }
    },
  });
}
