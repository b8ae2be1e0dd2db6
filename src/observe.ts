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
  const error = (cause: unknown) =>
    observer.error === undefined ? subscriber.error(cause) : observer.error(cause);
  // A source that emits synchronously can be stopped only from inside: nothing else knows it yet.
  return source.pipe(takeWhile(() => !subscriber.closed)).subscribe({
    next: (value) => {
      try {
        observer.next(value);
      } catch (cause) {
        error(cause);
      }
    },
    error,
    complete: () => {
      try {
        if (observer.complete === undefined) subscriber.complete();
        else observer.complete();
      } catch (cause) {
        error(cause);
      }
    },
  });
}
