import type { Context } from '@opentelemetry/api';
import { isObservable, map, type Observable } from 'rxjs';
import type { HttpResponse, Transport } from '../request/transport.js';
import { deliveredIn, subscribedIn, within } from './within.js';

/**
 * A transport that runs in one context and delivers in another: an instrumented HTTP client makes its span a child of
 * that context's span, and what the application does with the answer is no part of it.
 */
export function transportWithin(inner: Context, outer: Context, transport: Transport): Transport {
  return (request) => {
    const responses: unknown = within(inner, () => transport(request));
    // It is the turn's to say what is wrong with it.
    if (!isObservable(responses)) return responses as Observable<HttpResponse>;
    return subscribedIn(inner, responses as Observable<HttpResponse>).pipe(
      map(({ status, headers, body }) => ({ status, headers, body: deliveredIn(outer, body) })),
      (answered) => deliveredIn(outer, answered),
    );
  };
}
