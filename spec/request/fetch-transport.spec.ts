import { inspect } from 'node:util';
import { concatMap, firstValueFrom, map, toArray, VirtualTimeScheduler } from 'rxjs';
import {
  aggregate,
  type FetchLike,
  fetchTransport,
  type HttpRequest,
  IdleTimeoutError,
  streamChatCompletions,
  UnexpectedStatusError,
} from '../../src/index.js';
import { completed, text } from '../support/events.js';
import { type PlayedServer, playedServer } from '../support/played-server.js';
import { done, finishChunk, textChunk } from '../support/wire.js';
import { withoutGlobalFetch } from '../support/without-global-fetch.js';
import { tick } from './transport-contract.js';

const request: HttpRequest = {
  url: 'http://provider.test/',
  method: 'POST',
  headers: { A: 'b' },
  body: '{}',
};

const answerOf = (body: BodyInit | null, init?: ResponseInit) => () =>
  Promise.resolve(new Response(body, init));

describe('fetchTransport', () => {
  it('calls the given fetch as a plain function, with what init adds', async () => {
    const calls: unknown[] = [];
    const transport = fetchTransport({
      init: { credentials: 'include', cache: 'no-store' },
      fetch(this: unknown, url, { signal, ...init }) {
        calls.push(this, url, init, signal instanceof AbortSignal);
        return Promise.resolve(new Response('body'));
      },
    });
    await firstValueFrom(transport(request));
    expect(calls).toEqual([
      undefined,
      'http://provider.test/',
      {
        credentials: 'include',
        cache: 'no-store',
        method: 'POST',
        headers: { A: 'b' },
        body: '{}',
        redirect: 'manual',
      },
      true,
    ]);
  });

  it('looks the platform’s fetch up at each subscription', async () => {
    const { fetch } = globalThis;
    const transport = fetchTransport();
    const statuses: number[] = [];
    try {
      for (const status of [200, 418]) {
        globalThis.fetch = answerOf('', { status });
        statuses.push((await firstValueFrom(transport(request))).status);
      }
    } finally {
      globalThis.fetch = fetch;
    }
    expect(statuses).toEqual([200, 418]);
  });

  it('has an AbortController for each subscription', async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const transport = fetchTransport({
      fetch: (_url, { signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    });
    const responses = transport(request);
    const first = responses.subscribe();
    const second = responses.subscribe();
    first.unsubscribe();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]);
    second.unsubscribe();
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
    await tick();
  });

  it.each([
    ['an answer without a body', null, []],
    ['an empty body', '', []],
    ['a body in one piece', 'piece', ['piece']],
  ])('reads %s', async (_what, body, expected) => {
    const pieces = await firstValueFrom(
      fetchTransport({ fetch: answerOf(body) })(request).pipe(
        concatMap((response) => response.body),
        toArray(),
      ),
    );
    expect(pieces.map((piece) => new TextDecoder().decode(piece)).filter((piece) => piece !== '')).toEqual(
      expected,
    );
  });

  /** The answer of a platform whose body is no web stream of Node's. */
  const foreignAnswer =
    (body: unknown, whole = '') =>
    () =>
      Promise.resolve({
        status: 200,
        headers: new Headers(),
        body,
        arrayBuffer: () => Promise.resolve(new TextEncoder().encode(whole).buffer),
      });
  const readAll = (fetch: FetchLike) =>
    firstValueFrom(
      fetchTransport({ fetch })(request).pipe(
        concatMap((response) => response.body),
        map((bytes) => new TextDecoder().decode(bytes)),
        toArray(),
      ),
    );

  it.each([undefined, null, 'no stream'])('reads the answer whole where its body is %p', async (body) => {
    expect(await readAll(foreignAnswer(body, 'whole'))).toEqual(['whole']);
  });

  it('reads a stream that only has a reader, as some browsers’ streams', async () => {
    const pieces = ['Hel', 'lo'];
    const read = () => {
      const piece = pieces.shift();
      return Promise.resolve(
        piece === undefined ? { done: true } : { done: false, value: new TextEncoder().encode(piece) },
      );
    };
    expect(await readAll(foreignAnswer({ getReader: () => ({ read }) }))).toEqual(['Hel', 'lo']);
  });

  it('makes no read after it was unsubscribed, whatever the platform makes of the abort', async () => {
    let reads = 0;
    const read = () => {
      reads += 1;
      return Promise.resolve({ done: false, value: new Uint8Array(1) });
    };
    const fetch = foreignAnswer({ getReader: () => ({ read }) });
    await firstValueFrom(fetchTransport({ fetch })(request).pipe(concatMap(({ body }) => body)));
    for (let turns = 0; turns < 5; turns += 1) await tick();
    expect(reads).toBe(1);
  });

  it('gives the break of a body as a StreamError with the platform’s error', async () => {
    const cause = Object.assign(new TypeError('terminated'), { code: 'ECONNRESET' });
    const failure = readAll(foreignAnswer({ getReader: () => ({ read: () => Promise.reject(cause) }) }));
    await expect(failure).rejects.toMatchObject({
      name: 'StreamError',
      message: 'The event stream broke off (ECONNRESET).',
      cause,
    });
  });

  it('shows a redirect as browsers do, with status 0, as one that is refused', async () => {
    const opaque = {
      status: 0,
      type: 'opaqueredirect',
      headers: new Headers(),
      body: null,
      arrayBuffer: () => Promise.resolve(new ArrayBuffer(0)),
    };
    const failure = firstValueFrom(fetchTransport({ fetch: () => Promise.resolve(opaque) })(request));
    await expect(failure).rejects.toMatchObject({
      name: 'TransportError',
      message: 'The provider returned a redirect, which is not followed. Set the base URL to its target.',
      retryable: false,
    });
  });

  it.each([
    ['UND_ERR_HEADERS_TIMEOUT', 'ResponseTimeoutError'],
    ['ECONNREFUSED', 'TransportError'],
  ])('gives the platform’s %s as a %s', async (code, name) => {
    const cause = Object.assign(new Error('inner'), { code });
    const failure = firstValueFrom(
      fetchTransport({ fetch: () => Promise.reject(new TypeError('fetch failed', { cause })) })(request),
    );
    await expect(failure).rejects.toMatchObject({ name });
  });

  it('gives the platform’s own limit on silence as an IdleTimeoutError', async () => {
    const cause = Object.assign(new Error('inner'), { code: 'UND_ERR_BODY_TIMEOUT' });
    const broken = new ReadableStream({
      pull: (controller) => controller.error(new TypeError('terminated', { cause })),
    });
    const failure = firstValueFrom(
      fetchTransport({ fetch: answerOf(broken) })(request).pipe(concatMap(({ body }) => body)),
    );
    await expect(failure).rejects.toMatchObject({ name: 'IdleTimeoutError', timeout: 300_000 });
  });

  it('gives a fetch that resolves to no response as a TransportError', async () => {
    const failure = firstValueFrom(
      fetchTransport({ fetch: () => Promise.resolve(undefined as never) })(request),
    );
    await expect(failure).rejects.toMatchObject({ name: 'TransportError' });
  });

  it('hides what a platform’s error holds beside its words and its place', async () => {
    const cause = Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID', rawPacket: 'the answer' });
    const failure = await firstValueFrom(
      fetchTransport({ fetch: () => Promise.reject(cause) })(request),
    ).catch((error: unknown) => error);
    expect(inspect(failure, { depth: 10 })).toContain('HPE_INVALID');
    expect(inspect(failure, { depth: 10 })).not.toContain('the answer');
  });

  it('leaves out a platform’s words that hold a secret', async () => {
    const headers = { Authorization: 'Bearer sk-very-secret' };
    const fetch = () => Promise.reject(new TypeError('"Bearer sk-very-secret" is an invalid header value.'));
    const failure = await firstValueFrom(fetchTransport({ fetch })({ ...request, headers })).catch(
      (error: unknown) => error as Error,
    );
    expect(failure).toMatchObject({ name: 'TransportError' });
    expect(
      JSON.stringify([
        failure,
        (failure as Error).cause,
        (failure as Error).stack,
        String((failure as Error).cause),
      ]),
    ).not.toContain('sk-very');
  });
});

describe('fetchTransport where the platform has no fetch', () => {
  let restore: () => void;
  let server: PlayedServer;
  beforeEach(async () => {
    server = await playedServer();
    restore = withoutGlobalFetch();
  });
  afterEach(async () => {
    restore();
    await server.close();
  });

  const options = () => ({
    model: 'm',
    provider: { name: 'played', baseUrl: server.url },
    retry: { maxRetries: 1, initialDelay: 0 },
  });

  it('runs whole turns over cross-fetch', async () => {
    const events = firstValueFrom(streamChatCompletions('Hi', options()).pipe(toArray()));
    const refused = await server.next();
    refused.response.writeHead(503).end();
    const { response, body } = await server.next();
    expect(JSON.parse(await body)).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(textChunk('Hel'));
    response.write(textChunk('lo'));
    response.end(finishChunk() + done);
    expect(await events).toEqual([text('Hel'), text('lo'), completed({ finishReason: 'stop' })]);
  });

  it('sends nothing where it is unsubscribed while cross-fetch is being loaded', async () => {
    const subscription = streamChatCompletions('Hi', options()).subscribe();
    subscription.unsubscribe();
    for (let turns = 0; turns < 20; turns += 1) await tick();
    expect(server.connections).toBe(0);
  });

  it('aborts where it is unsubscribed in the middle of the body', async () => {
    const subscription = streamChatCompletions('Hi', options()).subscribe(() => subscription.unsubscribe());
    const { response, aborted } = await server.next();
    response.write(textChunk('Hel'));
    await aborted;
    expect(subscription.closed).toBe(true);
  });

  it('errors by the idle limit on a body that is cut short of its Content-Length, which node-fetch never reports', async () => {
    const scheduler = new VirtualTimeScheduler();
    const seen: unknown[] = [];
    let notify: () => void;
    const first = new Promise<void>((resolve) => (notify = resolve));
    const failed = new Promise((resolve) =>
      streamChatCompletions('Hi', { ...options(), scheduler }).subscribe({
        next: (event) => {
          seen.push(event);
          notify();
        },
        error: resolve,
      }),
    );
    const { response, request: incoming } = await server.next();
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': '10000' });
    response.write(textChunk('Hel'));
    await first;
    incoming.socket.destroy();
    for (let turns = 0; turns < 20; turns += 1) await tick();
    scheduler.flush();
    expect(await failed).toEqual(new IdleTimeoutError(300_000));
    expect(seen).toEqual([text('Hel')]);
  });

  it('bounds an error body that is cut short of its Content-Length: what arrived counts', async () => {
    const scheduler = new VirtualTimeScheduler();
    const failed = new Promise((resolve) =>
      streamChatCompletions('Hi', { ...options(), scheduler }).subscribe({ error: resolve }),
    );
    const { response, request: incoming } = await server.next();
    response.writeHead(400, { 'content-length': '10000' });
    response.write('{"error":');
    for (let turns = 0; turns < 50; turns += 1) await tick();
    incoming.socket.destroy();
    for (let turns = 0; turns < 50; turns += 1) await tick();
    scheduler.flush();
    const failure = await failed;
    expect(failure).toBeInstanceOf(UnexpectedStatusError);
    expect(failure).toMatchObject({ status: 400, body: '{"error":' });
  });

  it('keeps a connection for the next turn', async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      const events = firstValueFrom(streamChatCompletions('Hi', options()).pipe(aggregate(), toArray()));
      const { response } = await server.next();
      response.end(textChunk('Hello') + done);
      expect(await events).toHaveLength(2);
    }
    expect(server.connections).toBe(1);
  });
});
