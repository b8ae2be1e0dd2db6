import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type MockAnswer,
  type MockPiece,
  type MockProvider,
  type MockProviderOptions,
  startMockProvider,
} from '../../src/mock-provider/index.js';
import { type RawAnswer, readRaw } from './read-raw.js';
import { whenStill } from '../support/when-still.js';

let mock: MockProvider;

async function start(options: MockProviderOptions = {}): Promise<MockProvider> {
  mock = await startMockProvider({ pace: 0, ...options });
  return mock;
}

const answering = (...answers: MockAnswer[]) => start({ answers });

afterEach(() => mock.close());

const question = { model: 'm', messages: [{ role: 'user', content: 'Say something' }] };
const streamed = { ...question, stream: true };

function post(body: unknown, init: RequestInit = {}, path = '/chat/completions'): Promise<Response> {
  return fetch(`${mock.baseUrl}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

/** The data of each event, JSON parsed. */
function eventsOf(text: string): unknown[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''))
    .map((data) => (data === '[DONE]' ? data : (JSON.parse(data) as unknown)));
}

const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  id: 'chatcmpl-mock-1',
  object: 'chat.completion.chunk',
  created: 1_735_689_600,
  model: 'm',
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  ...more,
});

describe('a streamed answer', () => {
  it('is the role, a chunk for each word, the finish reason and [DONE]', async () => {
    await answering({ content: 'Hello  there, you.\n' });
    const response = await post(streamed);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-request-id')).toBe('req-mock-1');
    expect(eventsOf(await response.text())).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hello' }),
      chunk({ content: '  there,' }),
      chunk({ content: ' you.\n' }),
      chunk({}, 'stop'),
      '[DONE]',
    ]);
  });

  it('holds the usage only where the request asks for it', async () => {
    await answering({ content: ['a', 'b'] }, { content: ['a', 'b'], usage: { total_tokens: 9 } });
    const asking = { ...streamed, stream_options: { include_usage: true } };
    const usage = { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 };
    expect(eventsOf(await (await post(asking)).text())).toEqual([
      chunk({ role: 'assistant', content: '' }, null, { usage: null }),
      chunk({ content: 'a' }, null, { usage: null }),
      chunk({ content: 'b' }, null, { usage: null }),
      chunk({}, 'stop', { usage: null }),
      chunk({}, null, { choices: [], usage }),
      '[DONE]',
    ]);
    const second = eventsOf(await (await post(asking)).text());
    expect(second.at(-2)).toEqual(
      chunk({}, null, { id: 'chatcmpl-mock-2', choices: [], usage: { total_tokens: 9 } }),
    );
  });

  it('takes text, deltas, chunks, raw text and bytes as they are scripted, in order', async () => {
    const content: MockPiece[] = [
      'two words',
      { delta: { reasoning_content: 'hm' } },
      { chunk: { choices: [], model: 'other' } },
      { raw: ': a comment\n\n' },
      { raw: new TextEncoder().encode('data: {}\n\n') },
      new TextEncoder().encode('data: 1\n\n'),
    ];
    await answering({ content, finishReason: null, done: false });
    expect((await (await post(streamed)).text()).split('\n\n')).toEqual([
      `data: ${JSON.stringify(chunk({ role: 'assistant', content: '' }))}`,
      `data: ${JSON.stringify(chunk({ content: 'two words' }))}`,
      `data: ${JSON.stringify(chunk({ reasoning_content: 'hm' }))}`,
      `data: ${JSON.stringify(chunk({}, null, { model: 'other', choices: [] }))}`,
      ': a comment',
      'data: {}',
      'data: 1',
      '',
    ]);
  });

  it('is the same on every run', async () => {
    const texts: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      await start();
      texts.push(await (await post(streamed)).text());
      await mock.close();
    }
    expect(texts[0]).toContain('mock');
    expect(texts[1]).toBe(texts[0]);
  });

  it('is about the sky where the user asks about it, and else is not', async () => {
    await start();
    const ask = async (content: unknown) => {
      const messages = [
        { role: 'user', content },
        { role: 'assistant', content: 'The sky' },
      ];
      const answer = (await (await post({ ...question, messages })).json()) as Completion;
      return answer.choices[0]?.message['content'];
    };
    expect(await ask('Why is the sky blue?')).toMatch(/^The sky is blue because/);
    expect(await ask([{ type: 'text', text: 'Why is the sky blue?' }])).toMatch(/^The sky is blue because/);
    expect(await ask('Why are skyscrapers tall?')).toMatch(/^This is the mock provider/);
  });
});

describe('pieces of a script', () => {
  const callChunk = (fields: object) => chunk({ tool_calls: [{ index: 0, ...fields }] });

  it('may be thinking, a call and comments', async () => {
    const toolCall = { name: 'find', arguments: { query: 'sky' } };
    const content: MockPiece[] = [{ reasoning: 'hm' }, { comment: 'still here' }, { toolCall }];
    await answering({ content }, { content });
    const text = await (await post(streamed)).text();
    expect(text).toContain('\n\n: still here\n\n');
    expect(eventsOf(text.replace(': still here\n\n', ''))).toEqual([
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'hm' }),
      callChunk({ id: 'call-mock-1-0-0', type: 'function', function: { name: 'find', arguments: '' } }),
      callChunk({ function: { arguments: '{"query"' } }),
      callChunk({ function: { arguments: ':"sky"}' } }),
      chunk({}, 'tool_calls'),
      '[DONE]',
    ]);
    expect(((await (await post(question)).json()) as Completion).choices).toEqual([
      {
        index: 0,
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          reasoning_content: 'hm',
          tool_calls: [
            {
              id: 'call-mock-2-0-0',
              type: 'function',
              function: { name: 'find', arguments: '{"query":"sky"}' },
            },
          ],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ]);
  });

  it('may be two calls, with arguments that are no JSON, or none', async () => {
    await answering({
      content: [{ toolCall: { name: 'a', id: 'x', arguments: '{"' } }, { toolCall: { name: 'b' } }],
    });
    const answer = (await (await post(question)).json()) as Completion;
    expect(answer.choices[0]?.message['tool_calls']).toEqual([
      { id: 'x', type: 'function', function: { name: 'a', arguments: '{"' } },
      { id: 'call-mock-1-0-1', type: 'function', function: { name: 'b', arguments: '{}' } },
    ]);
  });

  it('may be repeated', async () => {
    await answering({
      content: [{ repeat: ['a', { repeat: 'b', times: 2 }], times: 2 }, { repeat: [] }],
    });
    const answer = (await (await post(question)).json()) as Completion;
    expect(answer.choices[0]?.message['content']).toBe('abbabb');
  });

  it('may be repeated without an end in a stream, and break an answer in JSON', async () => {
    await answering({ content: [{ repeat: 'more ' }] }, { content: [{ repeat: 'more ' }] });
    const reader = (await post(streamed)).body?.getReader();
    for (let size = 0; size < 100_000;) size += (await reader?.read())?.value?.byteLength ?? Infinity;
    await reader?.cancel();
    await mock.whenAborted();
    await expect((await post(question)).text()).rejects.toThrow();
  });
});

describe('several choices', () => {
  const choices = [{ content: ['a', 'b', 'c'] }, { content: ['x'], finishReason: 'length' }];
  const of = (index: number, delta: object, finish_reason: string | null = null) =>
    chunk({}, null, { choices: [{ index, delta, logprobs: null, finish_reason }] });

  it('are streamed a piece of each in turn', async () => {
    await answering({ choices });
    expect(eventsOf(await (await post(streamed)).text())).toEqual([
      of(0, { role: 'assistant', content: '' }),
      of(1, { role: 'assistant', content: '' }),
      of(0, { content: 'a' }),
      of(1, { content: 'x' }),
      of(0, { content: 'b' }),
      of(1, {}, 'length'),
      of(0, { content: 'c' }),
      of(0, {}, 'stop'),
      '[DONE]',
    ]);
  });

  it('stand side by side in JSON', async () => {
    await answering({ choices });
    expect(await (await post(question)).json()).toMatchObject({
      choices: [
        { index: 0, message: { content: 'abc' }, finish_reason: 'stop' },
        { index: 1, message: { content: 'x' }, finish_reason: 'length' },
      ],
      usage: { completion_tokens: 4 },
    });
  });
});

interface Completion {
  readonly choices: readonly { readonly message: Readonly<Record<string, unknown>> }[];
}

describe('an answer in JSON', () => {
  it('is sent where the request does not ask for a stream', async () => {
    await answering({ content: 'Hello there.', finishReason: 'length' });
    const response = await post({ ...question, stream: false });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      id: 'chatcmpl-mock-1',
      object: 'chat.completion',
      created: 1_735_689_600,
      model: 'm',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello there.', refusal: null },
          logprobs: null,
          finish_reason: 'length',
        },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 },
    });
  });

  it('joins the deltas of a script, tool calls by their index', async () => {
    const call = (index: number, fields: object) => ({ delta: { tool_calls: [{ index, ...fields }] } });
    await answering({
      content: [
        { chunk: { choices: [{ delta: { content: 'Let me ' } }] } },
        'look.',
        call(0, { id: 'a', type: 'function', function: { name: 'find', arguments: '{"q"' } }),
        call(1, { id: 'b', type: 'function', function: { name: 'open', arguments: '{}' } }),
        call(0, { id: 'a', function: { arguments: ':1}' } }),
        { raw: ': left out\n\n' },
      ],
    });
    const answer = (await (await post(question)).json()) as Completion;
    expect(answer.choices[0]?.message).toEqual({
      role: 'assistant',
      content: 'Let me look.',
      refusal: null,
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'find', arguments: '{"q":1}' } },
        { id: 'b', type: 'function', function: { name: 'open', arguments: '{}' } },
      ],
    });
  });

  it('is exactly what the script says', async () => {
    await answering({ json: { anything: [1] } });
    expect(await (await post(streamed)).json()).toEqual({ anything: [1] });
  });
});

describe('a request that is refused', () => {
  beforeEach(() => start());

  it.each([
    ['is not JSON', '{', null],
    ['is no object', '[]', null],
    ['names no model', { messages: question.messages }, 'model'],
    ['has no messages', { model: 'm' }, 'messages'],
    ['has a message that is none', { model: 'm', messages: ['hi'] }, 'messages'],
  ])('gets 400 where its body %s', async (_, body, param) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: { message: expect.any(String) as string, type: 'invalid_request_error', param, code: null },
    });
    expect(mock.requests).toEqual([]);
  });

  it.each([
    ['another path', '/completions', 'POST'],
    ['another method', '/chat/completions', 'PUT'],
  ])('gets 404 at %s', async (_, path, method) => {
    const response = await post(question, { method }, path);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: {
        message: `Unknown request URL: ${method} /v1${path}.`,
        type: 'invalid_request_error',
        param: null,
        code: 'unknown_url',
      },
    });
    expect(mock.requests).toEqual([]);
  });
});

it('answers under any prefix and with any query', async () => {
  await answering({ json: 1 }, { json: 2 });
  const root = mock.baseUrl.replace('/v1', '');
  const init = { method: 'POST', body: JSON.stringify(question) };
  expect(await (await fetch(`${root}/chat/completions`, init)).json()).toBe(1);
  const deployment = '/openai/deployments/x/chat/completions?api-version=1';
  expect(await (await fetch(`${root}${deployment}`, init)).json()).toBe(2);
  expect(mock.requests.map(({ url }) => url)).toEqual(['/chat/completions', deployment]);
});

it('keeps each request with its body, headers and number', async () => {
  await start();
  await (await post(question, { headers: { Authorization: 'Bearer k' } })).text();
  await (await post({ ...question, temperature: 0 })).text();
  expect(mock.requests.map(({ index, body, headers }) => [index, body, headers.authorization])).toEqual([
    [0, question, 'Bearer k'],
    [1, { ...question, temperature: 0 }, undefined],
  ]);
});

describe('the script', () => {
  it('gives the queued answers first, then those of the options, then the default', async () => {
    await start({ answers: [{ json: 'taken by the queue' }, { json: 'second' }] });
    mock.enqueue({ json: 'queued' });
    const answers: unknown[] = [];
    for (let count = 0; count < 3; count += 1) answers.push(await (await post(question)).json());
    expect(answers.slice(0, 2)).toEqual(['queued', 'second']);
    expect(answers[2]).toMatchObject({ id: 'chatcmpl-mock-3', object: 'chat.completion' });
  });

  it('may be a function of the request, and leave the rest to the default', async () => {
    await start({
      answers: ({ body, index, headers, url }) =>
        index === 0 ? { json: [body.model, headers['x-mark'], url] } : undefined,
    });
    const first = await post(question, { headers: { 'x-mark': 'yes' } });
    expect(await first.json()).toEqual(['m', 'yes', '/v1/chat/completions']);
    expect(await (await post(question)).json()).toMatchObject({ object: 'chat.completion' });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('oops');
      },
    ],
    ['sets a header that HTTP does not allow', () => ({ headers: { 'a b': '1' } })],
  ])('that %s is answered with 500, not to be retried', async (_, answers) => {
    await start({ answers });
    const response = await post(streamed);
    expect([response.status, response.headers.get('x-should-retry')]).toEqual([500, 'false']);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining('script') as string },
    });
  });

  it.each([
    [429, 'requests', 'rate_limit_exceeded'],
    [401, 'invalid_request_error', 'invalid_api_key'],
    [503, 'server_error', null],
  ])('with status %i alone has an error as OpenAI writes it', async (status, type, code) => {
    await answering({ status, headers: { 'retry-after': '7' } });
    const response = await post(streamed);
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, '7']);
    const message = `The mock provider was told to answer with status ${status}.`;
    expect(await response.json()).toEqual({ error: { message, type, param: null, code } });
  });

  it('with an error has status 500 unless it says another', async () => {
    const error = { message: 'No.', type: 't', code: 'c', param: 'p' };
    await answering({ error }, { status: 418, error });
    const first = await post(streamed);
    expect([first.status, await first.json()]).toEqual([500, { error }]);
    expect((await post(streamed)).status).toBe(418);
  });

  it('with a redirect has no body', async () => {
    await answering({ status: 307, headers: { location: '/elsewhere' } });
    const response = await post(streamed, { redirect: 'manual' });
    expect([response.status, response.headers.get('location'), await response.text()]).toEqual([
      307,
      '/elsewhere',
      '',
    ]);
  });

  it('with a body is that body, and its headers replace the usual', async () => {
    await answering({ body: '<html>', headers: { 'Content-Type': 'text/html' } });
    const response = await post(streamed);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/html',
      '<html>',
    ]);
  });
});

describe('the models', () => {
  it('are listed under any prefix, and are no requests of the script', async () => {
    await start({ models: ['a', 'b'] });
    const response = await fetch(`${mock.baseUrl}/models?limit=2`);
    const model = { object: 'model', created: 1_735_689_600, owned_by: 'mock' };
    expect(await response.json()).toEqual({
      object: 'list',
      data: [
        { id: 'a', ...model },
        { id: 'b', ...model },
      ],
    });
    expect(mock.requests).toEqual([]);
  });
});

describe('pages of another origin', () => {
  const preflight = () =>
    fetch(`${mock.baseUrl}/chat/completions`, {
      method: 'OPTIONS',
      headers: { 'access-control-request-headers': 'authorization,content-type' },
    });

  it('may ask and read everything where they are let', async () => {
    await start({ cors: true, answers: [{ content: 'a' }, { status: 429 }] });
    const { status, headers } = await preflight();
    expect([status, headers.get('access-control-allow-headers')]).toEqual([
      204,
      'authorization,content-type',
    ]);
    expect(headers.get('access-control-allow-methods')).toBe('GET, POST');
    for (const response of [await post(streamed), await post(streamed), await post('{')]) {
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-expose-headers')).toBe('*');
      await response.text();
    }
  });

  it('are told nothing by default', async () => {
    await answering({ content: 'a' });
    expect((await preflight()).status).toBe(404);
    expect((await post(streamed)).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('the body of a request', () => {
  /** Begins a request on a connection of its own, and says when something has come back. */
  async function begun(head: string): Promise<{ socket: Socket; answer: Promise<string> }> {
    const socket = connect(mock.port, '127.0.0.1');
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    const answer = new Promise<string>((resolve) => socket.once('data', (text: string) => resolve(text)));
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n${head}\r\n\r\n`);
    return { socket, answer };
  }

  const sized = (bytes: number) => {
    const empty = JSON.stringify({ ...question, filler: '' });
    return JSON.stringify({ ...question, filler: 'x'.repeat(bytes - empty.length) });
  };

  it('may be as large as maxBodySize, and one byte more is refused with 413', async () => {
    await start({ maxBodySize: 1_000 });
    expect((await post(sized(1_000))).status).toBe(200);
    const refused = await post(sized(1_001));
    expect([refused.status, await refused.json()]).toEqual([
      413,
      {
        error: {
          message: 'The request body is larger than 1000 bytes (maxBodySize).',
          type: 'invalid_request_error',
          param: null,
          code: 'request_too_large',
        },
      },
    ]);
    expect([mock.requests.length, mock.aborted]).toEqual([1, 0]);
    expect((await post(sized(1_000))).status).toBe(200);
  });

  it('is refused by its length before any of it has come, and the connection is closed', async () => {
    await start();
    const { socket, answer } = await begun(`Content-Length: ${16 * 2 ** 20 + 1}`);
    expect(await answer).toMatch(/^HTTP\/1\.1 413 [^]*\r\nconnection: close\r\n/i);
    await new Promise((resolve) => socket.once('close', resolve));
    await mock.whenDisconnected();
  });

  it('is refused where it has no length, and its rest is not read', async () => {
    await start({ maxBodySize: 100_000 });
    const { socket, answer } = await begun('Transfer-Encoding: chunked');
    const piece = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    let taken = 0;
    const write = () => {
      // As a client does that does not look: it writes whenever the network takes more.
      while (!socket.destroyed && socket.write(piece)) taken += 1;
    };
    socket.on('drain', write);
    write();
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    await new Promise((resolve) => socket.once('close', resolve));
    // What the buffers of both systems hold, and far from all that it would send in a second.
    expect(taken * 0x4000).toBeLessThan(64 * 2 ** 20);
    await mock.whenDisconnected();
    expect(mock.requests).toEqual([]);
  });

  it('is freed where its client leaves before its end', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = () => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    await start();
    const before = held();
    const size = 8 * 2 ** 20;
    for (let client = 0; client < 8; client += 1) {
      const { socket } = await begun(`Content-Length: ${2 * size}`);
      await new Promise<void>((resolve) => socket.write(Buffer.alloc(size), () => resolve()));
      socket.destroy();
      await mock.whenDisconnected();
    }
    while (held() - before > size) await turnOfTheLoop();
    expect([mock.openConnections, mock.requests.length]).toEqual([0, 0]);
  });
});

describe('the requests that are kept', () => {
  const ask = async (count: number) => {
    for (let number = 0; number < count; number += 1) await (await post({ ...question, number })).text();
  };
  const numbers = () => mock.requests.map(({ index, body }) => [index, body['number']]);

  it('are the last ones, with the numbers that they came with', async () => {
    await start({ keptRequests: 2, answers: [0, 1, 2, 3].map((status) => ({ status: 500 + status })) });
    await ask(3);
    expect(numbers()).toEqual([
      [1, 1],
      [2, 2],
    ]);
    // The script goes on by the number, too.
    expect((await post(question)).status).toBe(503);
    expect((await mock.whenRequested(4)).index).toBe(3);
    await expect(mock.whenRequested(2)).rejects.toThrow(
      'Request 2 is no longer kept: 4 have come (keptRequests).',
    );
    const next = mock.whenRequested(5);
    await ask(1);
    expect((await next).index).toBe(4);
  });

  it('are 1,000 by default, and all at Infinity', async () => {
    await start();
    await ask(1_001);
    expect([mock.requests.length, mock.requests[0]?.index]).toEqual([1_000, 1]);
    await mock.close();
    await start({ keptRequests: Infinity });
    await ask(1_001);
    expect(mock.requests).toHaveLength(1_001);
  });

  it.each([
    ['keptRequests', 0],
    ['maxBodySize', NaN],
  ])('%s cannot be %d', async (name, value) => {
    await start();
    await expect(startMockProvider({ [name]: value })).rejects.toThrow(
      new TypeError(`options.${name} must be a number of at least 1.`),
    );
  });
});

it('asks to come again in the form that is scripted, unless the headers say otherwise', async () => {
  await answering(
    { status: 429, retryAfter: { wait: 1_500, as: 'milliseconds' } },
    { status: 503, retryAfter: { wait: 3_600_000, as: 'date' } },
    { status: 503, retryAfter: { wait: 1_000 }, headers: { 'retry-after': 'soon' } },
  );
  expect((await post(streamed)).headers.get('retry-after-ms')).toBe('1500');
  const { headers } = await post(streamed);
  const wait = Date.parse(headers.get('retry-after') ?? '') - Date.parse(headers.get('date') ?? '');
  expect(wait).toBe(3_600_000);
  expect((await post(streamed)).headers.get('retry-after')).toBe('soon');
});

describe('on the wire', () => {
  it.each(['gzip', 'deflate', 'br'] as const)('compresses a body write by write (%s)', async (encoding) => {
    await answering({ encoding, content: ['a', { wait: Infinity }] }, { encoding, json: { a: 1 } });
    const response = await post(streamed);
    expect(response.headers.get('content-encoding')).toBe(encoding);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('"content":"a"}')) {
      const read = await reader?.read();
      if (read?.value === undefined) throw new Error('the body has ended');
      text += read.value;
    }
    await reader?.cancel();
    await mock.whenAborted();
    const whole = await post(streamed);
    expect([whole.headers.get('content-length'), await whole.json()]).toEqual([null, { a: 1 }]);
  });

  it('counts a cut in the bytes as they are sent', async () => {
    await answering({ encoding: 'gzip', body: 'a'.repeat(10_000), cut: { afterBytes: 20 } });
    const { body, end } = await readRaw(mock.port, streamed);
    // The length of the piece, in hexadecimal.
    expect([body.startsWith('14\r\n'), end]).toEqual([true, 'closed']);
  });

  it.each<[string, MockAnswer, RegExp, RawAnswer['end']]>([
    ['not HTTP at all', { wire: ['SSH-2.0-x\r\n'] }, /^SSH-2\.0-x\r\n$/, 'closed'],
    [
      'broken inside the headers',
      { wire: ['HTTP/1.1 200 OK\r\n', { wait: 1 }, 'x-half: ', { cut: 'reset' }, 'b'] },
      /^HTTP\/1\.1 200 OK\r\nx-half: $/,
      'reset',
    ],
  ])('takes an answer by hand: %s', async (_, answer, head, end) => {
    await answering(answer);
    const raw = await readRaw(mock.port, streamed);
    expect(raw).toEqual({ head: expect.stringMatching(head) as string, body: '', end });
    expect(mock.aborted).toBe(0);
  });

  it('writes each piece of a body by itself', async () => {
    await answering({ body: ['ab', new Uint8Array([0x63]), 'd'], headers: { connection: 'close' } });
    const { body, end } = await readRaw(mock.port, streamed);
    expect(body).toBe('2\r\nab\r\n1\r\nc\r\n1\r\nd\r\n0\r\n\r\n');
    expect(end).toBe('closed');
  });

  it.each([
    ['close', 'closed'],
    ['reset', 'reset'],
  ] as const)('breaks the connection inside the body (%s)', async (by, end) => {
    await answering(
      { body: ['abc', 'def'], cut: { afterBytes: 4, by } },
      { content: ['x', { cut: by }, 'y'] },
    );
    expect(await readRaw(mock.port, streamed)).toMatchObject({ body: '3\r\nabc\r\n1\r\nd\r\n', end });
    const inContent = await readRaw(mock.port, streamed);
    expect(inContent.end).toBe(end);
    expect(inContent.body).toContain('"content":"x"');
    expect(inContent.body).not.toContain('"content":"y"');
    expect(mock.aborted).toBe(0);
  });

  it.each([
    ['close', 'closed'],
    ['reset', 'reset'],
  ] as const)('breaks the connection instead of answering (%s)', async (noAnswer, end) => {
    await answering({ noAnswer });
    expect(await readRaw(mock.port, streamed)).toEqual({ head: '', body: '', end });
  });

  it('ends a body short of its Content-Length by closing', async () => {
    await answering({ body: 'abc', contentLength: 10 });
    const { head, body, end } = await readRaw(mock.port, streamed);
    expect(head).toContain('content-length: 10');
    expect([body, end]).toEqual(['abc', 'closed']);
  });

  it('breaks the connection where a sequence throws', async () => {
    await answering({ content: crashing() });
    const { body, end } = await readRaw(mock.port, streamed);
    expect(body).toContain('"content":"x"');
    expect(body).not.toContain('[DONE]');
    expect(end).toBe('closed');
  });

  it('keeps the body open after [DONE] for as long as it is told', async () => {
    await answering({ content: [], endDelay: Infinity });
    const reader = (await post(streamed)).body?.getReader();
    const decoder = new TextDecoder();
    let text = '';
    while (!text.endsWith('data: [DONE]\n\n')) {
      const read = await reader?.read();
      if (read?.value === undefined) throw new Error('the body has ended');
      text += decoder.decode(read.value, { stream: true });
    }
    expect(mock.aborted).toBe(0);
    await reader?.cancel();
    await mock.whenAborted();
  });

  it('keeps the connection for the next request, and counts connections', async () => {
    await answering({ content: 'a' }, { content: 'b', endDelay: 1 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; count < 3; count += 1) {
      await new Promise<void>((resolve, reject) => {
        request(`${mock.baseUrl}/chat/completions`, { method: 'POST', agent }, (response) =>
          response.resume().once('end', resolve),
        )
          .once('error', reject)
          .end(JSON.stringify(streamed));
      });
    }
    expect([mock.connections, mock.openConnections, mock.requests.length]).toEqual([1, 1, 3]);
    agent.destroy();
    await mock.whenDisconnected();
    expect([mock.connections, mock.openConnections, mock.aborted]).toEqual([1, 0, 0]);
  });

  it('counts the requests that are being answered, while their connections may stay open', async () => {
    await answering({ body: ['a', { wait: Infinity }] }, { content: 'b' });
    const leave = new AbortController();
    const stalled = await post(streamed, { signal: leave.signal });
    await (await post(streamed)).text();
    expect(mock.openAnswers).toBe(1);
    leave.abort();
    await expect(stalled.text()).rejects.toThrow();
    await mock.whenIdle();
    expect([mock.openAnswers, mock.aborted]).toEqual([0, 1]);
  });
});

function* crashing(): Generator<string> {
  yield 'x';
  throw new Error('crash');
}

describe('a client that leaves', () => {
  it.each<[string, MockAnswer]>([
    ['before the headers', { delay: Infinity }],
    ['in a stall', { content: ['a', { wait: Infinity }] }],
    ['while a sequence has nothing to give', { content: stalled() }],
    ['between two chunks', { content: ['a', 'b'], pace: 2 ** 31 }],
    ['in a stall between headers', { wire: ['HTTP/1.1 200 OK\r\n', { wait: Infinity }] }],
    ['in a stall of two choices', { choices: [{}, { content: [{ wait: Infinity }] }] }],
    ['in a compressed stall', { encoding: 'gzip', content: ['a', { wait: Infinity }] }],
  ])('%s is counted', async (_, answer) => {
    await answering(answer);
    const leave = new AbortController();
    const response = post(streamed, { signal: leave.signal }).then((it) => it.text());
    await mock.whenRequested();
    leave.abort();
    await expect(response).rejects.toThrow();
    await mock.whenAborted();
    expect(mock.aborted).toBe(1);
  });

  it('ends the sequence of the answer', async () => {
    let ended = () => {};
    const end = new Promise<void>((resolve) => (ended = resolve));
    function* endless(): Generator<string> {
      try {
        for (;;) yield 'more ';
      } finally {
        ended();
      }
    }
    await answering({ content: endless() });
    const response = await post(streamed);
    await response.body?.cancel();
    await end;
    await mock.whenAborted();
  });

  it('slows the sequence down while it does not read', async () => {
    const piece = 'x'.repeat(64 * 1024);
    let given = 0;
    function* endless(): Generator<string> {
      for (;;) {
        given += 1;
        yield piece;
      }
    }
    await answering({ content: endless() });
    const response = await post(streamed);
    // What the sockets of both sides hold is bounded; then nothing more is asked for.
    await whenStill(() => given, 1_000);
    expect(given).toBeGreaterThan(0);
    expect(given).toBeLessThan(1_000);
    await response.body?.cancel();
  });
});

async function* stalled(): AsyncGenerator<string> {
  yield 'a';
  await new Promise(() => {});
}

describe('close', () => {
  it('ends every connection, rejects what waits, and may be called twice', async () => {
    await answering({ content: ['a', { wait: Infinity }] });
    const text = (await post(streamed)).text();
    const waiting = mock.whenAborted();
    const closed = mock.close();
    expect(mock.close()).toBe(closed);
    await closed;
    await expect(text).rejects.toThrow();
    await expect(waiting).rejects.toThrow('The mock provider was closed.');
    await expect(mock.whenRequested(2)).rejects.toThrow('The mock provider was closed.');
    await expect(post(streamed)).rejects.toThrow();
    expect([mock.aborted, mock.openConnections]).toEqual([0, 0]);
  });
});

it('rejects where the port is taken', async () => {
  await start();
  await expect(startMockProvider({ port: mock.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
