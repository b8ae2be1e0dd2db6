import OpenAI, { APIConnectionError, BadRequestError, NotFoundError, RateLimitError } from 'openai';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';

let mock: MockProvider;
let client: OpenAI;

async function answering(...answers: MockAnswer[]): Promise<void> {
  mock = await startMockProvider({ pace: 0, answers });
  client = new OpenAI({ apiKey: 'k', baseURL: mock.baseUrl, maxRetries: 0 });
}

afterEach(() => mock.close());

const ask = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello' }] };

describe("OpenAI's own client", () => {
  it('reads a stream', async () => {
    await answering({ content: 'Hello there, you.' });
    const deltas: unknown[] = [];
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    for await (const { id, choices } of stream) deltas.push([id, choices[0]?.delta.content]);
    expect(deltas).toEqual(
      ['', 'Hello', ' there,', ' you.', undefined].map((text) => ['chatcmpl-mock-1', text]),
    );
    expect(mock.requests[0]?.headers.authorization).toBe('Bearer k');
  });

  it('puts a stream together, with its usage', async () => {
    await answering({ content: 'Hello there, you.' });
    const stream = client.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
    expect(await stream.finalContent()).toBe('Hello there, you.');
    expect((await stream.finalChatCompletion()).choices[0]?.finish_reason).toBe('stop');
    expect(await stream.totalUsage()).toMatchObject({
      prompt_tokens: 1,
      completion_tokens: 3,
      total_tokens: 4,
    });
  });

  it('puts a tool call together', async () => {
    const call = (fields: object) => ({ delta: { tool_calls: [{ index: 0, ...fields }] } });
    await answering({
      content: [
        call({ id: 'call_1', type: 'function', function: { name: 'find', arguments: '' } }),
        call({ function: { arguments: '{"q":' } }),
        call({ function: { arguments: '"sky"}' } }),
      ],
      finishReason: 'tool_calls',
    });
    const { choices } = await client.chat.completions.stream(ask).finalChatCompletion();
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"q":"sky"}' } },
    ]);
  });

  it('reads an answer in JSON', async () => {
    await answering({ content: 'Hello there.' });
    const answer = await client.chat.completions.create(ask);
    expect(answer).toMatchObject({
      id: 'chatcmpl-mock-1',
      choices: [{ message: { role: 'assistant', content: 'Hello there.' }, finish_reason: 'stop' }],
      usage: { total_tokens: 3 },
    });
    expect(answer._request_id).toBe('req-mock-1');
  });

  it('raises the errors it has for each status', async () => {
    await answering({ status: 429, error: { message: 'Slow down.', code: 'rate_limit_exceeded' } });
    const limited: unknown = await client.chat.completions.create({ ...ask, stream: true }).catch(identity);
    expect(limited).toBeInstanceOf(RateLimitError);
    expect(limited).toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      requestID: 'req-mock-1',
      message: '429 Slow down.',
    });
    await expect(client.chat.completions.create({ ...ask, messages: [] })).rejects.toBeInstanceOf(
      BadRequestError,
    );
    await expect(client.embeddings.create({ model: 'm', input: 'x' })).rejects.toBeInstanceOf(NotFoundError);
  });

  it('retries by the Retry-After that it was given', async () => {
    await answering({ status: 503, headers: { 'retry-after-ms': '1' } }, { content: 'At last.' });
    const answer = await client.chat.completions.create(ask, { maxRetries: 1 });
    expect(answer.choices[0]?.message.content).toBe('At last.');
    expect(mock.requests).toHaveLength(2);
  });

  it('is told of a connection that gives no answer', async () => {
    await answering({ noAnswer: 'reset' });
    await expect(client.chat.completions.create(ask)).rejects.toBeInstanceOf(APIConnectionError);
  });

  it('aborts, which the provider counts', async () => {
    await answering({ content: ['a', { wait: Infinity }] });
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    for await (const { choices } of stream) if (choices[0]?.delta.content === 'a') break;
    await mock.whenAborted();
    expect(mock.aborted).toBe(1);
  });
});

const identity = (value: unknown) => value;
