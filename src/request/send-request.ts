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
import { type RequestFailure, TransportError } from '../turn/errors.js';
import { type Admission, admitted } from './admission.js';
import { checkStatus } from './check-status.js';
import { responseTimeout } from './response-timeout.js';
import { causeWithoutSecrets, cleanFailure, type Redact, redactor } from './secrets.js';
import type { HttpRequest, HttpResponse, Transport } from './transport.js';

/** A provider's answer with status 2xx, its body not yet read. */
export interface Answer {
  readonly response: HttpResponse;
  /** Takes the secrets of its request out of what it says. */
  readonly redact: Redact;
  /** Released where the answer has ended. */
  readonly admission?: Subscription;
}

/** The attempts of one turn, counted here alone. */
export interface AttemptCount {
  attempt: number;
  /** What those failed with that were retried. */
  readonly failures: RequestFailure[];
  /** What the caller's own `apiKey` or `admission` failed with, which passes unchanged. */
  ownError: unknown;
}

export interface SendRequestOptions extends AttemptCount {
  readonly provider: ModelProvider;
  readonly transport: Transport;
  /** Asked between two reads of the answer's body. */
  readonly demand: { readonly ask: () => Observable<unknown> } | undefined;
  readonly responseTimeout: number;
  readonly maxRetries: number;
  readonly maxRetryAfter: number;
  readonly options: {
    readonly admission?: Admission | undefined;
    /** Whether the caller decides on retries, who may want to read the answer. */
    readonly retry?: { readonly retryable?: unknown } | undefined;
  };
  readonly scheduler: SchedulerLike;
  readonly log: TurnDiagnostics;
}

/**
 * One attempt: admission, key, transport, `responseTimeout`, status. Each subscription asks for the key and sends the
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
      return callTransport(transport, request, redact).pipe(
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

/** Calls a transport. One that is none is the caller's mistake: a `TypeError`, which no attempt follows. */
function callTransport(transport: Transport, request: HttpRequest, redact: Redact): Observable<HttpResponse> {
  const failure = (error: unknown) => cleanFailure(error, redact, (cause) => new TransportError({ cause }));
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
