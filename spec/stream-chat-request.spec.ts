import type OpenAI from 'openai';
import { concat, from, NEVER } from 'rxjs';
import type {
  CustomToolCallItem,
  FunctionCallItem,
  FunctionCallOutputItem,
  ResponseItem,
} from '../src/turn/events.js';
import type { TurnOptions } from '../src/options.js';
import { functionCallOutput } from '../src/prompt/prompt.js';
import { streamChatCompletions } from '../src/stream-chat-completions.js';
import { type ChatRequestBody, streamChatRequest } from '../src/stream-chat-request.js';
import { scriptedTransport } from '../src/testing/index.js';
import { completed, provider, text } from './support/events.js';
import { received, testScheduler } from './support/marbles.js';
import { done, finishChunk, textChunk } from './support/wire.js';

const ask = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };

/** The body of the request that a turn sends. */
function sent(body: ChatRequestBody, options: Partial<TurnOptions> = {}): unknown {
  const transport = scriptedTransport({ body: done });
  streamChatRequest(body, { provider, transport, ...options }).subscribe();
  return JSON.parse(transport.requests[0]?.body ?? '');
}

describe('streamChatRequest', () => {
  it('gives the events of a turn', () => {
    const transport = scriptedTransport({ body: [textChunk('Hel'), textChunk('lo'), finishChunk(), done] });
    expect(received(streamChatRequest(ask, { provider, transport }))).toEqual([
      text('Hel'),
      text('lo'),
      completed({ finishReason: 'stop' }),
    ]);
  });

  it('is cold: each subscription sends a request of its own', () => {
    const transport = scriptedTransport({ body: done }, { body: done });
    const turn = streamChatRequest(ask, { provider, transport });
    expect(transport.requests).toHaveLength(0);
    turn.subscribe();
    turn.subscribe();
    expect(transport.requests).toHaveLength(2);
  });

  it('aborts where it is unsubscribed', () => {
    const transport = scriptedTransport({ body: concat(from([textChunk('a')]), NEVER) });
    expect(received(streamChatRequest(ask, { provider, transport }))).toEqual([text('a')]);
    expect(transport.aborted).toBe(1);
  });

  it('retries and times as any turn', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const transport = scriptedTransport({ status: 503 }, { body: cold('a', { a: textChunk('a') }) });
      const options = { provider, transport, idleTimeout: 5, retry: { initialDelay: 3, jitter: 0 } };
      expectObservable(streamChatRequest(ask, options)).toBe(
        '---a----#',
        { a: text('a') },
        expect.objectContaining({ name: 'IdleTimeoutError' }),
      );
    });
  });

  describe('sends the body', () => {
    it('as it is, with stream: true', () => {
      expect(
        sent({ ...ask, temperature: 0, tools: [], metadata: { a: null } } as ChatRequestBody),
      ).toStrictEqual({
        ...ask,
        temperature: 0,
        tools: [],
        metadata: { a: null },
        stream: true,
      });
    });

    it.each([true, null, undefined])('with stream: true where it was %p', (stream) => {
      expect(sent({ ...ask, stream })).toStrictEqual({ ...ask, stream: true });
    });

    it('with the messages of any role and shape', () => {
      const messages = [
        { role: 'developer', content: [{ type: 'text', text: 'd' }] },
        { role: 'assistant', content: null, tool_calls: [{ id: '1', type: 'function' }] },
        { role: 'tool', tool_call_id: '1', content: '' },
      ];
      expect(sent({ model: 'm', messages })).toStrictEqual({ model: 'm', messages, stream: true });
    });

    it('with a question for the usage where the options ask for it', () => {
      expect(sent({ ...ask, stream_options: { a: 1 } }, { includeUsage: true })).toStrictEqual({
        ...ask,
        stream: true,
        stream_options: { a: 1, include_usage: true },
      });
    });

    it('with no question for the usage where the provider does not support one', () => {
      const mistral = { ...provider, unsupported: ['stream_options', 'max_tokens', 'developer'] } as const;
      const body = { ...ask, messages: [{ role: 'developer', content: 'Hi' }], max_tokens: 7 };
      expect(sent(body, { provider: mistral, includeUsage: true })).toStrictEqual({ ...body, stream: true });
    });

    it('with its own stream options where they do not', () => {
      expect(sent({ ...ask, stream_options: { include_usage: true } })).toStrictEqual({
        ...ask,
        stream: true,
        stream_options: { include_usage: true },
      });
    });

    it('as it was at the call, whatever becomes of it', () => {
      const transport = scriptedTransport({ body: done });
      const body = { ...ask };
      const turn = streamChatRequest(body, { provider, transport });
      body.model = 'other';
      turn.subscribe();
      expect(JSON.parse(transport.requests[0]?.body ?? '')).toStrictEqual({ ...ask, stream: true });
    });

    it('and leaves it as it was', () => {
      const body = Object.freeze({ ...ask });
      sent(body);
      expect(body).toStrictEqual(ask);
    });
  });

  it('gives the chunks, where the options ask for them', () => {
    const transport = scriptedTransport({ body: [textChunk('a', { id: 'c' }), done] });
    expect(received(streamChatRequest(ask, { provider, transport, includeChunks: true }))).toMatchObject([
      { type: 'chunk', chunk: { id: 'c' } },
      text('a'),
      { type: 'completed', responseId: 'c' },
    ]);
  });

  const call = (body: unknown, options: unknown = { provider }) =>
    streamChatRequest(body as ChatRequestBody, options as TurnOptions);

  it.each<[unknown]>([
    [undefined],
    [null],
    ['Hi'],
    [7],
    [{}],
    [[]],
    [{ messages: [] }],
    [{ model: 'm' }],
    [{ model: 7, messages: [] }],
    [{ model: 'm', messages: 'Hi' }],
    [{ model: 'm', messages: { 0: {} } }],
  ])('refuses the body %j', (body) => {
    expect(() => call(body)).toThrow(
      new TypeError('body must be an object with a model and an array of messages.'),
    );
  });

  it('refuses stream: false', () => {
    expect(() => call({ ...ask, stream: false })).toThrow(
      new TypeError('body.stream must not be false: a turn is always streamed.'),
    );
  });

  it('refuses options that are none', () => {
    expect(() => call(ask, null)).toThrow(new TypeError('options must be an object.'));
    expect(() => call(ask, { provider: 'openai' })).toThrow(TypeError);
    expect(() => call(ask, { provider, model: 'm' })).toThrow(
      new TypeError('Unknown option "model": request parameters go in the body.'),
    );
  });
});

describe('the types of the openai package', () => {
  type Chat = OpenAI.Chat.Completions.ChatCompletionCreateParams;
  type Streaming = OpenAI.Chat.Completions.ChatCompletionCreateParamsStreaming;
  type NonStreaming = OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming;

  it('are accepted as bodies', () => {
    const streaming: Streaming = {
      model: 'gpt-4o',
      stream: true,
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: '1', content: 'x' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
      stream_options: { include_usage: true },
    };
    const plain: NonStreaming = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] };
    const either: Chat = plain;
    const turn = (transport: TurnOptions['transport'], body: Chat) =>
      streamChatRequest(body, { provider, ...(transport && { transport }) });
    const transport = scriptedTransport({ body: done }, { body: done }, { body: done });
    turn(transport, streaming).subscribe();
    streamChatRequest(streaming, { provider, transport }).subscribe();
    streamChatRequest(plain, { provider, transport }).subscribe();
    expect(transport.requests.map(({ body }) => JSON.parse(body) as unknown)).toStrictEqual([
      streaming,
      streaming,
      { ...either, stream: true },
    ]);
  });

  it('of the Responses API, of what a model said, are items of a prompt', () => {
    const said: OpenAI.Responses.ResponseOutputMessage = {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'One moment.', annotations: [] }],
    };
    const call: OpenAI.Responses.ResponseFunctionToolCall = {
      type: 'function_call',
      id: 'fc_1',
      status: 'completed',
      call_id: '1',
      name: 'f',
      arguments: '{}',
    };
    const custom: OpenAI.Responses.ResponseCustomToolCall = {
      type: 'custom_tool_call',
      call_id: '2',
      name: 'sh',
      input: 'ls',
    };
    const input: readonly ResponseItem[] = [said, call, custom];
    const transport = scriptedTransport({ body: done });
    streamChatCompletions({ input }, { model: 'm', provider, transport }).subscribe();
    expect(JSON.parse(transport.requests[0]?.body ?? '')).toHaveProperty('messages', [
      {
        role: 'assistant',
        content: 'One moment.',
        tool_calls: [
          { id: '1', type: 'function', function: { name: 'f', arguments: '{}' } },
          { id: '2', type: 'custom', custom: { name: 'sh', input: 'ls' } },
        ],
      },
    ]);
  });

  it('of the Responses API, of its input, take the calls of a turn and their outputs', () => {
    const custom: CustomToolCallItem = { type: 'custom_tool_call', call_id: '2', name: 'sh', input: 'ls' };
    const call: FunctionCallItem = { type: 'function_call', call_id: '1', name: 'f', arguments: '{}' };
    const output: FunctionCallOutputItem = functionCallOutput('1', 'x');
    const input: readonly OpenAI.Responses.ResponseInputItem[] = [call, custom, output];
    expect(input.map(({ type }) => type)).toEqual([
      'function_call',
      'custom_tool_call',
      'function_call_output',
    ]);
  });
});
