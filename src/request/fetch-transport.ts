import { Observable, type Subscriber, take, throwIfEmpty } from 'rxjs';
import {
  ChatCompletionsError,
  IdleTimeoutError,
  platformCode,
  ResponseTimeoutError,
  StreamError,
  TransportError,
} from '../turn/errors.js';
import { eventLoop } from '../flow/event-loop.js';
import { fallbackFetch } from './fallback-fetch.js';
import { isRedirectStatus, refusedRedirect } from './redirect.js';
import { causeWithoutSecrets, redactor } from './secrets.js';
import type { HttpHeaders } from '../turn/wire.js';
import {
  handOver,
  type HttpRequest,
  type HttpResponse,
  type OpenResponse,
  type Transport,
} from './transport.js';

/** The part of a platform's `Response` that is used. */
export interface FetchResponse {
  readonly status: number;
  readonly type?: string | undefined;
  readonly headers: HttpHeaders;
  /** A web stream, or the Node stream of `cross-fetch`; `null` if there is none. */
  readonly body: unknown;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The platform's `fetch`, or a compatible function. */
export type FetchLike = (url: string, init: RequestInit) => Promise<FetchResponse>;

export interface FetchTransportOptions {
  /** Default: the platform's `fetch`, looked up at each subscription, or `cross-fetch` if there is none. */
  readonly fetch?: FetchLike | undefined;
  /** Passed through to `fetch`: `credentials`, `mode`, `cache`, `priority` and so on. */
  readonly init?: Omit<RequestInit, 'method' | 'headers' | 'body' | 'signal' | 'redirect'> | undefined;
}

/**
 * The default transport, over `fetch`.
 *
 * Redirects are not followed and fail with a `TransportError` that is not retried: following one would send the
 * prompt, and keys in headers, to an address that nobody configured.
 *
 * Node's `fetch` gives up after 300 s of silence, which becomes a `ResponseTimeoutError` before the headers and
 * an `IdleTimeoutError` after them.
 *
 * @example
 * ```ts
 * const transport = fetchTransport({ init: { credentials: 'include' } });
 * streamChatCompletions('Hello', { model, provider, transport }).subscribe();
 * ```
 *
 * @param options - the `fetch` to use, and options for it
 * @returns a transport: each subscription is one request with its own `AbortController`
 */
export function fetchTransport(options: FetchTransportOptions = {}): Transport {
  return (request) =>
    new Observable<HttpResponse>((subscriber) => {
      const controller = new AbortController();
      const { url, headers, demand } = request;
      let answered = false;
      send(request, options, controller.signal)
        .then((response) => {
          answered = true;
          if (isRedirect(response)) {
            controller.abort();
            subscriber.error(refusedRedirect());
            return;
          }
          handOver(subscriber, openResponse(response, { url, headers, demand }, controller));
        })
        // Also where a `fetch` of the caller's resolved to something that is no response.
        .catch((error: unknown) => subscriber.error(noAnswer(error, request)));
      return () => {
        if (!answered) controller.abort();
      };
    });
}

async function send(
  request: HttpRequest,
  options: FetchTransportOptions,
  signal: AbortSignal,
): Promise<FetchResponse> {
  const { url, method, headers, body } = request;
  const platform: { fetch?: FetchLike } = globalThis;
  // Called as plain functions: browsers refuse a `fetch` that is called as a method of anything else.
  const fetch = options.fetch ?? platform.fetch ?? (await fallbackFetch());
  // The subscriber may have left while cross-fetch was being loaded.
  signal.throwIfAborted();
  return fetch(url, { ...options.init, method, headers: { ...headers }, body, signal, redirect: 'manual' });
}

/** What an answer still needs of its request. Its body, which may be large, is let go of. */
interface Asked extends Pick<HttpRequest, 'url' | 'headers'> {
  readonly demand: HttpRequest['demand'] | undefined;
}

/** One network read at a time; the next is made when `demand` has a value, or at once. */
function openResponse(response: FetchResponse, asked: Asked, controller: AbortController): OpenResponse {
  const { status, headers } = response;
  const { demand } = asked;
  let hasEnded = false;
  const bytes = new Observable<Uint8Array>((subscriber) => {
    // By hand: RxJS's `repeat()` costs 0.9 µs more for each read (docs/decisions/0004).
    const pump = async () => {
      const read = readerOf(response);
      const loop = eventLoop();
      while (!subscriber.closed) {
        const { done, value } = await read();
        if (done === true) {
          hasEnded = true;
          subscriber.complete();
          return;
        }
        subscriber.next(value as Uint8Array);
        if (demand !== undefined && !subscriber.closed) await firstOf(demand(), subscriber);
        if (loop.isStarving()) await new Promise<void>((resolve) => loop.nextTask(resolve));
      }
    };
    pump().catch((error: unknown) => {
      // Most are our own abort, of which nobody hears.
      if (subscriber.closed) return;
      // An error of the demand passes unchanged.
      subscriber.error(error instanceof ChatCompletionsError ? error : brokenBody(error, asked));
    });
  });
  return {
    status,
    headers,
    bytes,
    abort() {
      if (!hasEnded) controller.abort();
    },
  };
}

/** Waits for a value as long as the subscriber is there. */
const firstOf = (values: Observable<unknown>, subscriber: Subscriber<Uint8Array>): Promise<unknown> =>
  new Promise((next, error) => {
    subscriber.add(values.pipe(take(1), throwIfEmpty()).subscribe({ next, error }));
  });

type Read = () => Promise<{ done?: boolean | undefined; value?: Uint8Array | undefined }>;

function readerOf(response: FetchResponse): Read {
  const body = response.body as
    Partial<ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>> | null | undefined;
  const reader = body?.getReader?.();
  if (reader !== undefined) return () => reader.read();
  const chunks = body?.[Symbol.asyncIterator]?.() ?? wholeBody(response);
  return () => chunks.next();
}

/** For an answer without a stream: an empty one, or one of a platform that cannot stream (React Native). */
async function* wholeBody(response: FetchResponse): AsyncGenerator<Uint8Array, undefined> {
  yield new Uint8Array(await response.arrayBuffer());
}

/** Browsers show a redirect only as a response of this type, with status 0. */
const isRedirect = ({ type, status }: FetchResponse): boolean =>
  type === 'opaqueredirect' || isRedirectStatus(status);

/** The limit after which Node's own `fetch` gives up on a silent connection, in milliseconds. */
const nodeFetchTimeout = 300_000;

function noAnswer(
  error: unknown,
  request: Pick<Asked, 'url' | 'headers'>,
): ResponseTimeoutError | TransportError {
  const cause = causeWithoutSecrets(error, redactor(request));
  return platformCode(cause) === 'UND_ERR_HEADERS_TIMEOUT'
    ? new ResponseTimeoutError(nodeFetchTimeout, cause)
    : new TransportError({ cause });
}

function brokenBody(error: unknown, request: Pick<Asked, 'url' | 'headers'>): StreamError {
  const cause = causeWithoutSecrets(error, redactor(request));
  return platformCode(cause) === 'UND_ERR_BODY_TIMEOUT'
    ? new IdleTimeoutError(nodeFetchTimeout, cause)
    : new StreamError({ cause });
}
