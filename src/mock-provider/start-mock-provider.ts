import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { checkLimit } from '../flow/timers.js';
import { errorBody, jsonBytes, modelList } from './completion.js';
import { connectionOf } from './connection.js';
import type { MockAnswer, MockError } from './mock-answer.js';
import { type MockRequest, readRequestBody, routeOf } from './mock-request.js';
import { respond } from './respond.js';

export interface MockProviderOptions {
  /**
   * The responses: one for each request in turn, or a function that is called for each request. Further
   * requests get the default response. If the function throws, the response is status 500.
   */
  readonly answers?: readonly MockAnswer[] | ((request: MockRequest) => MockAnswer | undefined);
  /** Milliseconds between two chunks. Default 5. */
  readonly pace?: number;
  /** Default 0: any free port. */
  readonly port?: number;
  /** The models that `GET .../models` lists; any other name works too. Default `['mock']`. */
  readonly models?: readonly string[];
  /** Lets pages of any origin read the responses, except those with `wire`. Default `false`. */
  readonly cors?: boolean;
  /** Maximum size of a request body, in bytes; larger ones get status 413. Default 16,777,216 (16 MiB). */
  readonly maxBodySize?: number;
  /** How many of the last requests `requests` keeps. Default 1,000; `Infinity`: all. */
  readonly keptRequests?: number;
}

/** A running mock provider. */
export interface MockProvider {
  /** `http://127.0.0.1:PORT/v1` */
  readonly baseUrl: string;
  readonly port: number;
  /** The last `keptRequests` valid requests, without rejected ones (400, 404, 413). */
  readonly requests: readonly MockRequest[];
  /** How many connections have been opened. */
  readonly connections: number;
  /** How many connections are open now. */
  readonly openConnections: number;
  /** How many requests are being answered now. */
  readonly openAnswers: number;
  /** How many clients disconnected before the end of the response. */
  readonly aborted: number;
  /** Adds responses for the next requests, before those of the options. */
  enqueue(...answers: readonly MockAnswer[]): void;
  /**
   * Resolves with the request of this number, counted from 1, when it has arrived. Default 1. Rejects if it is
   * no longer kept.
   */
  whenRequested(count?: number): Promise<MockRequest>;
  /** Resolves when this many clients have disconnected early. Default 1. */
  whenAborted(count?: number): Promise<void>;
  /** Resolves when no request is being answered; keep-alive connections may be open. */
  whenIdle(): Promise<void>;
  /** Resolves when no connection is open. */
  whenDisconnected(): Promise<void>;
  /** Closes every connection and the server. Pending `when...` promises reject. */
  close(): Promise<void>;
}

/**
 * Starts a Chat Completions server on 127.0.0.1 for tests and demos: event streams and JSON, deterministic
 * responses, and every kind of connection failure.
 *
 * It accepts any key, and serves `POST` on paths ending in `/chat/completions` and `GET` on paths ending in
 * `/models`.
 *
 * @example
 * ```ts
 * const mock = await startMockProvider({
 *   answers: [{ status: 429, headers: { 'retry-after': '1' } }, { content: 'Hello there.' }],
 * });
 * const provider = { name: 'mock', baseUrl: mock.baseUrl };
 * streamChatCompletions('Hi', { model: 'mock', provider }).subscribe({ complete: () => void mock.close() });
 * ```
 *
 * @returns a promise that rejects if the port is taken, and with a `TypeError` if a limit is not a number of at
 *   least 1
 */
export async function startMockProvider(options: MockProviderOptions = {}): Promise<MockProvider> {
  const { answers = [], pace = 5, models = ['mock'], cors = false } = options;
  const { maxBodySize = 16 * 2 ** 20, keptRequests = 1_000 } = options;
  checkLimit('maxBodySize', maxBodySize);
  checkLimit('keptRequests', keptRequests);
  const queue: MockAnswer[] = [];
  const requests: MockRequest[] = [];
  let requested = 0;
  const sockets = new Set<Socket>();
  const waiting = new Set<Waiting>();
  let connections = 0;
  let openAnswers = 0;
  let aborted = 0;
  let closed: Promise<void> | undefined;

  const announce = () => {
    for (const waiter of waiting) {
      if (!waiter.isMet()) continue;
      waiting.delete(waiter);
      waiter.resolve();
    }
  };
  const when = (isMet: () => boolean): Promise<void> => {
    const met = new Promise<void>((resolve, reject) => {
      waiting.add({ isMet, resolve, reject });
      if (closed !== undefined) rejectWaiting();
      else announce();
    });
    // Callers that await it get the rejection; a test that no longer does must not fail again.
    met.catch(() => {});
    return met;
  };
  const rejectWaiting = () => {
    for (const { reject } of waiting) reject(new Error('The mock provider was closed.'));
    waiting.clear();
  };

  const answerTo = (request: MockRequest): MockAnswer => {
    const queued = queue.shift();
    if (queued !== undefined) return queued;
    if (typeof answers !== 'function') return answers[request.index] ?? {};
    return answers(request) ?? {};
  };

  const server = createServer((incoming, response) => {
    const { url = '/', method = '' } = incoming;
    if (cors) allowAnyOrigin(incoming, response);
    const refuseSize = () =>
      refuseUnread(response, {
        message: `The request body is larger than ${maxBodySize} bytes (maxBodySize).`,
        code: 'request_too_large',
      });
    readText(incoming, maxBodySize, refuseSize, (text) => {
      if (cors && method === 'OPTIONS') {
        response.writeHead(204).end();
        return;
      }
      const route = routeOf(method, url);
      if (route === 'models') {
        sendJson(response, 200, modelList(models));
        return;
      }
      if (route === undefined) {
        refuse(response, 404, {
          message: `Unknown request URL: ${method} ${url.replace(/[?#].*/, '')}.`,
          code: 'unknown_url',
        });
        return;
      }
      const read = readRequestBody(text);
      if ('problem' in read) {
        refuse(response, 400, { message: read.problem, param: read.param });
        return;
      }
      const request: MockRequest = {
        index: requested,
        url,
        headers: incoming.headers,
        body: read.body,
      };
      requested += 1;
      if (requests.push(request) > keptRequests) requests.shift();
      openAnswers += 1;
      response.once('close', () => {
        openAnswers -= 1;
        announce();
      });
      announce();
      const connection = connectionOf(response, () => {
        if (closed === undefined) aborted += 1;
        announce();
      });
      const answer = async () => respond(answerTo(request), request, response, connection, pace);
      answer().catch((error: unknown) => {
        // A mistake in a script should be visible, not retried.
        if (response.headersSent) connection.cut('close');
        else {
          response.setHeader('x-should-retry', 'false');
          const message = `The script of the mock provider failed: ${String(error)}`;
          refuse(response, 500, { message, type: 'server_error' });
        }
      });
    });
  });
  // Connection reuse must not depend on how long a test pauses.
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      sockets.delete(socket);
      announce();
    });
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    get connections() {
      return connections;
    },
    get openConnections() {
      return sockets.size;
    },
    get openAnswers() {
      return openAnswers;
    },
    get aborted() {
      return aborted;
    },
    enqueue: (...more) => void queue.push(...more),
    async whenRequested(count = 1) {
      await when(() => requested >= count);
      const request = requests.find(({ index }) => index === count - 1);
      if (request === undefined)
        throw new Error(`Request ${count} is no longer kept: ${requested} have come (keptRequests).`);
      return request;
    },
    whenAborted: (count = 1) => when(() => aborted >= count),
    whenIdle: () => when(() => openAnswers === 0),
    whenDisconnected: () => when(() => sockets.size === 0),
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      rejectWaiting();
      return closed;
    },
  };
}

interface Waiting {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A request that breaks off never ends, and there is no client to answer. */
function readText(
  incoming: IncomingMessage,
  maxSize: number,
  onTooLarge: () => void,
  use: (text: string) => void,
): void {
  let chunks: Buffer[] = [];
  let size = 0;
  incoming.on('error', () => {});
  if (Number(incoming.headers['content-length']) > maxSize) {
    onTooLarge();
    return;
  }
  const read = () => {
    const text = Buffer.concat(chunks).toString('utf8');
    chunks = [];
    use(text);
  };
  incoming.once('end', read);
  incoming.once('close', () => (chunks = []));
  incoming.on('data', (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size <= maxSize) {
      chunks.push(chunk);
      return;
    }
    chunks = [];
    incoming.pause().removeAllListeners('data').off('end', read);
    onTooLarge();
  });
}

/** How long a refused client may take to close its connection, in milliseconds. */
const grace = 1_000;

/**
 * Answers a request without reading its whole body. `Content-Length` marks the end of the answer, and the connection is
 * closed later: if it were closed at once, the client's system would discard the answer along with the unsent data.
 */
function refuseUnread(response: ServerResponse, error: MockError): void {
  const bytes = jsonBytes(errorBody(error));
  response.writeHead(413, {
    'content-type': 'application/json',
    'content-length': bytes.byteLength,
    connection: 'close',
  });
  response.write(bytes);
  const timer = setTimeout(() => response.socket?.destroy(), grace);
  response.once('close', () => clearTimeout(timer));
}

function refuse(response: ServerResponse, status: number, error: MockError): void {
  sendJson(response, status, errorBody(error));
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  const bytes = jsonBytes(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.byteLength });
  response.end(bytes);
}

/** The headers that a browser requires before it sends a page's request (Fetch, 3.3) and exposes the answer. */
function allowAnyOrigin({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', '*');
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-max-age', '600');
  // The wildcard does not cover `Authorization`: the headers are allowed by name.
  const asked = headers['access-control-request-headers'];
  if (asked !== undefined) response.setHeader('access-control-allow-headers', asked);
}
