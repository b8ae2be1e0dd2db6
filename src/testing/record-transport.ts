import { asyncScheduler, defer, noop, Observable, of, type SchedulerLike, tap } from 'rxjs';
import {
  IdleTimeoutError,
  platformCode,
  propertyOf,
  ResponseTimeoutError,
  TransportError,
} from '../turn/errors.js';
import { redact, sought } from '../request/secrets.js';
import { monotonicClock } from '../flow/monotonic-clock.js';
import type { HttpRequest, HttpResponse, Transport } from '../request/transport.js';
import { type HttpHeaders, stringOf } from '../turn/wire.js';
import type { Cassette, RecordedEnd, RecordedError, RecordedExchange } from './cassette.js';
import { toBinary, writeRead } from './cassette.js';
import { promptTexts, redactPieces, secretsToRemove, soughtInBody } from './redact-exchange.js';

export interface RecordTransportOptions {
  /** Keeps the request's body, with the prompt and the parameters. Default `false`. */
  readonly keepRequestBody?: boolean;
  /** More secrets, besides those in the request's headers and query. */
  readonly secrets?: readonly string[];
  /** The clock for the recorded times. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** The headers of an answer that this library reads. */
const headerNames = [
  'content-type',
  'date',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-request-id',
  'request-id',
  'apim-request-id',
  ...['requests', 'tokens'].flatMap((what) =>
    ['limit', 'remaining', 'reset'].map((figure) => `x-ratelimit-${figure}-${what}`),
  ),
];

/**
 * A transport that records another one's exchanges, for `replayTransport`.
 *
 * It keeps the URL without its query, the status, the headers that this library reads, the body read by read
 * with its times, and how it ended. It does not keep the request's headers, nor its body (with the prompt)
 * unless `keepRequestBody` is set. If the provider repeats the key or another secret of the request, or a text
 * of the prompt (16 characters or more), it is replaced by `***`, even if it is encoded or split across deltas;
 * secrets shorter than 7 characters are not found. The output is kept unchanged, and a model may repeat its
 * input: read a cassette before you commit it.
 *
 * @example
 * ```ts
 * const transport = recordTransport(fetchTransport(), (cassette) =>
 *   writeFileSync('turn.json', JSON.stringify(cassette, null, 2)),
 * );
 * streamChatCompletions('Why is the sky blue?', { model: 'm', provider, transport }).subscribe();
 * ```
 *
 * @param inner - the transport to record
 * @param sink - called with all exchanges so far whenever one ends: the last call has the whole turn. If it
 * throws, RxJS reports an unhandled error, and the turn is not affected
 * @param options - what else to keep
 * @returns a transport for one cassette, which records its requests one after the other
 */
export function recordTransport(
  inner: Transport,
  sink: (cassette: Cassette) => void,
  options: RecordTransportOptions = {},
): Transport {
  const exchanges: (RecordedExchange | undefined)[] = [];
  return (request) =>
    new Observable<HttpResponse>((subscriber) => {
      const place = exchanges.push(undefined) - 1;
      const recorder = exchangeRecorder(request, options, (exchange) => {
        exchanges[place] = exchange;
        const cassette = { version: 1, exchanges: exchanges.filter((other) => other !== undefined) } as const;
        // As a subscriber the sink cannot break the turn: RxJS reports what it throws.
        of(cassette).subscribe({ next: sink, error: noop });
      });
      let answered = false;
      subscriber.add(() => {
        if (!answered) recorder.end('aborted');
      });
      return defer(() => inner(request)).subscribe({
        next: (response) => {
          answered = true;
          recorder.response(response);
          let taken = false;
          const body = defer(() => {
            // A body that is read a second time fails, which is no part of what was answered.
            if (taken) return response.body;
            taken = true;
            return response.body.pipe(
              tap({
                next: (bytes) => recorder.read(bytes),
                error: (error: unknown) => recorder.end('error', error),
                complete: () => recorder.end('complete'),
                unsubscribe: () => recorder.end('aborted'),
              }),
            );
          });
          subscriber.next({ status: response.status, headers: response.headers, body });
          if (!taken) recorder.end('aborted');
        },
        error: (error: unknown) => {
          recorder.end('error', error);
          subscriber.error(error);
        },
        complete: () => subscriber.complete(),
      });
    });
}

interface ExchangeRecorder {
  response(response: HttpResponse): void;
  read(bytes: Uint8Array): void;
  /** Tells of the exchange; what comes after the first end is ignored. */
  end(type: RecordedEnd['type'], error?: unknown): void;
}

function exchangeRecorder(
  request: HttpRequest,
  { keepRequestBody = false, secrets: further, scheduler = asyncScheduler }: RecordTransportOptions,
  tell: (exchange: RecordedExchange) => void,
): ExchangeRecorder {
  const clock = monotonicClock(scheduler);
  const now = () => Math.round(clock.now());
  let secrets = secretsToRemove(request, further);
  const clean = (text: string) => redact(text, sought(secrets));
  const reads: { readonly at: number; readonly binary: string }[] = [];
  let head:
    { readonly at: number; readonly status: number; readonly headers: Record<string, string> } | undefined;
  let ended = false;

  function bodyWithoutSecrets() {
    const pieces = redactPieces(
      reads.map(({ binary }) => binary),
      soughtInBody(secrets, keepRequestBody ? [] : promptTexts(request.body)),
    );
    return pieces.map((binary, index) => writeRead(reads[index]?.at ?? 0, binary));
  }

  return {
    response({ status, headers }) {
      const kept: Record<string, string> = {};
      secrets = secretsToRemove(request, [...(further ?? []), ...cookiesOf(headers)]);
      for (const name of headerNames) {
        const value = headers.get(name);
        if (value !== null) kept[name] = clean(value);
      }
      head = { at: now(), status, headers: kept };
    },
    read: (bytes) => void reads.push({ at: now(), binary: toBinary(bytes) }),
    end(type, error) {
      if (ended) return;
      ended = true;
      const at = now();
      tell({
        request: {
          method: request.method,
          url: clean(request.url.replace(/[?#].*/s, '')),
          ...(keepRequestBody && { body: clean(request.body) }),
        },
        ...(head && { response: { ...head, body: bodyWithoutSecrets() } }),
        end: type === 'error' ? { type, at, error: errorOf(error, clean) } : { type, at },
      });
    },
  };
}

/** The values of the cookies that an answer sets. */
const cookiesOf = (headers: HttpHeaders): readonly string[] =>
  Array.from(
    (headers.get('set-cookie') ?? '').matchAll(/(?:^|,)[^=;,]+=([^;,]+)/g),
    ([, value = '']) => value,
  );

function errorOf(error: unknown, clean: (text: string) => string): RecordedError {
  const code = platformCode(error);
  const name = error instanceof Error ? stringOf(propertyOf(error, 'name')) : '';
  return {
    name: /^\w{1,64}$/.test(name) && clean(name) === name ? name : 'Error',
    ...(code !== undefined && clean(code) === code && { code }),
    ...(error instanceof TransportError && { retryable: error.retryable }),
    ...((error instanceof ResponseTimeoutError || error instanceof IdleTimeoutError) && {
      timeout: error.timeout,
    }),
  };
}
