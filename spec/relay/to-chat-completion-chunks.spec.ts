import fc from 'fast-check';
import { concat, from, map, NEVER, type Observable, of, range, startWith, take, throwError } from 'rxjs';
import {
  ProviderStreamError,
  StreamError,
  TransportError,
  UnexpectedStatusError,
} from '../../src/turn/errors.js';
import type {
  CompletedEvent,
  FunctionCallArgumentsDeltaEvent,
  OutputItemDoneEvent,
  ResponseEvent,
  TokenUsage,
} from '../../src/turn/events.js';
import { aggregate } from '../../src/operators/aggregate.js';
import type { ChatCompletionChunk, ChatCompletionDelta } from '../../src/relay/chunk-writer.js';
import { encodeEventStream } from '../../src/relay/encode-event-stream.js';
import type { ServerSentMessage } from '../../src/relay/server-sent-message.js';
import {
  toChatCompletionChunks,
  type ToChatCompletionChunksOptions,
} from '../../src/relay/to-chat-completion-chunks.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { stopWhen } from '../../src/operators/stop-when.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { decodeChatCompletions } from '../../src/response/decode-chat-completions.js';
import { decodeEventStream } from '../../src/response/decode-event-stream.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';
import { runCompleted, toolEvents, wholeRun } from '../support/run-events.js';

const fixed = { id: 'chatcmpl-1', model: 'mine', created: 7 };

const said = (
  delta: ChatCompletionDelta,
  fields: { readonly index?: number; readonly finish_reason?: string } = {},
) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 7,
  model: 'mine',
  choices: [{ index: 0, delta, finish_reason: null, ...fields }],
});

const json = (value: unknown): ServerSentMessage => ({ data: JSON.stringify(value) });

const done: ServerSentMessage = { data: '[DONE]' };

/** The chunks in the messages before `[DONE]`. */
function chunksOf(events: readonly ResponseEvent[], options: ToChatCompletionChunksOptions = fixed) {
  const messages = received(from(events).pipe(toChatCompletionChunks(options)));
  expect(messages.at(-1)).toEqual(done);
  return messages.slice(0, -1).map(({ data }) => JSON.parse(data) as ChatCompletionChunk);
}

const errorMessage = (fields: object = {}) =>
  json({
    error: { message: 'The answer broke off.', type: 'server_error', param: null, code: null, ...fields },
  });

/** What a client is told of an error. */
const told = (error: unknown, options?: ToChatCompletionChunksOptions) =>
  received(throwError(() => error).pipe(toChatCompletionChunks(options)));

const item = (value: OutputItemDoneEvent['item'], choice?: number): OutputItemDoneEvent => ({
  type: 'output_item_done',
  item: value,
  ...(choice !== undefined && { choice }),
});

const called = (name: string, args: string, callId = `id-${name}`) =>
  item({ type: 'function_call', call_id: callId, name, arguments: args });

const custom = (name: string, input: string) =>
  item({ type: 'custom_tool_call', call_id: `id-${name}`, name, input });

const delta = (
  name: string,
  piece: string,
  fields: Partial<FunctionCallArgumentsDeltaEvent> = {},
): FunctionCallArgumentsDeltaEvent => ({
  type: 'function_call_arguments_delta',
  callId: `id-${name}`,
  name,
  index: 0,
  delta: piece,
  ...fields,
});

const usage: TokenUsage = {
  inputTokens: 5,
  cachedInputTokens: 1,
  outputTokens: 4,
  reasoningOutputTokens: 2,
  totalTokens: 9,
};

const wireUsage = {
  prompt_tokens: 5,
  completion_tokens: 4,
  total_tokens: 9,
  prompt_tokens_details: { cached_tokens: 1 },
  completion_tokens_details: { reasoning_tokens: 2 },
};

describe('toChatCompletionChunks', () => {
  it('writes text as it comes, the role first, then the finish reason and [DONE]', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', {
        a: text('Hel'),
        b: text('lo'),
        c: completed({ finishReason: 'stop' }),
      });
      expectObservable(source.pipe(toChatCompletionChunks(fixed))).toBe('-a-b-(cD|)', {
        a: json(said({ role: 'assistant', content: 'Hel' })),
        b: json(said({ content: 'lo' })),
        c: json(said({}, { finish_reason: 'stop' })),
        D: done,
      });
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  it('gives no [DONE] after a stream that was cut, so that a client can tell', () => {
    const cut = [text('Hel'), completed({ endedBy: 'eof' })];
    const events = received(
      from<ResponseEvent[]>(cut).pipe(toChatCompletionChunks(), decodeChatCompletions()),
    );
    expect(events.at(-1)).toMatchObject({ finishReason: null, endedBy: 'eof' });
    const whole = [text('Hel'), completed({ finishReason: 'stop', endedBy: 'finish_reason' })];
    expect(received(from<ResponseEvent[]>(whole).pipe(toChatCompletionChunks())).at(-1)).toEqual({
      data: '[DONE]',
    });
  });

  describe('does not call a call whole that was cut', () => {
    const open = delta('run', 'rm -rf /', { callId: 'a', index: 0 });
    const written = (...events: readonly ResponseEvent[]) => {
      const messages = received(
        from(events).pipe(toChatCompletionChunks({ ...fixed, customTools: ['run'] })),
      );
      const read = received(from(messages).pipe(decodeChatCompletions()));
      return {
        isDone: messages.at(-1)?.data === '[DONE]',
        reason: (messages.filter(({ data }) => data.includes('finish_reason')).at(-1)?.data ?? '').match(
          /"finish_reason":("\w+"|null)/,
        )?.[1],
        calls: read.filter(({ type }) => type === 'output_item_done').length,
        incomplete: (read.at(-1) as CompletedEvent).incompleteCalls,
      };
    };

    it.each<[string, readonly ResponseEvent[], string, boolean]>([
      ['at eof', [completed({ endedBy: 'eof', incompleteCalls: 1 })], 'null', false],
      ['by its length', [completed({ finishReason: 'length', incompleteCalls: 1 })], '"length"', true],
      [
        'after its finish reason',
        [completed({ finishReason: 'tool_calls', endedBy: 'finish_reason' })],
        'null',
        false,
      ],
      ['before [DONE], without a finish reason', [completed({ endedBy: 'done' })], 'null', false],
      ['by its caller', [completed({ stopped: true })], 'null', false],
    ])('%s', (_, end, reason, isDone) => {
      expect(written(open, ...end)).toEqual({ isDone, reason, calls: 0, incomplete: 1 });
    });

    it('and calls one whole that is', () => {
      const whole = item({ type: 'custom_tool_call', call_id: 'a', name: 'run', input: 'rm -rf /data' });
      expect(written(open, whole, completed({ finishReason: 'tool_calls' }))).toEqual({
        isDone: true,
        reason: '"tool_calls"',
        calls: 1,
        incomplete: undefined,
      });
    });
  });

  it('gives [DONE] once the source has ended, not at completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-c-|', { c: completed() });
      expectObservable(source.pipe(toChatCompletionChunks(fixed))).toBe('-c-(D|)', {
        c: json(said({ role: 'assistant' })),
        D: done,
      });
    });
  });

  it('gives an error as a message in place of [DONE], and completes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', { a: text('Hel') }, 'broken');
      expectObservable(source.pipe(toChatCompletionChunks(fixed))).toBe('-a-(e|)', {
        a: json(said({ role: 'assistant', content: 'Hel' })),
        e: errorMessage(),
      });
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('ends with the error of restarting where something was written of that turn', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new ProviderStreamError({ code: 'overloaded_error' });
      const told: unknown[] = [];
      const toError = (failure: unknown) => {
        told.push(failure);
        return {};
      };
      const source = cold<ResponseEvent>('-a-r-a', { a: text('Hel'), r: restartingEvent({ error }) });
      expectObservable(source.pipe(toChatCompletionChunks({ ...fixed, toError }))).toBe('-a-(e|)', {
        a: json(said({ role: 'assistant', content: 'Hel' })),
        e: errorMessage({ code: 'overloaded_error' }),
      });
      expectSubscriptions(source.subscriptions).toBe('^--!');
      cold('----|').subscribe({ complete: () => expect(told).toEqual([error]) });
    });
  });

  it('goes on at restarting where nothing was written of that turn', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-k-r-a-c-r-(c|)', {
        a: text('Hel'),
        c: completed({ finishReason: 'stop' }),
        k: { type: 'chunk', chunk: {} },
        r: restartingEvent(),
      });
      expectObservable(source.pipe(toChatCompletionChunks(fixed))).toBe('-----a-c---(dD|)', {
        a: json(said({ role: 'assistant', content: 'Hel' })),
        c: json(said({}, { finish_reason: 'stop' })),
        d: json(said({ role: 'assistant' }, { finish_reason: 'stop' })),
        D: done,
      });
      expectSubscriptions(source.subscriptions).toBe('^----------!');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('---a');
      expectObservable(source.pipe(toChatCompletionChunks(fixed)), '^-!').toBe('---');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  it('stops an endless synchronous source', () => {
    const endless = range(0, Infinity).pipe(map((n) => text(String(n))));
    expect(received(endless.pipe(toChatCompletionChunks(fixed), take(2)))).toHaveLength(2);
  });

  it('writes refusals and reasoning, with the account that a provider gave of it', () => {
    const details = [{ type: 'reasoning.encrypted', data: 'x' }];
    expect(
      chunksOf([
        item({
          type: 'reasoning',
          content: [
            { type: 'reasoning_text', text: 'H' },
            { type: 'reasoning_text', text: 'm' },
          ],
        }),
        item({ type: 'reasoning', content: [], reasoning_details: details }),
        item({ type: 'reasoning', content: [] }),
        item({ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }),
      ]),
    ).toEqual([
      said({ role: 'assistant', reasoning_content: 'Hm' }),
      said({ reasoning_details: details }),
      said({ refusal: 'No.' }),
    ]);
  });

  it('writes what a provider wants back where it stood', () => {
    const extras = { thinking_blocks: [{ type: 'thinking', thinking: 'Hm', signature: 's' }] };
    expect(
      chunksOf([
        item({ type: 'reasoning', content: [{ type: 'reasoning_text', text: 'Hm' }], extras, provider: 'p' }),
        item({ type: 'reasoning', content: [], extras: { reasoning_opaque: 'x' } }),
      ]),
    ).toEqual([
      said({ role: 'assistant', reasoning_content: 'Hm', ...extras }),
      said({ reasoning_opaque: 'x' }),
    ]);
  });

  it('leaves out what no model says, raw chunks and retries', () => {
    expect(
      chunksOf([
        item(userMessage('asked')),
        item({ type: 'function_call_output', call_id: 'a', output: '1' }),
        { type: 'chunk', chunk: { choices: [{ delta: { content: 'raw' } }] } },
        { type: 'retrying', attempt: 1, delay: 1, error: new TransportError() },
      ]),
    ).toEqual([]);
  });

  it('writes each choice for itself', () => {
    const events = [
      { ...text('b'), choice: 1 },
      text('a'),
      { ...text('c'), choice: 1 },
      completed({ finishReason: 'stop', choices: [{ choice: 1, finishReason: 'length' }] }),
    ];
    expect(chunksOf(events)).toEqual([
      said({ role: 'assistant', content: 'b' }, { index: 1 }),
      said({ role: 'assistant', content: 'a' }),
      said({ content: 'c' }, { index: 1 }),
      said({}, { finish_reason: 'stop' }),
      said({}, { index: 1, finish_reason: 'length' }),
    ]);
  });

  it('writes the role of a choice that ends without a word', () => {
    const events = [completed({ finishReason: 'stop', choices: [{ choice: 1, finishReason: null }] })];
    expect(chunksOf(events)).toEqual([
      said({ role: 'assistant' }, { finish_reason: 'stop' }),
      said({ role: 'assistant' }, { index: 1 }),
    ]);
  });

  describe('writes calls', () => {
    it('once: their deltas, and of the whole call what is not written yet', () => {
      expect(
        chunksOf([delta('f', '{"a'), delta('f', '":'), called('f', '{"a":1}'), called('f', '{"a":1}')]),
      ).toEqual([
        said({
          role: 'assistant',
          tool_calls: [{ index: 0, id: 'id-f', type: 'function', function: { name: 'f', arguments: '{"a' } }],
        }),
        said({ tool_calls: [{ index: 0, function: { arguments: '":' } }] }),
        said({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }),
      ]);
    });

    it('nothing more where the whole call is none that its deltas began', () => {
      expect(chunksOf([delta('f', '{"a'), called('f', 'else')])).toHaveLength(1);
    });

    it('that come whole, whole, each in a place of its own', () => {
      expect(chunksOf([called('f', ''), called('g', '{}')])).toEqual([
        said({
          role: 'assistant',
          tool_calls: [{ index: 0, id: 'id-f', type: 'function', function: { name: 'f', arguments: '' } }],
        }),
        said({
          tool_calls: [{ index: 1, id: 'id-g', type: 'function', function: { name: 'g', arguments: '{}' } }],
        }),
      ]);
    });

    it('in the place where they began, and one that said nothing in the place that is left', () => {
      const indexes = chunksOf([
        delta('g', '1', { index: 1 }),
        called('f', ''),
        called('g', '1'),
        delta('h', '2', { index: 1 }),
      ]).map(({ choices: [choice] }) => choice?.delta.tool_calls?.map(({ index, id }) => [index, id]));
      expect(indexes).toEqual([[[1, 'id-g']], [[0, 'id-f']], [[2, 'id-h']]]);
    });

    it('with a place that is found without trying those of all calls before it', () => {
      const count = 20_000;
      const calls = Array.from({ length: count }, (_, index) => called(`f${index}`, '{}'));
      const has = jest.spyOn(Set.prototype, 'has');
      const written = chunksOf(calls);
      const tried = has.mock.calls.length;
      has.mockRestore();
      expect(tried).toBeLessThan(3 * count);
      expect(new Set(written.map(({ choices: [choice] }) => choice?.delta.tool_calls?.[0]?.index)).size).toBe(
        count,
      );
    });

    it('with what the provider wants back: with the whole call, or after its deltas', () => {
      const extras = {
        extra_content: { google: { thought_signature: 's' } },
        function: { note: 'n' },
        id: 'other',
      };
      const signed = (name: string, args: string) =>
        item({
          type: 'function_call',
          call_id: `id-${name}`,
          name,
          arguments: args,
          extras,
          provider: 'gemini',
        });
      const { extra_content } = extras;
      expect(
        chunksOf([signed('f', '{}'), signed('f', '{}'), delta('g', '{', { index: 1 }), signed('g', '{}')]),
      ).toEqual([
        said({
          role: 'assistant',
          tool_calls: [
            {
              extra_content,
              index: 0,
              id: 'id-f',
              type: 'function',
              function: { note: 'n', name: 'f', arguments: '{}' },
            },
          ],
        }),
        said({
          tool_calls: [{ index: 1, id: 'id-g', type: 'function', function: { name: 'g', arguments: '{' } }],
        }),
        said({ tool_calls: [{ extra_content, index: 1, function: { note: 'n', arguments: '}' } }] }),
      ]);
    });

    it('with what the provider wants back, where nothing else is new', () => {
      const run = {
        type: 'custom_tool_call',
        call_id: 'id-run',
        name: 'run',
        input: 'a',
        extras: { s: 1, custom: { t: 2 } },
      } as const;
      const [, second, ...rest] = chunksOf([delta('run', 'a'), item(run), item(run)], {
        ...fixed,
        customTools: ['run'],
      });
      expect(second).toEqual(said({ tool_calls: [{ s: 1, index: 0, custom: { t: 2 } }] }));
      expect(rest).toEqual([]);
    });

    it('with a name that comes late', () => {
      expect(
        chunksOf([
          delta('', '{', { callId: 'x' }),
          delta('f', '}', { callId: 'x' }),
          delta('', '1', { callId: 'y', index: 1 }),
          called('g', '1', 'y'),
        ]).map(({ choices: [choice] }) => choice?.delta.tool_calls),
      ).toEqual([
        [{ index: 0, id: 'x', type: 'function', function: { name: '', arguments: '{' } }],
        [{ index: 0, function: { name: 'f', arguments: '}' } }],
        [{ index: 1, id: 'y', type: 'function', function: { name: '', arguments: '1' } }],
        [{ index: 1, function: { name: 'g' } }],
      ]);
    });

    it("of custom tools as such: from their beginning where the tool's name was given", () => {
      expect(
        chunksOf([delta('run', 'a'), delta('run', 'b'), custom('run', 'ab')], {
          ...fixed,
          customTools: ['run'],
        }),
      ).toEqual([
        said({
          role: 'assistant',
          tool_calls: [{ index: 0, id: 'id-run', type: 'custom', custom: { name: 'run', input: 'a' } }],
        }),
        said({ tool_calls: [{ index: 0, custom: { input: 'b' } }] }),
      ]);
    });

    it('of custom tools as such: corrected at their end where it was not', () => {
      expect(
        chunksOf([delta('run', 'a'), custom('run', 'ab')]).map(
          ({ choices: [choice] }) => choice?.delta.tool_calls,
        ),
      ).toEqual([
        [{ index: 0, id: 'id-run', type: 'function', function: { name: 'run', arguments: 'a' } }],
        [{ index: 0, type: 'custom', custom: { name: 'run', input: 'b' } }],
      ]);
    });
  });

  it('writes the usage last, in a chunk without a choice', () => {
    const events = [completed({ finishReason: 'stop', usage })];
    expect(chunksOf(events)).toEqual([
      said({ role: 'assistant' }, { finish_reason: 'stop' }),
      { ...said({}), choices: [], usage: wireUsage },
    ]);
    expect(chunksOf(events, { ...fixed, includeUsage: false })).toHaveLength(1);
  });

  it('begins a new answer after completed', () => {
    const roles = chunksOf([text('a'), completed(), text('b')]).map(
      ({ choices: [choice] }) => choice?.delta.role,
    );
    expect(roles).toEqual(['assistant', undefined, 'assistant']);
  });

  it('names the model where nobody else did, once the turn tells it', () => {
    const events = [text('a'), completed({ model: 'theirs' })];
    expect(chunksOf(events, { id: 'x' }).map(({ model }) => model)).toEqual(['', 'theirs']);
    expect(chunksOf(events, { model: 'mine' }).map(({ model }) => model)).toEqual(['mine', 'mine']);
  });

  it('gives each subscription an id of its own and the time, the same in all its chunks', () => {
    const source = from([text('a'), text('b')]).pipe(
      toChatCompletionChunks(),
      take(2),
      map(({ data }) => JSON.parse(data) as ChatCompletionChunk),
    );
    const [a, b] = received(source);
    const [c] = received(source);
    expect(a?.id).toMatch(/^chatcmpl-\w+$/);
    expect(b?.id).toBe(a?.id);
    expect(c?.id).not.toBe(a?.id);
    expect(Math.abs((a?.created ?? 0) - Date.now() / 1_000)).toBeLessThan(60);
  });

  it('holds nothing back', () => {
    const open = NEVER.pipe(startWith(delta('f', '{')), toChatCompletionChunks(fixed));
    expect(received(open)).toHaveLength(1);
  });

  describe('tells of an error', () => {
    it("its code, if it is this library's, and nothing that anybody said", () => {
      const said = { code: 'rate_limit_exceeded', type: 'requests', message: 'PRIVATE' };
      expect(told(new ProviderStreamError(said))).toEqual([errorMessage({ code: 'rate_limit_exceeded' })]);
      expect(
        told(new UnexpectedStatusError({ status: 401, code: 'no identifier', body: 'PRIVATE' })),
      ).toEqual([errorMessage()]);
      expect(told(new TransportError({ cause: new Error('PRIVATE') }))).toEqual([errorMessage()]);
      expect(told(Object.assign(new Error('PRIVATE'), { code: 'PRIVATE' }))).toEqual([errorMessage()]);
      expect(told('PRIVATE')).toEqual([errorMessage()]);
    });

    it('what toError says, and the default where that says nothing', () => {
      const error = new ProviderStreamError({ code: 'overloaded' });
      const toError = () => ({ message: 'Come back later.', param: 'model' });
      expect(told(error, { toError })).toEqual([
        errorMessage({ message: 'Come back later.', param: 'model', code: 'overloaded' }),
      ]);
      expect(told(error, { toError: () => ({ code: null, type: 'busy' }) })).toEqual([
        errorMessage({ type: 'busy' }),
      ]);
    });

    it('nothing of what toError gives beside what is asked', () => {
      const toError = () => ({ message: 'No.', stack: 'PRIVATE' });
      expect(told('x', { toError })).toEqual([errorMessage({ message: 'No.' })]);
    });

    it('that a chunk cannot be JSON', () => {
      const source = of(item({ type: 'reasoning', content: [], reasoning_details: [1n] }));
      expect(received(source.pipe(toChatCompletionChunks()))).toEqual([errorMessage()]);
    });

    it('what a client reads as an error of its provider', () => {
      const broken = concat(
        of(text('Hel')),
        throwError(() => new StreamError()),
      );
      const read = broken.pipe(
        toChatCompletionChunks({ toError: () => ({ code: 'cut' }) }),
        decodeChatCompletions(),
      );
      expect(failureOf(read)).toEqual(new ProviderStreamError({ code: 'cut', type: 'server_error' }));
    });
  });

  it('errors with what toError throws', () => {
    const thrown = new Error('thrown');
    const toError = () => {
      throw thrown;
    };
    expect(failureOf(throwError(() => 'x').pipe(toChatCompletionChunks({ toError })))).toBe(thrown);
  });

  describe.each([
    ['decodeChatCompletions', (messages: Observable<ServerSentMessage>) => messages],
    [
      'decodeChatCompletions, as text in between',
      (messages: Observable<ServerSentMessage>) =>
        messages.pipe(
          encodeEventStream(),
          map((piece) => new TextEncoder().encode(piece)),
          decodeEventStream(),
        ),
    ],
  ])('read by %s', (_, travel) => {
    const roundTrip = (events: readonly ResponseEvent[], options: ToChatCompletionChunksOptions = {}) =>
      received(travel(from(events).pipe(toChatCompletionChunks(options))).pipe(decodeChatCompletions()));

    it('is the turn again', () => {
      fc.assert(
        fc.property(anyTurn, fc.boolean(), ({ events, customTools, end }, isNamed) => {
          const options = { id: end.responseId, ...(isNamed && { customTools }) };
          expect(roundTrip(events, options)).toEqual(events);
        }),
      );
    });

    it('says the same where whole items came', () => {
      fc.assert(
        fc.property(anyTurn, ({ events, end }) => {
          const whole = received(from(events).pipe(aggregate()));
          const again = roundTrip(whole, { id: end.responseId });
          expect(received(from(again).pipe(aggregate()))).toEqual(whole);
        }),
      );
    });
  });
});

const someText = fc.string({ unit: 'grapheme', minLength: 1 });

const anyPiece = fc.oneof(
  someText.map(text),
  someText.map((refusal) =>
    item({ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal }] }),
  ),
  fc
    .record({ said: fc.string({ unit: 'grapheme' }), details: fc.array(fc.record({ data: fc.string() })) })
    .filter(({ said: words, details }) => words !== '' || details.length > 0)
    .map(({ said: words, details }) =>
      item({
        type: 'reasoning',
        content: words === '' ? [] : [{ type: 'reasoning_text', text: words }],
        ...(details.length > 0 && { reasoning_details: details }),
      }),
    ),
);

const anyCall = fc.record({
  name: fc.constantFrom('find', 'weather'),
  pieces: fc.array(someText, { minLength: 1, maxLength: 3 }),
  isCustom: fc.boolean(),
});

const anyChoice = fc.record({
  pieces: fc.array(anyPiece, { maxLength: 4 }),
  calls: fc.array(anyCall, { maxLength: 3 }),
  reason: fc.constantFrom(null, 'stop', 'length'),
});

/** A turn as a decoder gives it: what is said, choices mixed; then the whole calls; then `completed`. */
const anyTurn = fc
  .record({
    choices: fc.array(anyChoice, { minLength: 1, maxLength: 3 }),
    order: fc.array(fc.nat({ max: 2 }), { maxLength: 30 }),
    responseId: fc.constantFrom('', 'chatcmpl-7'),
    model: fc.constantFrom(undefined, 'm'),
    used: fc.constantFrom(null, usage),
  })
  .map(({ choices, order, responseId, model, used }) => {
    const label = (choice: number) => (choice === 0 ? {} : { choice });
    const names = { custom: 'run', function: '' };
    const calls = choices.map((choice, place) =>
      choice.calls.map((call, index) => {
        const name = call.isCustom ? names.custom : call.name;
        return { ...call, name, index, callId: `call_${place}_${index}`, ...label(place) };
      }),
    );
    const lines = choices.map((choice, place) => [
      ...choice.pieces.map((event) => ({ ...event, ...label(place) })),
      ...(calls[place] ?? []).flatMap(({ pieces, name, index, callId }) =>
        pieces.map((piece) => delta(name, piece, { index, callId, ...label(place) })),
      ),
    ]);
    const mixed: ResponseEvent[] = [];
    for (const place of order) mixed.push(...(lines[place]?.splice(0, 1) ?? []));
    mixed.push(...lines.flat());
    const whole = calls.flatMap((ofChoice, place) =>
      ofChoice.map(({ name, callId, pieces, isCustom }) => {
        const joined = pieces.join('');
        return item(
          isCustom
            ? { type: 'custom_tool_call', call_id: callId, name, input: joined }
            : { type: 'function_call', call_id: callId, name, arguments: joined },
          place === 0 ? undefined : place,
        );
      }),
    );
    const reasons = choices.map(({ calls: { length }, reason }) => (length > 0 ? 'tool_calls' : reason));
    const others = reasons.slice(1).map((finishReason, index) => ({ choice: index + 1, finishReason }));
    const end: CompletedEvent = {
      type: 'completed',
      endedBy: 'done',
      responseId,
      ...(model !== undefined && { model }),
      finishReason: reasons[0] ?? null,
      usage: used,
      ...(others.length > 0 && { choices: others }),
    };
    const events: ResponseEvent[] = [...mixed, ...whole, end];
    return { events, customTools: [names.custom], end };
  });

describe('toChatCompletionChunks of a run', () => {
  const ofRun = (...events: readonly RunEvent[]) =>
    received(from(events).pipe(toChatCompletionChunks({ ...fixed, run: true })));
  const { started, finished } = toolEvents;
  const usageChunk = {
    ...said({}),
    choices: [],
    usage: {
      prompt_tokens: 9,
      completion_tokens: 3,
      total_tokens: 12,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
  };

  it('writes the text of all turns as one answer, with one finish reason, one usage and no call', () => {
    const messages = ofRun(...wholeRun);
    expect(messages).toEqual([
      json(said({ role: 'assistant', reasoning_content: 'They want' })),
      json(said({ reasoning_content: ' the weather.' })),
      json(said({ content: 'Let me ' })),
      json(said({ content: 'see. ' })),
      json(said({ content: 'It is ' })),
      json(said({ content: 'rainy.' })),
      json(said({}, { finish_reason: 'stop' })),
      json(usageChunk),
      done,
    ]);
    expect(JSON.stringify(messages)).not.toMatch(/tool|weather"|Bern|shell/);
  });

  it('writes it as it comes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const [a, b] = [text('Hel'), text('lo')];
      const end = completed({ finishReason: 'stop' });
      const events: Record<string, RunEvent> = { a, b, c: end, x: started, z: finished, R: runCompleted };
      const source = cold('-a-(cx)-z-b-(cR|)', events);
      const contents = source.pipe(
        toChatCompletionChunks({ ...fixed, run: true, includeUsage: false }),
        map(({ data }) => (data === done.data ? 'D' : /Hel|lo"|stop/.exec(data)?.[0])),
      );
      expectObservable(contents).toBe('-a--------b-(sD|)', { a: 'Hel', b: 'lo"', s: 'stop', D: 'D' });
      expectSubscriptions(source.subscriptions).toBe('^-----------!');
    });
  });

  it("writes the calls of the client's own tools, whole", () => {
    const item = called('mine', '{"a":1}').item;
    const asked = completed({ finishReason: 'tool_calls' });
    const end = { ...runCompleted, reason: 'pending' as const, items: [item], usage: null };
    expect(ofRun(delta('mine', '{"a":1}'), called('mine', '{"a":1}'), asked, end)).toEqual([
      json(
        said({
          role: 'assistant',
          tool_calls: [
            { index: 0, id: 'id-mine', type: 'function', function: { name: 'mine', arguments: '{"a":1}' } },
          ],
        }),
      ),
      json(said({}, { finish_reason: 'tool_calls' })),
      done,
    ]);
  });

  it('ends with the error where a turn that has said something is restarting, and goes on in any other', () => {
    const said = [text('Hel'), completed(), started, finished];
    const again = [restartingEvent(), text('lo'), completed({ finishReason: 'stop' }), runCompleted];
    expect(ofRun(...said, ...again).at(-1)).toEqual(done);
    expect(ofRun(...said, text('never'), ...again).at(-1)).toEqual(errorMessage());
  });

  it('ends a run that was stopped as a turn that was', () => {
    const stopped = concat(of<RunEvent[]>(text('Hel'), completed(), started), NEVER).pipe(
      stopWhen(of('stop').pipe(startWith('stop'))),
    );
    expect(received(stopped.pipe(toChatCompletionChunks({ ...fixed, run: true })))).toEqual([
      json(said({ role: 'assistant' })),
      done,
    ]);
  });

  it('without run: true, ends with an error at what no turn has, before anything else of it is written', () => {
    const reported: unknown[] = [];
    const toError = (error: unknown) => {
      reported.push(error);
      return {};
    };
    for (const event of [...Object.values(toolEvents), runCompleted]) {
      const run = of<RunEvent[]>(text('Hel'), event, text('lo')) as Observable<ResponseEvent>;
      expect(received(run.pipe(toChatCompletionChunks({ ...fixed, toError })))).toEqual([
        json(said({ role: 'assistant', content: 'Hel' })),
        errorMessage(),
      ]);
    }
    expect(new Set(reported.map(String))).toEqual(
      new Set(['TypeError: The events of a run need toChatCompletionChunks({ run: true }).']),
    );
  });
});
