import { filter, type Observable, type Subscriber, type Subscription } from 'rxjs';

/** Thrown where a subscriber has left; nobody hears of it. */
const left = /* @__PURE__ */ Symbol('left');

/** What an operator does with its source: what it leaves out goes on as it came. */
export interface SourceObserver<T> {
  /** `true` where the source is to be read on although the subscriber has left or is complete. */
  next(value: T): unknown;
  error?(error: unknown): void;
  complete?(): void;
}

/**
 * Subscribes an operator to its source on behalf of its subscriber. What `next` and `complete` throw is
 * an error of the source.
 *
 * The work is done in `filter`, which lets nothing through: what it throws stops the source, one that emits
 * synchronously too, which is known to nothing else yet.
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
