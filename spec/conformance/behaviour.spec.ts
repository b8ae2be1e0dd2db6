import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { firstValueFrom, lastValueFrom, map, of, take, toArray, VirtualTimeScheduler } from 'rxjs';
import {
  accumulate,
  aggregate,
  type ChatOptions,
  IdleTimeoutError,
  iterateChatCompletions,
  MissingApiKeyError,
  type Prompt,
  requireFinish,
  type ResponseEvent,
  streamChatCompletions,
} from '../../src/index.js';
import { completed, text } from '../support/events.js';
import { type PlayedExchange, type PlayedServer, playedServer } from '../support/played-server.js';
import { chunk, done, finishChunk, textChunk } from '../support/wire.js';

/** The table of behaviour that was carried over, row by row, over real sockets. */
describe('over sockets', () => {
  let server: PlayedServer;
  beforeEach(async () => {
    server = await playedServer();
  });
  afterEach(() => server.close());

  const options = (more: Partial<ChatOptions> = {}): ChatOptions => ({
    model: 'm',
    provider: { name: 'played', baseUrl: `${server.url}/v1`, apiKey: 'sk-test' },
    retry: { initialDelay: 0 },
    ...more,
  });
  const turn = (more?: Partial<ChatOptions>, prompt: Prompt | string = 'Hi') =>
    streamChatCompletions(prompt, options(more));
  const eventsOf = (more?: Partial<ChatOptions>, prompt?: Prompt | string): Promise<ResponseEvent[]> =>
    firstValueFrom(turn(more, prompt).pipe(toArray()));
  const failureOf = (more?: Partial<ChatOptions>): Promise<unknown> =>
    eventsOf(more).then(
      () => 'it did not fail',
      (error: unknown) => error,
    );
  const stream = ({ response }: PlayedExchange) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    return response;
  };

  it.each(['', '/', '///'])(
    'C1: the URL is the base URL without its %j, and /chat/completions',
    async (slashes) => {
      const events = eventsOf({ provider: { name: 'played', baseUrl: `${server.url}/v1${slashes}` } });
      const exchange = await server.next();
      expect([exchange.request.method, exchange.request.url]).toEqual(['POST', '/v1/chat/completions']);
      stream(exchange).end(done);
      await events;
    },
  );

  it('C2, C3: the body holds model, messages with the instructions first, stream, and what the caller added', async () => {
    const prompt: Prompt = {
      instructions: 'Be brief.',
      input: [
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'Hel' },
            { type: 'input_text', text: 'lo' },
          ],
        },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi.' }] },
      ],
    };
    const events = eventsOf({ params: { temperature: 0.5 } }, prompt);
    const exchange = await server.next();
    expect(JSON.parse(await exchange.body)).toEqual({
      temperature: 0.5,
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Hi.' },
      ],
      stream: true,
    });
    stream(exchange).end(done);
    await events;
  });

  it('C4: the headers are Accept, Content-Type, and Authorization where there is a key', async () => {
    for (const [apiKey, authorization] of [
      ['sk-test', 'Bearer sk-test'],
      [undefined, undefined],
    ] as const) {
      const provider = { name: 'played', baseUrl: server.url, ...(apiKey !== undefined && { apiKey }) };
      const events = eventsOf({ provider });
      const exchange = await server.next();
      const { accept, 'content-type': contentType, authorization: sent } = exchange.request.headers;
      expect([accept, contentType, sent]).toEqual(['text/event-stream', 'application/json', authorization]);
      stream(exchange).end(done);
      await events;
    }
  });

  it('C5: a key that the environment should hold and does not is an error before anything is sent', async () => {
    const provider = {
      name: 'played',
      baseUrl: server.url,
      envKey: 'A_KEY_THAT_NOBODY_SET',
      envKeyInstructions: 'Ask Ann.',
    };
    const failure = await failureOf({ provider });
    expect(failure).toBeInstanceOf(MissingApiKeyError);
    expect(failure).toMatchObject({ envKey: 'A_KEY_THAT_NOBODY_SET', instructions: 'Ask Ann.' });
    expect((failure as Error).message).toContain('A_KEY_THAT_NOBODY_SET');
    expect(server.connections).toBe(0);
  });

  it.each([400, 401, 404, 422])('C6: status %i is an error at once, with status and body', async (status) => {
    const failure = failureOf();
    const { response } = await server.next();
    response
      .writeHead(status, { 'x-request-id': 'req_7' })
      .end('{"error":{"message":"no","code":"bad_thing"}}');
    expect(await failure).toMatchObject({
      name: 'UnexpectedStatusError',
      status,
      code: 'bad_thing',
      requestId: 'req_7',
      body: '{"error":{"message":"no","code":"bad_thing"}}',
    });
  });

  it('C6, C8: 429 and 5xx are sent again, after Retry-After where the answer gives one', async () => {
    const events = eventsOf({ includeRetries: true });
    for (const [status, headers] of [
      [429, { 'retry-after': '0' }],
      [500, {}],
      [503, { 'retry-after-ms': '1' }],
    ] as const) {
      (await server.next()).response.writeHead(status, headers).end('busy');
    }
    stream(await server.next()).end(textChunk('Hi') + finishChunk() + done);
    const [first, second, third, ...rest] = await events;
    expect([first, second, third]).toMatchObject([
      { type: 'retrying', attempt: 1, delay: 0, error: { status: 429 } },
      { type: 'retrying', attempt: 2, delay: 0, error: { status: 500 } },
      { type: 'retrying', attempt: 3, delay: 1, error: { status: 503 } },
    ]);
    expect(rest).toEqual([text('Hi'), completed({ finishReason: 'stop' })]);
  });

  it('C7: five requests at most; then the status', async () => {
    const failure = failureOf();
    for (let attempt = 1; attempt <= 5; attempt += 1)
      (await server.next()).response.writeHead(503).end('down');
    expect(await failure).toMatchObject({
      name: 'RetryLimitError',
      status: 503,
      attempts: { length: 5 },
      body: 'down',
    });
  });

  it('C7: out of retries on a transport failure, that failure', async () => {
    const failure = failureOf({ retry: { initialDelay: 0, maxRetries: 2 } });
    for (let attempt = 1; attempt <= 3; attempt += 1) (await server.next()).request.socket.destroy();
    expect(await failure).toMatchObject({ name: 'TransportError' });
  });

  it('C9: a silent stream ends in an idle timeout, comments notwithstanding, and its connection is aborted', async () => {
    const scheduler = new VirtualTimeScheduler();
    const seen: ResponseEvent[] = [];
    const failure = new Promise((resolve) =>
      turn({ scheduler }).subscribe({ next: (event) => seen.push(event), error: resolve }),
    );
    const exchange = await server.next();
    stream(exchange).write(`${textChunk('Hel')}: comment\n\n`);
    while (seen.length === 0) await sleep(1);
    exchange.response.write(': comment\n\n');
    scheduler.flush();
    expect(await failure).toEqual(new IdleTimeoutError(300_000));
    expect((await failure) as Error).toHaveProperty('message', 'idle timeout waiting for SSE');
    await exchange.aborted;
  });

  it('C10: a connection that breaks in mid-stream is a StreamError, and no request follows', async () => {
    const seen: ResponseEvent[] = [];
    const failure = new Promise((resolve) =>
      turn().subscribe({ next: (event) => seen.push(event), error: resolve }),
    );
    const exchange = await server.next();
    stream(exchange).write(textChunk('Hel'));
    while (seen.length === 0) await sleep(1);
    exchange.request.socket.destroy();
    expect(await failure).toMatchObject({ name: 'StreamError' });
    expect(seen).toEqual([text('Hel')]);
    expect(server.connections).toBe(1);
  });

  it('C10: so is one that is cut short of its Content-Length', async () => {
    const failure = failureOf();
    const { response, request } = await server.next();
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': '10000' });
    response.write(textChunk('Hel'), () => request.socket.destroy());
    expect(await failure).toMatchObject({ name: 'StreamError' });
  });

  it('C11: a stream that closes without [DONE] completes, and shows that it had no finish reason', async () => {
    const events = eventsOf();
    stream(await server.next()).end(textChunk('Hel', { id: 'r', model: 'm-1' }));
    expect(await events).toEqual([text('Hel'), completed({ responseId: 'r', model: 'm-1', endedBy: 'eof' })]);
    const strict = firstValueFrom(turn().pipe(requireFinish(), toArray())).catch((error: unknown) => error);
    stream(await server.next()).end(textChunk('Hel'));
    expect(await strict).toMatchObject({ name: 'IncompleteStreamError', turn: { text: 'Hel' } });
  });

  it('C12: [DONE] completes at once, and nothing after it is delivered', async () => {
    const events = eventsOf();
    const exchange = await server.next();
    stream(exchange).write(`${textChunk('Hel')}data:  [DONE] \n\n${textChunk('lo')}`);
    expect(await events).toEqual([text('Hel'), completed()]);
    exchange.response.end();
  });

  it('C13: data that is not JSON is skipped', async () => {
    const events = eventsOf();
    stream(await server.next()).end(`data: {"choices":\n\n${textChunk('Hi')}data: hello\n\n${done}`);
    expect(await events).toEqual([text('Hi'), completed()]);
  });

  it('C14, C16: every non-empty text of choice 0 is one event, unmodified', async () => {
    const events = eventsOf();
    stream(await server.next()).end(
      textChunk('') +
        textChunk('a') +
        chunk({ choices: [] }) +
        textChunk(' ') +
        textChunk('\u{1F600}\n') +
        finishChunk() +
        done,
    );
    expect(await events).toEqual([
      text('a'),
      text(' '),
      text('\u{1F600}\n'),
      completed({ finishReason: 'stop' }),
    ]);
  });

  it('C15: aggregate() gives the whole message at completed, then completed', async () => {
    const events = firstValueFrom(turn({ includeUsage: true }).pipe(aggregate(), toArray()));
    const exchange = await server.next();
    expect(JSON.parse(await exchange.body)).toHaveProperty('stream_options', { include_usage: true });
    const usage = {
      prompt_tokens: 3,
      completion_tokens: 2,
      total_tokens: 5,
      prompt_tokens_details: { cached_tokens: 1 },
    };
    stream(exchange).end(
      textChunk('Hel') + textChunk('lo') + finishChunk() + chunk({ choices: [], usage }) + done,
    );
    expect(await events).toEqual([
      text('Hello'),
      completed({
        finishReason: 'stop',
        usage: {
          inputTokens: 3,
          cachedInputTokens: 1,
          outputTokens: 2,
          reasoningOutputTokens: 0,
          totalTokens: 5,
        },
      }),
    ]);
  });

  it('C17: a consumer slower than the network holds it back, and memory stays flat', async () => {
    const highWaterMark = 16;
    let written = 0;
    const iterating = (async () => {
      let consumed = 0;
      for await (const event of iterateChatCompletions('Hi', { ...options(), highWaterMark })) {
        expect(event.type).toBe('output_item_done');
        consumed += 1;
        if (consumed % 100 === 0) await sleep(5);
        if (consumed === 3_000) break;
      }
      return consumed;
    })();
    const exchange = await server.next();
    const response = stream(exchange);
    const piece = textChunk('token', { pad: 'x'.repeat(200) });
    const write = () => {
      do written += 1;
      while (response.write(piece));
    };
    response.on('drain', write);
    write();
    expect(await iterating).toBe(3_000);
    await exchange.aborted;
    // What the two kernels' socket buffers and the platform hold is theirs; the endless stream was not read on.
    expect(written).toBeLessThan(60_000);
  });

  describe('the connection', () => {
    /** Turns of 15 ms or more, each body ending 5 ms after its [DONE]: while the next turn has begun. */
    const answerTurns = async (count: number) => {
      let ended: Promise<unknown> = Promise.resolve();
      for (let index = 0; index < count; index += 1) {
        const response = stream(await server.next());
        response.write(textChunk('Hel') + textChunk('lo'));
        await ended;
        await sleep(15);
        response.write(finishChunk() + done);
        ended = sleep(5).then(() => once(response.end(), 'finish'));
      }
    };

    it.each([
      ['lastValueFrom(turn)', () => lastValueFrom(turn())],
      ['firstValueFrom(turn.pipe(aggregate()))', () => firstValueFrom(turn().pipe(aggregate()))],
    ])(
      'serves twenty turns in sequence with two sockets at most, consumed with %s',
      async (_how, consume) => {
        const serving = answerTurns(20);
        for (let index = 0; index < 20; index += 1) await consume();
        await serving;
        expect(server.connections).toBeLessThanOrEqual(2);
      },
    );

    it('is aborted a second after [DONE] where the provider keeps it open', async () => {
      const scheduler = new VirtualTimeScheduler();
      const ended = lastValueFrom(turn({ scheduler }));
      const exchange = await server.next();
      stream(exchange).write(textChunk('Hel') + done);
      await ended;
      scheduler.flush();
      await exchange.aborted;
    });
  });

  describe('a success that is no event stream', () => {
    it('gives the events that a JSON completion stands for', async () => {
      const events = eventsOf();
      const { response } = await server.next();
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          id: 'r',
          model: 'm-1',
          choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
        }),
      );
      expect(await events).toEqual([
        text('Hello'),
        completed({
          responseId: 'r',
          model: 'm-1',
          finishReason: 'stop',
          endedBy: 'finish_reason',
          usage: {
            inputTokens: 1,
            cachedInputTokens: 0,
            outputTokens: 2,
            reasoningOutputTokens: 0,
            totalTokens: 3,
          },
        }),
      ]);
    });

    it('is an UnexpectedContentError with a snippet, the key replaced', async () => {
      const failure = failureOf();
      const { response } = await server.next();
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end('<!doctype html><title>Log in</title>sk-test');
      expect(await failure).toMatchObject({
        name: 'UnexpectedContentError',
        status: 200,
        contentType: 'text/html',
        snippet: '<!doctype html><title>Log in</title>***',
      });
    });
  });

  it('reports an error inside the stream, and leaves what was delivered delivered', async () => {
    const seen: ResponseEvent[] = [];
    const failure = new Promise((resolve) =>
      turn().subscribe({ next: (event) => seen.push(event), error: resolve }),
    );
    const exchange = await server.next();
    stream(exchange).end(
      textChunk('Hel') +
        chunk({ error: { message: 'overloaded, sk-test', code: 502, type: 'upstream' } }) +
        done,
    );
    expect(await failure).toMatchObject({
      name: 'ProviderStreamError',
      status: 502,
      code: '502',
      errorType: 'upstream',
      providerMessage: 'overloaded, ***',
    });
    expect(seen).toEqual([text('Hel')]);
  });

  it('keeps the partial answer where the user stops: the last snapshot', async () => {
    const snapshots = firstValueFrom(
      turn().pipe(
        accumulate(),
        take(3),
        map(({ status, text: soFar }) => [status, soFar]),
        toArray(),
      ),
    );
    const exchange = await server.next();
    stream(exchange).write(textChunk('Hel') + textChunk('lo'));
    expect(await snapshots).toEqual([
      ['waiting', ''],
      ['streaming', 'Hel'],
      ['streaming', 'Hello'],
    ]);
    await exchange.aborted;
  });

  it('asks an apiKey function, and never quotes a key that cannot be sent', async () => {
    const events = eventsOf({
      provider: { name: 'played', baseUrl: server.url, apiKey: () => of(' sk-late\n') },
    });
    const exchange = await server.next();
    expect(exchange.request.headers.authorization).toBe('Bearer sk-late');
    stream(exchange).end(done);
    await events;
    const failure = await failureOf({
      provider: { name: 'played', baseUrl: server.url, apiKey: 'sk-\u{1F511}-x' },
    });
    expect(failure).toMatchObject({ name: 'InvalidProviderError', setting: 'apiKey' });
    expect(String(failure)).not.toContain('sk-');
  });

  it('is one request for each subscription, aborted by its own unsubscribe alone', async () => {
    const shared = turn();
    const first = shared.subscribe();
    const rest = firstValueFrom(shared.pipe(toArray()));
    const exchanges = [await server.next(), await server.next()];
    first.unsubscribe();
    await Promise.race(exchanges.map(({ aborted }) => aborted));
    for (const { response } of exchanges) if (!response.destroyed) response.end(textChunk('Hi') + done);
    expect(await rest).toEqual([text('Hi'), completed()]);
  });
});
