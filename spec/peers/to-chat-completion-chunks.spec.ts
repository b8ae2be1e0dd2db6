import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { text as textOf } from 'node:stream/consumers';
import OpenAI, { APIError } from 'openai';
import { lastValueFrom, toArray } from 'rxjs';
import { Demand } from '../../src/flow/demand.js';
import { streamChatCompletions, streamChatRequest, type ChatRequestBody } from '../../src/index.js';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { nodeReadableFrom, nodeTransport } from '../../src/node/index.js';
import { encodeEventStream } from '../../src/relay/encode-event-stream.js';
import { toChatCompletionChunks } from '../../src/relay/to-chat-completion-chunks.js';

const transport = nodeTransport();
let mock: MockProvider;
let backend: ReturnType<typeof createServer>;
let client: OpenAI;
let baseUrl: string;

/** Stands between an OpenAI client and the mock provider. */
async function proxy(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const demand = new Demand();
  const {
    stream: _stream,
    stream_options: streamOptions,
    ...body
  } = JSON.parse(await textOf(request)) as ChatRequestBody & {
    readonly stream_options?: { readonly include_usage?: boolean };
  };
  const provider = { name: 'mock', baseUrl: mock.baseUrl };
  const answer = streamChatRequest(body as ChatRequestBody, {
    provider,
    transport,
    demand,
    includeUsage: streamOptions?.include_usage === true,
  }).pipe(
    toChatCompletionChunks({ id: 'chatcmpl-backend', model: body.model, customTools: ['run'] }),
    encodeEventStream(),
  );
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  await pipeline(nodeReadableFrom(answer, { demand }), response);
}

async function answering(...answers: MockAnswer[]): Promise<void> {
  mock = await startMockProvider({ pace: 0, answers });
  // A client that leaves breaks the pipeline.
  backend = createServer((request, response) => void proxy(request, response).catch(() => undefined));
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  baseUrl = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/v1`;
  client = new OpenAI({ apiKey: 'k', baseURL: baseUrl, maxRetries: 0 });
}

afterEach(async () => {
  await mock.close();
  backend.closeAllConnections();
  backend.close();
  await once(backend, 'close');
});

const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello' }] };

const call = (fields: object) => ({ delta: { tool_calls: [{ index: 0, ...fields }] } });

/** The same answers over the backend and from the provider itself. */
async function bothWays<T>(read: (client: OpenAI) => Promise<T>): Promise<readonly [T, T]> {
  const direct = new OpenAI({ apiKey: 'k', baseURL: mock.baseUrl, maxRetries: 0 });
  return [await read(client), await read(direct)];
}

describe("OpenAI's own client, behind a backend", () => {
  it('reads a stream chunk by chunk', async () => {
    await answering({ content: ['Hello', ' there.'] });
    const seen: unknown[] = [];
    for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
      const { id, model, object, choices } = chunk;
      seen.push([id, model, object, choices[0]?.delta, choices[0]?.finish_reason]);
    }
    const head = ['chatcmpl-backend', 'm', 'chat.completion.chunk'];
    expect(seen).toEqual([
      [...head, { role: 'assistant', content: 'Hello' }, null],
      [...head, { content: ' there.' }, null],
      [...head, {}, 'stop'],
    ]);
  });

  it('puts together what the provider itself would have given: text, usage', async () => {
    const answer = { content: 'Hello there, you.' };
    await answering(answer, answer);
    const [over, direct] = await bothWays(async (openai) => {
      const stream = openai.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
      const { choices, model } = await stream.finalChatCompletion();
      const { prompt_tokens, completion_tokens, total_tokens } = await stream.totalUsage();
      return { said: choices[0]?.message.content, model, prompt_tokens, completion_tokens, total_tokens };
    });
    expect(over).toEqual(direct);
    expect(over).toEqual({
      said: 'Hello there, you.',
      model: 'm',
      prompt_tokens: 1,
      completion_tokens: 3,
      total_tokens: 4,
    });
  });

  it('puts together what the provider itself would have given: several calls', async () => {
    const answer: MockAnswer = {
      content: [
        { toolCall: { name: 'find', id: 'a', arguments: { q: 'the blue sky' } } },
        { toolCall: { name: 'now', id: 'b', arguments: '' } },
      ],
    };
    await answering(answer, answer);
    const [over, direct] = await bothWays(async (openai) => {
      const { choices } = await openai.chat.completions.stream(ask).finalChatCompletion();
      return { calls: choices[0]?.message.tool_calls, reason: choices[0]?.finish_reason };
    });
    expect(over).toEqual(direct);
    expect(over.calls).toMatchObject([
      { id: 'a', type: 'function', function: { name: 'find', arguments: '{"q":"the blue sky"}' } },
      { id: 'b', type: 'function', function: { name: 'now', arguments: '' } },
    ]);
    expect(over.reason).toBe('tool_calls');
  });

  it('is told the arguments of a call as they are written', async () => {
    await answering({ content: [{ toolCall: { name: 'find', id: 'a', arguments: { q: 'the blue sky' } } }] });
    const deltas: string[] = [];
    const stream = client.chat.completions.stream(ask);
    stream.on('tool_calls.function.arguments.delta', ({ arguments_delta }) => deltas.push(arguments_delta));
    await stream.done();
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.join('')).toBe('{"q":"the blue sky"}');
  });

  it('puts together what the provider itself would have given: several choices and a refusal', async () => {
    const answer: MockAnswer = {
      choices: [
        { content: 'One answer.' },
        {
          content: [{ delta: { refusal: 'I ' } }, { delta: { refusal: 'cannot.' } }],
          finishReason: 'length',
        },
      ],
    };
    await answering(answer, answer);
    const [over, direct] = await bothWays(async (openai) => {
      const { choices } = await openai.chat.completions.stream({ ...ask, n: 2 }).finalChatCompletion();
      return choices.map(({ message, finish_reason }) => ({
        said: message.content ?? '',
        refused: message.refusal,
        finish_reason,
      }));
    });
    expect(over).toEqual(direct);
    expect(over).toEqual([
      { said: 'One answer.', refused: null, finish_reason: 'stop' },
      { said: '', refused: 'I cannot.', finish_reason: 'length' },
    ]);
  });

  it('reads reasoning and the input of custom tools as providers write them', async () => {
    await answering({
      content: [
        { reasoning: 'Hm.' },
        call({ id: 'c', type: 'custom', custom: { name: 'run', input: 'print' } }),
        call({ custom: { input: '(1)' } }),
      ],
      finishReason: 'tool_calls',
    });
    const deltas: unknown[] = [];
    for await (const { choices } of await client.chat.completions.create({ ...ask, stream: true }))
      deltas.push(choices[0]?.delta);
    expect(deltas).toEqual([
      { role: 'assistant', reasoning_content: 'Hm.' },
      { tool_calls: [{ index: 0, id: 'c', type: 'custom', custom: { name: 'run', input: 'print' } }] },
      { tool_calls: [{ index: 0, custom: { input: '(1)' } }] },
      {},
    ]);
  });

  it('raises an error inside the stream, after what came before it, without the words of the provider', async () => {
    const error = { message: 'PRIVATE', type: 'server_error', code: 'overloaded' };
    await answering({ content: ['Hel', { chunk: { error } }] });
    const texts: unknown[] = [];
    const read = async () => {
      for await (const { choices } of await client.chat.completions.create({ ...ask, stream: true }))
        texts.push(choices[0]?.delta.content);
    };
    const raised: unknown = await read().catch((caught: unknown) => caught);
    expect(texts).toEqual(['Hel']);
    expect(raised).toBeInstanceOf(APIError);
    expect(raised).toMatchObject({ code: 'overloaded', type: 'server_error' });
    expect((raised as APIError).message).toBe('The answer broke off.');
  });

  it('aborts the turn where it leaves', async () => {
    await answering({ content: [{ repeat: 'again ' }] });
    for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
      expect(chunk.choices[0]?.delta.content).toBe('again ');
      break;
    }
    await mock.whenAborted();
    expect(mock.aborted).toBe(1);
  });
});

describe('this library, behind a backend', () => {
  it('reads the turn that the provider itself would have given', async () => {
    const answer: MockAnswer = {
      content: [
        { reasoning: 'Hm.' },
        'Let me ',
        'see.',
        { toolCall: { name: 'find', id: 'a', arguments: { q: 'sky' } } },
        call({ index: 1, id: 'c', type: 'custom', custom: { name: 'run', input: 'print' } }),
        call({ index: 1, custom: { input: '(1)' } }),
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    };
    await answering(answer, answer);
    const read = (address: string) =>
      lastValueFrom(
        streamChatCompletions('Hello', {
          model: 'm',
          provider: { name: 'p', baseUrl: address },
          transport,
          includeUsage: true,
        }).pipe(toArray()),
      );
    const direct = await read(mock.baseUrl);
    const over = await read(baseUrl);
    expect(over).toEqual(
      direct.map((event) =>
        event.type === 'completed' ? { ...event, responseId: 'chatcmpl-backend' } : event,
      ),
    );
    expect(over).toHaveLength(10);
  });
});
