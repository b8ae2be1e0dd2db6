import {
  catchError,
  concatMap,
  from,
  isObservable,
  map,
  type Observable,
  type SchedulerLike,
  type Subscription,
  tap,
  throwIfEmpty,
} from 'rxjs';
import { resolveApiKey } from '../provider/api-key.js';
import { endpointOf } from '../provider/endpoint.js';
import type { ModelProvider } from '../provider/model-provider.js';
import type { TurnDiagnostics } from '../turn/diagnostics.js';
import { type RequestFailure, TransportError, withProvider } from '../turn/errors.js';
import { type Admission, admitted } from './admission.js';
import { checkStatus } from './check-status.js';
import { responseTimeout } from './response-timeout.js';
import { causeWithoutSecrets, cleanFailure, type Redact, redactor } from './secrets.js';
import type { HttpRequest, HttpResponse, Transport } from './transport.js';

/** A provider's response with status 2xx, its body not yet read. */
export interface Answer {
  readonly response: HttpResponse;
  /** Removes the request's secrets from texts of the response. */
  readonly redact: Redact;
  /** Released when the response has ended. */
  readonly admission?: Subscription;
}

/** The attempts of one turn. */
export interface AttemptCount {
  attempt: number;
  /** The errors of the retried attempts. */
  readonly failures: RequestFailure[];
  /** The error of the caller's `apiKey` or `admission`, which passes unchanged. */
  ownError: unknown;
}

export interface SendRequestOptions extends AttemptCount {
  readonly provider: ModelProvider;
  readonly transport: Transport;
  /** Called between two reads of the response body. */
  readonly demand: { readonly ask: () => Observable<unknown> } | undefined;
  readonly responseTimeout: number;
  readonly maxRetries: number;
  readonly maxRetryAfter: number;
  readonly options: {
    readonly admission?: Admission | undefined;
    /** Whether the caller decides on retries, and may want to read the body. */
    readonly retry?: { readonly retryable?: unknown } | undefined;
  };
  readonly scheduler: SchedulerLike;
  readonly log: TurnDiagnostics;
}

/**
 * One attempt: admission, key, transport, `responseTimeout`, status. Each subscription gets the key and sends
 * the request; unsubscribing aborts it until the response arrives, and from then on the body owns the
 * connection.
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
export function sendRequest(body: string, turn: SendRequestOptions): Observable<Answer> {
  const { provider, transport, demand, scheduler, log } = turn;
  const { admission } = turn.options;
  const own = { error: (error: unknown) => (turn.ownError = error) };
  const attempt = resolveApiKey(provider, scheduler).pipe(
    tap(own),
    concatMap((key) => {
      const endpoint = endpointOf(provider, key);
      const redact = redactor(endpoint, key);
      const request: HttpRequest = {
        ...endpoint,
        method: 'POST',
        body,
        ...(demand && { demand: demand.ask }),
      };
      turn.attempt += 1;
      log.request(turn.attempt, request, redact);
      return callTransport(transport, request, provider.name, redact).pipe(
        responseTimeout(turn.responseTimeout, scheduler),
        tap((response) => log.response(response, redact)),
        checkStatus({
          needsBody: ({ retryAfter = 0 }) =>
            turn.attempt > turn.maxRetries ||
            retryAfter > turn.maxRetryAfter ||
            turn.options.retry?.retryable !== undefined,
          redact,
          scheduler,
        }),
        map((response): Answer => ({ response, redact })),
      );
    }),
  );
  if (admission === undefined) return attempt;
  const ask = () => from(admission({ attempt: turn.attempt + 1, body })).pipe(tap(own));
  return admitted(ask, attempt);
}

/** Calls the transport. An invalid one is the caller's mistake: a `TypeError`, which is not retried. */
function callTransport(
  transport: Transport,
  request: HttpRequest,
  name: string,
  redact: Redact,
): Observable<HttpResponse> {
  const failure = (error: unknown) =>
    withProvider(
      cleanFailure(error, redact, (cause) => new TransportError({ cause })),
      redact(`"${name}" at ${new URL(request.url).origin}`),
    );
  let responses: unknown;
  try {
    responses = transport(request);
  } catch (error) {
    if (!(error instanceof TypeError)) throw failure(error);
    const cause = causeWithoutSecrets(error, redact);
    throw new TypeError('options.transport threw a TypeError.', { cause });
  }
  if (!isObservable(responses)) {
    throw new TypeError('options.transport must return an Observable. Did you mean fetchTransport()?');
  }
  return (responses as Observable<HttpResponse>).pipe(
    throwIfEmpty(),
    catchError((error: unknown) => {
      throw failure(error);
    }),
  );
}
