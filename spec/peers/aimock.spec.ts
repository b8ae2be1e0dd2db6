import type { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import { lastValueFrom, type Observable, timestamp, toArray } from 'rxjs';
import {
  aggregate,
  azureOpenAI,
  type ChatOptions,
  type FunctionCallItem,
  functionCallOutput,
  IdleTimeoutError,
  type ModelProvider,
  type Prompt,
  requireFinish,
  type ResponseEvent,
  type ResponseItem,
  ResponseTimeoutError,
  RetryLimitError,
  streamChatCompletions,
  streamChatRequest,
  StreamError,
  textDeltas,
  TransportError,
  UnexpectedContentError,
  UnexpectedStatusError,
  userMessage,
} from '../../src/index.js';
import { completed, text } from '../support/events.js';
import { key, receivedBodies, startAimock } from './start-aimock.js';
import { eventsOf, failureOf } from './turn-outcome.js';

let server: LLMock;
let provider: ModelProvider;

beforeAll(async () => {
  server = await startAimock();
  provider = { name: 'aimock', baseUrl: `${server.url}/v1`, apiKey: key };
});
beforeEach(() => {
  server.clearRequests();
  server.resetMatchCounts();
});
afterAll(() => server.stop());

type Options = Partial<ChatOptions>;

const ask = (prompt: Prompt | string, options: Options = {}): Observable<ResponseEvent> =>
  streamChatCompletions(prompt, { model: 'gpt-4o', provider, ...options });

/** Has the peer do this with every request. */
const withChaos = (name: 'drop' | 'malformed' | 'disconnect' | 'ratelimit'): Options => ({
  provider: { ...provider, headers: { [`x-aimock-chaos-${name}`]: '1' } },
});

const finished = (responseId: string, fields: Parameters<typeof completed>[0] = {}) =>
  completed({ responseId, model: 'gpt-4o', finishReason: 'stop', ...fields });

const done = (item: ResponseItem): ResponseEvent => ({ type: 'output_item_done', item });

const thought = (value: string): ResponseEvent =>
  done({ type: 'reasoning', content: [{ type: 'reasoning_text', text: value }] });

const call = (id: string, name: string, args: string): FunctionCallItem => ({
  type: 'function_call',
  call_id: id,
  name,
  arguments: args,
});

const written = (callId: string, name: string, index: number, delta: string): ResponseEvent => ({
  type: 'function_call_arguments_delta',
  callId,
  name,
  index,
  delta,
});

describe('an answer of aimock', () => {
  it('streams as text, delta by delta, with the usage that was asked for', async () => {
    expect(await eventsOf(ask('Please greet me', { includeUsage: true }))).toEqual([
      text('Hello '),
      text('from a'),
      text(' peer.'),
      finished('chatcmpl-greeting', {
        usage: {
          inputTokens: 11,
          cachedInputTokens: 0,
          outputTokens: 5,
          reasoningOutputTokens: 0,
          totalTokens: 16,
        },
      }),
    ]);
    expect(receivedBodies(server)).toEqual([
      {
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'Please greet me' }],
        stream: true,
        stream_options: { include_usage: true },
      },
    ]);
  });

  it('has no usage where none was asked for', async () => {
    expect(await eventsOf(ask('Please greet me').pipe(aggregate()))).toEqual([
      text('Hello from a peer.'),
      finished('chatcmpl-greeting'),
    ]);
  });

  it('joins to whole characters where the peer cuts them in halves', async () => {
    const deltas = await lastValueFrom(ask('Send faces').pipe(textDeltas(), toArray()));
    expect(deltas).toEqual(['é', '\ud83d', '\ude42', '!']);
    expect(await eventsOf(ask('Send faces').pipe(aggregate()))).toEqual([
      text('é🙂!'),
      finished('chatcmpl-faces'),
    ]);
  });

  it('gives its reasoning before its text', async () => {
    const turn = ask('Please think first', { model: 'o3' });
    const end = finished('chatcmpl-thoughts', { model: 'o3' });
    expect(await eventsOf(turn)).toEqual([thought('Two and t'), thought('wo.'), text('Four.'), end]);
    expect(await eventsOf(turn.pipe(aggregate()))).toEqual([thought('Two and two.'), text('Four.'), end]);
  });

  it("is read in OpenRouter's form too: comments between, cached and reasoning tokens counted", async () => {
    const openRouter = { ...provider, baseUrl: `${server.url}/api/v1` };
    const events = await eventsOf(
      ask('Please think first', { model: 'openai/o3', provider: openRouter, includeUsage: true }),
    );
    expect(events).toEqual([
      thought('Two and t'),
      thought('wo.'),
      text('Four.'),
      finished('chatcmpl-thoughts', {
        model: 'openai/o3',
        usage: {
          inputTokens: 20,
          cachedInputTokens: 8,
          outputTokens: 12,
          reasoningOutputTokens: 7,
          totalTokens: 32,
        },
      }),
    ]);
  });

  it('comes with each chunk as the peer sent it, where chunks are included', async () => {
    const chunk = (fields: object): ResponseEvent => ({
      type: 'chunk',
      chunk: {
        id: 'chatcmpl-chunks',
        object: 'chat.completion.chunk',
        created: 1_735_689_600,
        model: 'gpt-4o',
        system_fingerprint: 'fp_peer',
        ...fields,
      },
    });
    const delta = (fields: object, reason: string | null = null) =>
      chunk({ choices: [{ index: 0, delta: fields, logprobs: null, finish_reason: reason }] });
    expect(await eventsOf(ask('Send it as it came', { includeChunks: true, includeUsage: true }))).toEqual([
      delta({ role: 'assistant', content: '' }),
      delta({ content: 'Whole.' }),
      text('Whole.'),
      delta({}, 'stop'),
      chunk({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } }),
      finished('chatcmpl-chunks', {
        usage: {
          inputTokens: 5,
          cachedInputTokens: 0,
          outputTokens: 2,
          reasoningOutputTokens: 0,
          totalTokens: 7,
        },
      }),
    ]);
  });

  it('reaches the consumer while the peer is still writing', async () => {
    const deltas = await lastValueFrom(
      ask('Slowly count to three').pipe(textDeltas(), timestamp(), toArray()),
    );
    expect(deltas.map(({ value }) => value)).toEqual(['One, ', 'two, ', 'three', '.']);
    const [first, last] = [deltas[0], deltas.at(-1)];
    // The peer waits 20 ms before each chunk; in one read they would all come at once.
    expect((last?.timestamp ?? 0) - (first?.timestamp ?? 0)).toBeGreaterThan(40);
  });

  it('keeps the reason of an answer that ran out of length', async () => {
    expect(await eventsOf(ask('Now stop for length'))).toEqual([
      text('Once upon a'),
      finished('chatcmpl-length', { finishReason: 'length' }),
    ]);
  });

  it('keeps to a JSON schema that was asked for', async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const turn = ask('Answer as JSON', {
      responseFormat: { type: 'json_schema', name: 'place', schema, strict: true },
    });
    expect(await eventsOf(turn)).toEqual([text('{"city":"Lima"}'), finished('chatcmpl-json')]);
    expect(receivedBodies(server)[0]?.response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'place', schema, strict: true },
    });
  });
});

describe('the calls of aimock', () => {
  it('are written delta by delta and arrive whole', async () => {
    expect(await eventsOf(ask('Make one call'))).toEqual([
      written('call_find', 'find', 0, '{"query"'),
      written('call_find', 'find', 0, ':"sky"}'),
      done(call('call_find', 'find', '{"query":"sky"}')),
      finished('chatcmpl-call', { finishReason: 'tool_calls' }),
    ]);
  });

  it('keep apart and in order where several are asked for at once, text before them', async () => {
    const lima = call('call_a', 'weather', '{"city":"Lima"}');
    const oslo = call('call_b', 'weather', '{"city":"Oslo"}');
    const end = finished('chatcmpl-calls', { finishReason: 'tool_calls' });
    expect(await eventsOf(ask('Make two calls'))).toEqual([
      text('Looking at both.'),
      written('call_a', 'weather', 0, '{"city":"Lima"}'),
      written('call_b', 'weather', 1, '{"city":"Oslo"}'),
      done(lima),
      done(oslo),
      end,
    ]);
    expect(await eventsOf(ask('Make two calls').pipe(aggregate()))).toEqual([
      text('Looking at both.'),
      done(lima),
      done(oslo),
      end,
    ]);
  });

  it('may stand before and after the text', async () => {
    expect(await eventsOf(ask('A call between texts'))).toEqual([
      written('call_first', 'find', 0, '{}'),
      text('Meanwhile.'),
      written('call_last', 'find', 1, '{"query":"é🙂"}'),
      done(call('call_first', 'find', '{}')),
      done(call('call_last', 'find', '{"query":"é🙂"}')),
      finished('chatcmpl-blocks', { finishReason: 'tool_calls' }),
    ]);
  });
});

describe('a failure of aimock', () => {
  it('429 is retried after the wait that it names, and the turn goes on', async () => {
    const events = await eventsOf(ask('You are busy once', { includeRetries: true }));
    expect(events).toEqual([
      { type: 'retrying', attempt: 1, delay: 0, error: expect.any(UnexpectedStatusError) as unknown },
      text('Now.'),
      finished('chatcmpl-second'),
    ]);
    expect(events[0]).toMatchObject({
      error: { status: 429, code: 'rate_limit_exceeded', retryAfter: 0, retryable: true },
    });
    expect(server.getRequests().map(({ response }) => response.status)).toEqual([429, 200]);
  });

  it('429 that lasts ends in a RetryLimitError after five requests', async () => {
    const { events, error } = await failureOf(ask('You are busy for good'));
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(RetryLimitError);
    expect(error).toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      attempts: { length: 5 },
      retryAfter: 0,
    });
    expect(server.getRequests()).toHaveLength(5);
  });

  it('429 for want of quota is not retried', async () => {
    const { events, error } = await failureOf(ask('There is no quota left'));
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(UnexpectedStatusError);
    expect(error).toMatchObject({ status: 429, code: 'insufficient_quota', retryable: false });
    expect(server.getRequests()).toHaveLength(1);
  });

  it('429 with a longer wait than is allowed fails at once', async () => {
    const options = { ...withChaos('ratelimit'), retry: { maxRetryAfter: 999 } };
    const { events, error } = await failureOf(ask('Please greet me', options));
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(RetryLimitError);
    expect(error).toMatchObject({
      status: 429,
      code: 'chaos_ratelimit',
      attempts: { length: 1 },
      retryAfter: 1_000,
    });
  });

  it('401 is not retried, and advises to check the key', async () => {
    const { events, error } = await failureOf(
      ask('Please greet me', { provider: { ...provider, apiKey: 'sk-wrong-0123456789' } }),
    );
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(UnexpectedStatusError);
    expect(error).toMatchObject({
      message: 'The provider returned status 401 (invalid_api_key). Check the API key.',
      status: 401,
      code: 'invalid_api_key',
      retryable: false,
      body: '{"error":{"message":"Invalid API key","type":"authentication_error","code":"invalid_api_key"}}',
    });
  });

  it('400 keeps the code and the words of the peer', async () => {
    const { events, error } = await failureOf(ask('This is too long'));
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(UnexpectedStatusError);
    expect(error).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      requestId: expect.stringMatching(/^req-/) as unknown,
      retryable: false,
      body: expect.stringContaining('Too many tokens.') as unknown,
    });
  });

  it('500 is retried, and its code kept', async () => {
    const options = { ...withChaos('drop'), retry: { maxRetries: 2, initialDelay: 0 } };
    const { events, error } = await failureOf(ask('Please greet me', options));
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(RetryLimitError);
    expect(error).toMatchObject({ status: 500, code: 'chaos_drop', attempts: { length: 3 } });
    expect(server.getRequests()).toHaveLength(3);
  });

  it('a connection closed without an answer is retried', async () => {
    const options = { ...withChaos('disconnect'), retry: { maxRetries: 2, initialDelay: 0 } };
    const { events, error } = await failureOf(ask('Please greet me', options));
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(TransportError);
    expect(server.getRequests()).toHaveLength(3);
  });

  it('a success that is no answer is an UnexpectedContentError', async () => {
    const { events, error } = await failureOf(ask('Please greet me', withChaos('malformed')));
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(UnexpectedContentError);
    expect(error).toMatchObject({ status: 200, contentType: 'application/json' });
    expect(server.getRequests()).toHaveLength(1);
  });

  it('a connection cut in the middle is a StreamError after what had come', async () => {
    const { events, error } = await failureOf(ask('Be cut off'));
    expect(events).toEqual([text('One '), text('two ')]);
    expect(error).toBeInstanceOf(StreamError);
    expect(server.getRequests().map(({ response }) => response.interruptReason)).toEqual([
      'truncateAfterChunks',
    ]);
  });

  it('an end without a reason is completed with none, and whole for requireFinish where [DONE] came', async () => {
    expect(await eventsOf(ask('End with no reason'))).toEqual([
      text('Half an ans'),
      finished('chatcmpl-reasonless', { finishReason: null }),
    ]);
    const whole = await eventsOf(ask('End with no reason').pipe(requireFinish()));
    expect(whole.at(-1)).toMatchObject({ finishReason: null, endedBy: 'done' });
  });

  it('silence before the headers is a ResponseTimeoutError, and the peer is rid of the request', async () => {
    const silent = await startAimock();
    const { events, error } = await failureOf(
      ask('Please greet me', {
        provider: {
          ...provider,
          baseUrl: `${silent.url}/v1`,
          headers: { 'x-aimock-chaos-latency': '30000' },
        },
        responseTimeout: 20,
      }),
    );
    // It stops when every request has ended, and this one would last 30 s.
    await silent.stop();
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(ResponseTimeoutError);
  });

  it('silence after the first chunk is an IdleTimeoutError', async () => {
    const { events, error } = await failureOf(ask('Now fall silent', { idleTimeout: 20 }));
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(IdleTimeoutError);
    expect(server.getRequests()).toHaveLength(1);
  });
});

describe("Azure's addresses at aimock", () => {
  it('are answered: the deployment in the path, the key in its own header', async () => {
    const azure = azureOpenAI({
      endpoint: server.url,
      deployment: 'gpt-4o',
      apiVersion: '2024-10-21',
      apiKey: key,
    });
    expect(await eventsOf(ask('Please greet me', { provider: azure }).pipe(aggregate()))).toEqual([
      text('Hello from a peer.'),
      finished('chatcmpl-greeting'),
    ]);
    expect(server.getRequests().map(({ path }) => path)).toEqual([
      '/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21',
    ]);
    const { headers } = server.getRequests()[0] ?? {};
    expect(headers).toHaveProperty('api-key');
    expect(headers).not.toHaveProperty('authorization');
  });
});

describe('a conversation with aimock over two turns of calls', () => {
  const instructions = 'You plan trips.';
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  const tools = [
    { type: 'function', name: 'weather', description: 'The temperature of a city', parameters },
    { type: 'function', name: 'book', parameters },
  ] as const;

  const weatherIn = { lima: '{"celsius":19}', oslo: '{"celsius":-4}' };
  const lima = call('call_lima', 'weather', '{"city":"Lima"}');
  const oslo = call('call_oslo', 'weather', '{"city":"Oslo"}');
  const book = call('call_book', 'book', '{"city":"Lima","nights":2}');

  /** What each turn gives, aggregated. */
  const answers: readonly (readonly ResponseEvent[])[] = [
    [
      thought('Two cities to compare.'),
      text('I ask for both.'),
      done(lima),
      done(oslo),
      finished('chatcmpl-trip-1', { finishReason: 'tool_calls' }),
    ],
    [done(book), finished('chatcmpl-trip-2', { finishReason: 'tool_calls' })],
    [text('Lima is booked for two nights.'), finished('chatcmpl-trip-3')],
  ];

  /** What each turn's calls gave. */
  const outputs: readonly (readonly ResponseItem[])[] = [
    [functionCallOutput('call_lima', weatherIn.lima), functionCallOutput('call_oslo', weatherIn.oslo)],
    [functionCallOutput('call_book', '{"status":"booked"}')],
    [],
  ];

  /** The bodies of the requests, in the words of OpenAI's own package: it does not compile otherwise. */
  const common = {
    model: 'gpt-4o',
    stream: true,
    tools: [
      {
        type: 'function',
        function: { name: 'weather', description: 'The temperature of a city', parameters },
      },
      { type: 'function', function: { name: 'book', parameters } },
    ],
    parallel_tool_calls: true,
  } satisfies Partial<ChatCompletionCreateParamsStreaming>;
  const firstMessages: ChatCompletionCreateParamsStreaming['messages'] = [
    { role: 'system', content: instructions },
    { role: 'user', content: 'Book the warmer trip: Lima or Oslo?' },
  ];
  const secondMessages: ChatCompletionCreateParamsStreaming['messages'] = [
    ...firstMessages,
    {
      role: 'assistant',
      content: 'I ask for both.',
      tool_calls: [
        { id: 'call_lima', type: 'function', function: { name: 'weather', arguments: '{"city":"Lima"}' } },
        { id: 'call_oslo', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_lima', content: weatherIn.lima },
    { role: 'tool', tool_call_id: 'call_oslo', content: weatherIn.oslo },
  ];
  const thirdMessages: ChatCompletionCreateParamsStreaming['messages'] = [
    ...secondMessages,
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        {
          id: 'call_book',
          type: 'function',
          function: { name: 'book', arguments: '{"city":"Lima","nights":2}' },
        },
      ],
    },
    { role: 'tool', tool_call_id: 'call_book', content: '{"status":"booked"}' },
  ];
  const bodies: readonly ChatCompletionCreateParamsStreaming[] = [
    { ...common, messages: firstMessages },
    { ...common, messages: secondMessages },
    { ...common, messages: thirdMessages },
  ];

  /** Three turns, the items of each appended to the prompt of the next as they are. */
  async function converse(options: Options = {}): Promise<readonly (readonly ResponseEvent[])[]> {
    const turns: (readonly ResponseEvent[])[] = [];
    let input: readonly ResponseItem[] = [userMessage('Book the warmer trip: Lima or Oslo?')];
    for (const given of outputs) {
      const turn = ask({ instructions, input, tools }, { parallelToolCalls: true, ...options });
      const events = await eventsOf(turn.pipe(aggregate()));
      turns.push(events);
      const items = events.flatMap((event) => (event.type === 'output_item_done' ? [event.item] : []));
      input = [...input, ...items, ...given];
    }
    return turns;
  }

  it('reaches its end, and every request is one that OpenAI would take', async () => {
    expect(await converse()).toEqual(answers);
    expect(receivedBodies(server)).toEqual(bodies);
  });

  it("is the one that OpenAI's own client has", async () => {
    const client = new OpenAI({ apiKey: key, baseURL: `${server.url}/v1`, maxRetries: 0 });
    const messages: unknown[] = [];
    for (const body of bodies) {
      const { content, tool_calls } = await client.chat.completions.stream(body).finalMessage();
      messages.push({ content, calls: tool_calls?.map(({ id }) => id) });
    }
    expect(receivedBodies(server)).toEqual(bodies);
    expect(messages).toEqual([
      { content: 'I ask for both.', calls: ['call_lima', 'call_oslo'] },
      { content: null, calls: ['call_book'] },
      { content: 'Lima is booked for two nights.', calls: undefined },
    ]);
  });

  it("runs from the bodies of OpenAI's package too", async () => {
    const turns: unknown[] = [];
    for (const body of bodies) {
      turns.push(await eventsOf(streamChatRequest(body, { provider }).pipe(aggregate())));
    }
    expect(turns).toEqual(answers);
    expect(receivedBodies(server)).toEqual(bodies);
  });

  it('gives the reasoning back to a provider that wants it', async () => {
    expect(await converse({ sendReasoning: 'reasoning_content' })).toEqual(answers);
    const reasoned = receivedBodies(server).map(({ messages = [] }) =>
      messages.map((message) => ('reasoning_content' in message ? message.reasoning_content : null)),
    );
    expect(reasoned).toEqual([
      [null, null],
      [null, null, 'Two cities to compare.', null, null],
      // The second message of the assistant had none, and this field leaves no gap.
      [null, null, 'Two cities to compare.', null, null, '', null],
    ]);
  });
});
