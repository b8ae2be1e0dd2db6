import { type Context, context, ROOT_CONTEXT } from '@opentelemetry/api';
import { Observable } from 'rxjs';
import { observe } from '../flow/observe.js';

/** The context of synchronous code if no context manager is registered, as in most browsers. */
let current: Context = ROOT_CONTEXT;

/** The caller's context. */
export function activeContext(): Context {
  const active = context.active();
  return active === ROOT_CONTEXT ? current : active;
}

/** Runs work within a context. */
export function within<T>(active: Context, work: () => T): T {
  const before = current;
  current = active;
  try {
    return context.with(active, work);
  } finally {
    current = before;
  }
}

export const subscribedIn = <T>(active: Context, source: Observable<T>): Observable<T> =>
  new Observable((subscriber) => within(active, () => source.subscribe(subscriber)));

/** By hand, since no operator wraps the calls to its observer. */
export const deliveredIn = <T>(active: Context, source: Observable<T>): Observable<T> =>
  new Observable((subscriber) =>
    observe(source, subscriber, {
      next: (value) => within(active, () => subscriber.next(value)),
      error: (error) => within(active, () => subscriber.error(error)),
      complete: () => within(active, () => subscriber.complete()),
    }),
  );
