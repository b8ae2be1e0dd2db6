import { filter, type Observable, type Subscriber, type Subscription } from 'rxjs';

/** Thrown if the subscriber has left; nobody sees it. */
const left = /* @__PURE__ */ Symbol('left');

/** What an operator does with its source. Notifications without a handler pass unchanged. */
export interface SourceObserver<T> {
  /** `true` to keep reading the source although the subscriber has left or is complete. */
  next(value: T): unknown;
  error?(error: unknown): void;
  complete?(): void;
}

/**
 * Subscribes an operator to its source on behalf of its subscriber. If `next` or `complete` throws, the result
 * errors.
 *
 * The work is done in a `filter` that lets nothing through: an error thrown there stops even a source that
 * emits synchronously, whose subscription nothing else holds yet.
 */
export function observe<T, R>(
  source: Observable<T>,
  subscriber: Subscriber<R>,
  observer: SourceObserver<T>,
): Subscription {
  const error = (cause: unknown) => {
    if (subscriber.closed) return;
    if (observer.error === undefined) subscriber.error(cause);
    else observer.error(cause);
  };
  const work = (value: T): boolean => {
    if (observer.next(value) !== true && subscriber.closed) throw left;
    return false;
  };
  return source.pipe(filter(work)).subscribe({
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
