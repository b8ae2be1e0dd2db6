import type { Context } from '@opentelemetry/api';
import { isObservable, map, type Observable } from 'rxjs';
import type { HttpResponse, Transport } from '../request/transport.js';
import { deliveredIn, subscribedIn, within } from './within.js';

/**
 * A transport that runs in one context and delivers in another, so that the span of an instrumented HTTP client is a child
 * of the first context's span, and the application's handling of the answer is not.
 */
export function transportWithin(inner: Context, outer: Context, transport: Transport): Transport {
  return (request) => {
    const responses: unknown = within(inner, () => transport(request));
    // The turn reports what is wrong with it.
    if (!isObservable(responses)) return responses as Observable<HttpResponse>;
    return subscribedIn(inner, responses as Observable<HttpResponse>).pipe(
      map(({ status, headers, body }) => ({ status, headers, body: deliveredIn(outer, body) })),
      (answered) => deliveredIn(outer, answered),
    );
  };
}
