import { inspect } from 'node:util';
import { iterateChatCompletions } from '../../src/iterate-chat-completions.js';
import type { ChatOptions } from '../../src/options.js';
import type { Prompt } from '../../src/prompt/prompt.js';
import { partJson, requestJson } from '../../src/prompt/request-json.js';
import { streamChatCompletions } from '../../src/stream-chat-completions.js';
import { streamChatRequest } from '../../src/stream-chat-request.js';
import { scriptedTransport } from '../../src/testing/index.js';
import { InvalidRequestError } from '../../src/turn/errors.js';
import { provider } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { done } from '../support/wire.js';

const words = 'the words of the prompt';

const cycle = (): object => {
  const value: Record<string, unknown> = { [words]: words };
  value['self'] = value;
  return value;
};
const deep = (): object => {
  let value: object = { words };
  // A toJSON keeps every engine from writing it without recursion.
  for (let level = 0; level < 100_000; level += 1) value = { value, toJSON: undefined };
  return value;
};

/** What `JSON.stringify` refuses, and the class of what it throws. */
const refused: readonly (readonly [string, () => unknown, string])[] = [
  ['a cycle', cycle, 'TypeError'],
  ['a BigInt', () => 1n, 'TypeError'],
  ['a value of 100,000 levels', deep, 'RangeError'],
  [
    'a toJSON that throws',
    () => ({
      toJSON() {
        throw new SyntaxError(words);
      },
    }),
    'SyntaxError',
  ],
  [
    'a getter that throws no error',
    () => ({
      get value(): unknown {
        throw words;
      },
    }),
    'String',
  ],
];

const input = [{ role: 'user', content: 'Hi' }] as const;
const asPrompt = (prompt: unknown) => prompt as Prompt;

/** Where a caller's values stand in a request. */
const places: readonly (readonly [
  string,
  string,
  (value: unknown) => readonly [Prompt, Partial<ChatOptions>],
])[] = [
  [
    'the output of a call',
    'messages',
    (output) => [asPrompt({ input: [{ type: 'function_call_output', call_id: 'a', output }] }), {}],
  ],
  [
    'the arguments of a call',
    'messages',
    (args) => [
      asPrompt({ input: [{ type: 'function_call', call_id: 'a', name: 'f', arguments: args }] }),
      {},
    ],
  ],
  [
    'a part of a message',
    'messages',
    (part) => [
      asPrompt({ input: [{ role: 'user', content: [{ type: 'input_file', file_data: part }] }] }),
      {},
    ],
  ],
  [
    'what a provider said of a message, twice',
    'messages',
    (said) => {
      const items = [
        { type: 'reasoning', content: [], extras: { said } },
        { role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] },
      ];
      return [asPrompt({ input: [...items, ...items] }), {}];
    },
  ],
  [
    'a tool',
    'tools',
    (parameters) => [asPrompt({ input, tools: [{ type: 'function', name: 'f', parameters }] }), {}],
  ],
  [
    'the tool choice',
    'tool_choice',
    (name) => [asPrompt({ input }), { toolChoice: { type: 'function', name: name as string } }],
  ],
  [
    'the response format',
    'response_format',
    (schema) => [
      asPrompt({ input }),
      { responseFormat: { type: 'json_schema', name: 'n', schema: schema as Record<string, unknown> } },
    ],
  ],
  [
    'a parameter',
    'metadata',
    (metadata) => [asPrompt({ input }), { params: { metadata } as NonNullable<ChatOptions['params']> }],
  ],
];

/** The one notification of a turn, and how often its transport was called. */
function outcome(
  start: (options: Pick<ChatOptions, 'provider' | 'transport'>) => ReturnType<typeof streamChatCompletions>,
) {
  const transport = scriptedTransport({ body: done });
  const notifications: unknown[] = [];
  start({ provider, transport }).subscribe({
    next: (value) => notifications.push(['next', value]),
    error: (error: unknown) => notifications.push(error),
    complete: () => notifications.push('complete'),
  });
  return { notifications, sent: transport.requests.length };
}

describe.each(refused)('%s', (_, make, thrown) => {
  it.each(places)('in %s ends the turn: nothing is sent, nothing thrown', (_place, part, place) => {
    const [prompt, options] = place(make());
    const { notifications, sent } = outcome((base) =>
      streamChatCompletions(prompt, { model: 'm', ...base, ...options }),
    );
    expect(notifications).toEqual([expect.any(InvalidRequestError)]);
    const [error] = notifications as [InvalidRequestError];
    expect(error.message).toBe(`The request cannot be serialised as JSON (${thrown}). Check ${part}.`);
    expect(error.part).toBe(part);
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(words);
    expect(sent).toBe(0);
  });

  it('in the body of a request does so too', () => {
    const { notifications, sent } = outcome((options) =>
      streamChatRequest({ model: 'm', messages: [make()] }, options),
    );
    expect(notifications).toEqual([
      expect.objectContaining({ name: 'InvalidRequestError', part: 'messages' }),
    ]);
    expect(sent).toBe(0);
  });

  it('rejects the first next() of a turn that is pulled', async () => {
    const transport = scriptedTransport({ body: done });
    const params = { metadata: make() } as NonNullable<ChatOptions['params']>;
    const turn = iterateChatCompletions('Hi', { model: 'm', provider, transport, params });
    await expect(turn[Symbol.asyncIterator]().next()).rejects.toThrow(InvalidRequestError);
    expect(transport.requests).toHaveLength(0);
  });
});

describe('a request that cannot be written', () => {
  const body = { model: 'm', messages: [1n] };

  it('ends each subscription at once and is not retried', () => {
    testScheduler().run(({ expectObservable }) => {
      const transport = scriptedTransport({ body: done });
      const turn = streamChatRequest(body, { provider, transport, retry: { retryable: () => true } });
      const error = expect.objectContaining({ name: 'InvalidRequestError' }) as unknown;
      expectObservable(turn).toBe('#', {}, error);
      expectObservable(turn, '--^').toBe('--#', {}, error);
    });
  });

  it('asks for no key', () => {
    const apiKey = jest.fn(() => ['key']);
    const { notifications } = outcome((options) =>
      streamChatRequest(body, { ...options, provider: { ...provider, apiKey } }),
    );
    expect(notifications).toHaveLength(1);
    expect(apiKey).not.toHaveBeenCalled();
  });

  it('is told by the diagnostics as an end', () => {
    const diagnostics: unknown[] = [];
    outcome((options) =>
      streamChatRequest(body, { ...options, diagnostics: (diagnostic) => diagnostics.push(diagnostic) }),
    );
    expect(diagnostics).toEqual([
      expect.objectContaining({ type: 'start' }),
      expect.objectContaining({ type: 'end', outcome: 'error', error: 'InvalidRequestError' }),
    ]);
  });

  it('is one whose body JSON has nothing for', () => {
    const { notifications, sent } = outcome((options) =>
      streamChatRequest({ model: 'm', messages: [], toJSON: () => undefined } as never, options),
    );
    expect(notifications).toEqual([new InvalidRequestError()]);
    expect(sent).toBe(0);
  });

  it('names no part whose name may be a text', () => {
    const { notifications } = outcome((options) =>
      streamChatRequest({ model: 'm', messages: [], [words]: 1n } as never, options),
    );
    expect(notifications).toEqual([expect.objectContaining({ part: undefined })]);
    expect(String(notifications[0])).not.toContain(words);
  });
});

describe('requestJson', () => {
  it('is the JSON of the request', () => {
    expect(requestJson(() => ({ a: [1, undefined], b: undefined }))).toBe('{"a":[1,null]}');
  });

  it('throws what is the mistake of the call', () => {
    const mistake = new TypeError('prompt.input must be an array.');
    expect(() =>
      requestJson(() => {
        throw mistake;
      }),
    ).toThrow(mistake);
  });

  it('gives what else is thrown where the request is made as an error', () => {
    const request = () => {
      throw new RangeError(words);
    };
    expect(requestJson(request)).toEqual(new InvalidRequestError({ reason: new RangeError() }));
  });
});

describe('partJson', () => {
  it('is undefined for what JSON has nothing for', () => {
    expect(partJson(undefined, 'messages')).toBeUndefined();
    expect(partJson(() => {}, 'messages')).toBeUndefined();
  });
});
