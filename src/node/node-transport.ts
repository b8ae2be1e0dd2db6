import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
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
  /** Default: an agent of the transport's own that keeps connections alive, one for each protocol. */
  readonly agent?: Agent | undefined;
}

type Http = Pick<typeof import('node:http'), 'request' | 'Agent'>;

/**
 * An ECMAScript import of `node:http` reads every one of its exports, among them a getter that loads the
 * platform's whole `fetch`: 31 to 60 ms against 5 to 8 ms for `require`.
 */
const load = /* @__PURE__ */ createRequire(process.execPath);

/**
 * The transport over Node's own HTTP client: less work for each read than `fetch`, less memory for each
 * stream, and no limits of the platform's (Node's `fetch` gives up after 300 s of silence).
 *
 * Connections are kept alive between turns. Redirects are refused, as with `fetchTransport`.
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
 * @returns a transport; make one and use it for all turns, since it holds the connections
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
        handOver(subscriber, openResponse(response, { url, headers, demand }));
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
function openResponse(response: IncomingMessage, asked: Asked): OpenResponse {
  const { demand } = asked;
  let hasEnded = false;
  const bytes = new Observable<Uint8Array>((subscriber) => {
    const body = decoded(response);
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
          throwIfEmpty(() => new StreamError({ message: 'The demand for the body ended without a value.' })),
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

    body.on('readable', read);
    body.on('end', () => {
      hasEnded = true;
      subscriber.complete();
    });
    body.on('error', broken);
    // A connection may close before its end without an error.
    body.on('close', () => {
      if (!subscriber.closed) broken();
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

/** Nothing asks for compression, and some servers compress all the same. */
function decoded(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? '';
  // Whatever else stands there, some servers write it over a body that is not encoded.
  if (!['gzip', 'x-gzip', 'deflate', 'br'].includes(encoding)) return response;
  const { createBrotliDecompress, createUnzip } = load('node:zlib') as typeof import('node:zlib');
  const { pipeline } = load('node:stream') as typeof import('node:stream');
  const decompress = encoding === 'br' ? createBrotliDecompress() : createUnzip();
  // Ends the one with the other; the outcome is heard of from the stream that is read.
  return pipeline(response, decompress, () => undefined);
}
