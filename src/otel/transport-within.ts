import { type Context, context } from '@opentelemetry/api';
import { isObservable, map, Observable } from 'rxjs';
import { observe } from '../flow/observe.js';
import type { HttpResponse, Transport } from '../request/transport.js';

/**
 * A transport that runs in one context and delivers in another: an instrumented HTTP client makes its span a child of
 * that context's span, and what the application does with the answer is no part of it.
 */
export function transportWithin(inner: Context, outer: Context, transport: Transport): Transport {
  return (request) => {
    const responses: unknown = context.with(inner, () => transport(request));
    // It is the turn's to say what is wrong with it.
    if (!isObservable(responses)) return responses as Observable<HttpResponse>;
    return subscribedIn(inner, responses as Observable<HttpResponse>).pipe(
      map(({ status, headers, body }) => ({ status, headers, body: deliveredIn(outer, body) })),
      (answered) => deliveredIn(outer, answered),
    );
  };
}

const subscribedIn = <T>(active: Context, source: Observable<T>): Observable<T> =>
  new Observable((subscriber) => context.with(active, () => source.subscribe(subscriber)));

/** By hand: no operator stands around the calls of its observer. */
const deliveredIn = <T>(active: Context, source: Observable<T>): Observable<T> =>
  new Observable((subscriber) =>
    observe(source, subscriber, {
      next: (value) => context.with(active, () => subscriber.next(value)),
      error: (error) => context.with(active, () => subscriber.error(error)),
      complete: () => context.with(active, () => subscriber.complete()),
    }),
  );
