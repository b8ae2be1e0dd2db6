import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { createRequire } from 'node:module';
import type { Readable, Transform } from 'node:stream';
import { Observable, take, throwIfEmpty } from 'rxjs';
import { StreamError, TransportError } from '../turn/errors.js';
import { isRedirectStatus, refusedRedirect } from '../request/redirect.js';
import { causeWithoutSecrets, redactor } from '../request/secrets.js';
import {
  handOver,
  type HttpRequest,
  type HttpResponse,
  type OpenResponse,
  type Transport,
} from '../request/transport.js';
import type { HttpHeaders } from '../turn/wire.js';

export interface NodeTransportOptions {
  /** Default: the transport's own keep-alive agents, one per protocol. */
  readonly agent?: Agent | undefined;
}

type Http = Pick<typeof import('node:http'), 'request' | 'Agent'>;

/**
 * An ECMAScript import of `node:http` reads every one of its exports, among them a getter that loads the
 * platform's whole `fetch`: 31 to 60 ms against 5 to 8 ms for `require`.
 */
const load = /* @__PURE__ */ createRequire(process.execPath);

/**
 * A transport over Node's HTTP client: less CPU per read and less memory per stream than `fetch`, and no
 * platform timeout (Node's `fetch` gives up after 300 s of silence).
 *
 * Connections are kept alive between turns. Redirects are not followed, as with `fetchTransport`.
 *
 * @example
 * ```ts
 * import { nodeTransport } from 'rxjs-chat-completions/node';
 *
 * const transport = nodeTransport();
 * streamChatCompletions('Hello', { model, provider, transport }).subscribe();
 * ```
 *
 * @param options - the agent to use
 * @returns a transport; create one and reuse it for all turns, since it holds the connections
 */
export function nodeTransport({ agent }: NodeTransportOptions = {}): Transport {
  const agents = new Map<string, Agent>();

  function agentOf(protocol: string, { Agent: KeepAliveAgent }: Http): Agent {
    let kept = agent ?? agents.get(protocol);
    if (kept === undefined) agents.set(protocol, (kept = new KeepAliveAgent({ keepAlive: true })));
    return kept;
  }

  return (request) =>
    new Observable<HttpResponse>((subscriber) => {
      const { url, headers, demand } = request;
      const { protocol } = new URL(url);
      const http = load(protocol === 'https:' ? 'node:https' : 'node:http') as Http;
      const options: RequestOptions = {
        method: request.method,
        headers: { ...headers, 'Content-Length': Buffer.byteLength(request.body) },
        agent: agentOf(protocol, http),
      };
      let answer: IncomingMessage | undefined;
      const outgoing: ClientRequest = http.request(url, options);
      const failed = (error: Error) =>
        subscriber.error(new TransportError({ cause: withoutSecrets(error, request) }));
      // An answer that switches protocols closes the connection without a response and without an error.
      const closed = () => subscriber.error(new TransportError());
      outgoing.on('error', failed).on('close', closed);
      outgoing.once('response', (response) => {
        answer = response;
        // From here on the connection must not hold what came before the answer.
        outgoing.off('close', closed).off('error', failed).on('error', ignore);
        // A body that breaks before it is read, or after it is left, breaks for nobody.
        response.on('error', ignore);
        if (isRedirectStatus(response.statusCode ?? 0)) {
          response.destroy();
          subscriber.error(refusedRedirect());
          return;
        }
        handOver(subscriber, openResponse(response, outgoing, { url, headers, demand }));
      });
      outgoing.end(request.body);
      return () => {
        if (answer === undefined) outgoing.destroy();
      };
    });
}

const ignore = (): void => undefined;

function headersOf({ headers }: IncomingMessage): HttpHeaders {
  return {
    get(name) {
      const value = headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : (value ?? null);
    },
  };
}

/** What an answer still needs of its request. Its body, which may be large, is let go of. */
interface Asked extends Pick<HttpRequest, 'url' | 'headers'> {
  readonly demand: HttpRequest['demand'] | undefined;
}

const withoutSecrets = (cause: unknown, asked: Pick<Asked, 'url' | 'headers'>): unknown =>
  causeWithoutSecrets(cause, redactor(asked));

/** One network read at a time; the next is made when `demand` has a value, or at once. */
function openResponse(response: IncomingMessage, outgoing: ClientRequest, asked: Asked): OpenResponse {
  const { demand } = asked;
  let hasEnded = false;
  let fault: Error | undefined;
  // Where the connection is the end of the body, only the request hears of a reset, and the body ends in order.
  outgoing.on('error', (error) => {
    if (!response.complete) fault = error;
  });
  const bytes = new Observable<Uint8Array>((subscriber) => {
    let body: Readable;
    let isHeld = false;

    // All that has arrived is one read: 'readable' costs less for each than 'data' or an iterator.
    const read = () => {
      while (!isHeld && !subscriber.closed) {
        const bytes = body.read() as Uint8Array | null;
        if (bytes === null) return;
        isHeld = demand !== undefined;
        subscriber.next(bytes);
        if (demand !== undefined && !subscriber.closed) subscriber.add(askFor(demand));
      }
    };
    const askFor = (ask: () => Observable<unknown>) =>
      ask()
        .pipe(
          take(1),
          throwIfEmpty(() => new StreamError({ message: 'HttpRequest.demand completed without a value.' })),
        )
        .subscribe({
          next: () => {
            isHeld = false;
            read();
          },
          error: (error: unknown) => subscriber.error(error),
        });
    const broken = (cause?: Error) =>
      subscriber.error(new StreamError({ cause: withoutSecrets(cause, asked) }));

    decode(response, (decoded) => {
      body = decoded;
      body.on('readable', read);
      body.on('end', () => {
        hasEnded = true;
        if (fault === undefined) subscriber.complete();
        else broken(fault);
      });
      body.on('error', broken);
      // A connection may close before its end without an error.
      body.on('close', () => {
        if (!subscriber.closed) broken();
      });
    });
  });
  return {
    status: response.statusCode ?? 0,
    headers: headersOf(response),
    bytes,
    abort() {
      if (!hasEnded) response.destroy();
    },
  };
}

/** What some servers send with a body that is not encoded. */
const noEncoding = ['', 'identity', 'none', 'utf-8'];

type Zlib = typeof import('node:zlib') & {
  /** Since Node 22.15. */
  readonly createZstdDecompress?: () => Transform;
};

/**
 * Decodes the body: nothing asks for compression, but some servers compress anyway. An unknown encoding, or more than
 * one, is an error before any of the body is read.
 */
function decode(response: IncomingMessage, use: (body: Readable) => void): void {
  const [encoding, another] = (response.headers['content-encoding'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !noEncoding.includes(name));
  if (encoding === undefined) {
    use(response);
    return;
  }
  const zlib = load('node:zlib') as Zlib;
  const { pipeline } = load('node:stream') as typeof import('node:stream');
  // Ends the one with the other; the outcome is heard of from the stream that is read.
  const through = (decoder: Transform) => use(pipeline(response, decoder, ignore));
  // "deflate" is zlib's format; some servers send it raw. Its first byte tells: https://zlib.net/zlib_faq.html#faq39
  const begin = () => {
    response.off('readable', begin).off('close', begin);
    const first = response.read() as Buffer | null;
    if (first !== null) response.unshift(first);
    through(((first?.[0] ?? 8) & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw());
  };
  if (another !== undefined) throw unknownEncoding();
  if (encoding === 'deflate') response.on('readable', begin).on('close', begin);
  else if (encoding === 'gzip' || encoding === 'x-gzip') through(zlib.createGunzip());
  else if (encoding === 'br') through(zlib.createBrotliDecompress());
  else if (encoding === 'zstd' && zlib.createZstdDecompress) through(zlib.createZstdDecompress());
  else throw unknownEncoding();
}

const unknownEncoding = () =>
  new StreamError({
    message: 'Unsupported Content-Encoding: use one of gzip, deflate, br and zstd (Node 22.15), or none.',
    retryable: false,
  });
