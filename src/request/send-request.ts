import {
  catchError,
  concatMap,
  defer,
  isObservable,
  map,
  type Observable,
  type SchedulerLike,
  tap,
  throwError,
  throwIfEmpty,
} from 'rxjs';
import { resolveApiKey } from '../provider/api-key.js';
import { endpointOf } from '../provider/endpoint.js';
import type { ModelProvider } from '../provider/model-provider.js';
import type { TurnDiagnostics } from '../turn/diagnostics.js';
import { TransportError, wrapForeignError } from '../turn/errors.js';
import { checkStatus } from './check-status.js';
import { responseTimeout } from './response-timeout.js';
import { causeWithoutSecrets, type Redact, redactor } from './secrets.js';
import type { HttpRequest, HttpResponse, Transport } from './transport.js';

/** A provider's answer with status 2xx, its body not yet read. */
export interface Answer {
  readonly response: HttpResponse;
  /** Takes the secrets of its request out of what it says. */
  readonly redact: Redact;
}

/** The attempts of one turn, counted here alone. */
export interface Attempts {
  count: number;
  /** What the provider's `apiKey` function failed with: the caller's own error, which passes unchanged. */
  keyError: unknown;
}

export interface SendRequestOptions {
  readonly provider: ModelProvider;
  readonly transport: Transport;
  /** Asked between two reads of the answer's body. */
  readonly demand: { readonly ask: () => Observable<unknown> } | undefined;
  readonly responseTimeout: number;
  readonly retry: {
    readonly maxRetries: number;
    readonly maxRetryAfter: number;
    readonly retryable?: unknown;
  };
  readonly scheduler: SchedulerLike;
  readonly log: TurnDiagnostics;
  readonly attempts: Attempts;
}

/**
 * One attempt: key, transport, `responseTimeout`, status. Each subscription asks for the key and sends the
 * request anew; unsubscribing aborts it until its answer is there, and from then on the body owns the connection.
 *
 * ```
 * key        --k
 * transport     ----(a|)        a: status 200
 *            sendRequest(body)
 * result     ------(a|)
 * ```
 *
 * @see docs/decisions/0001-transport-ownership.md
 */
export function sendRequest(body: string, options: SendRequestOptions): Observable<Answer> {
  const { provider, transport, demand, retry, scheduler, log, attempts } = options;
  return defer(() => resolveApiKey(provider)).pipe(
    tap({ error: (error: unknown) => (attempts.keyError = error) }),
    concatMap((key) => {
      const endpoint = endpointOf(provider, key);
      const redact = redactor(endpoint, key);
      const request: HttpRequest = {
        ...endpoint,
        method: 'POST',
        body,
        ...(demand && { demand: demand.ask }),
      };
      attempts.count += 1;
      log.request(attempts.count, request);
      return callTransport(transport, request, redact).pipe(
        responseTimeout(options.responseTimeout, scheduler),
        tap((response) => log.response(response, redact)),
        checkStatus({
          needsBody: ({ retryAfter = 0 }) =>
            attempts.count > retry.maxRetries ||
            retryAfter > retry.maxRetryAfter ||
            retry.retryable !== undefined,
          redact,
          scheduler,
        }),
        map((response) => ({ response, redact })),
      );
    }),
  );
}

/** Calls a transport. One that is none is the caller's mistake: a `TypeError`, which no attempt follows. */
function callTransport(transport: Transport, request: HttpRequest, redact: Redact): Observable<HttpResponse> {
  const failure = (error: unknown) =>
    wrapForeignError(error, (cause) => new TransportError({ cause: causeWithoutSecrets(cause, redact) }));
  let responses: unknown;
  try {
    responses = transport(request);
  } catch (error) {
    const cause = causeWithoutSecrets(error, redact);
    return throwError(() =>
      error instanceof TypeError
        ? new TypeError('options.transport threw a TypeError.', { cause })
        : failure(error),
    );
  }
  if (!isObservable(responses)) {
    return throwError(
      () =>
        new TypeError(
          'options.transport must return an Observable. Is it fetchTransport in place of fetchTransport()?',
        ),
    );
  }
  return (responses as Observable<HttpResponse>).pipe(
    throwIfEmpty(),
    catchError((error: unknown) => throwError(() => failure(error))),
  );
}
