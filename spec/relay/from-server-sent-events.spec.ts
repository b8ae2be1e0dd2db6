import { from, map, of, range, take, takeWhile } from 'rxjs';
import {
  ChatCompletionsError,
  StreamError,
  TransportError,
  UnexpectedStatusError,
} from '../../src/turn/errors.js';
import type { ResponseEvent, ResponseItem } from '../../src/turn/events.js';
import { fromServerSentEvents } from '../../src/relay/from-server-sent-events.js';
import { RemoteTurnError } from '../../src/relay/remote-turn-error.js';
import type { ServerSentMessage } from '../../src/relay/server-sent-message.js';
import { restartingEvent } from '../../src/testing/index.js';
import { record } from '../conformance/record-events.js';
import { leaksOf } from '../reliability/taint.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';
import { inputAdded, runCompleted, toolEvents, weatherCall, wholeRun } from '../support/run-events.js';
import { toServerSentEvents } from '../../src/relay/to-server-sent-events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { encodeEventStream } from '../../src/relay/encode-event-stream.js';
import { decodeEventStream } from '../../src/response/decode-event-stream.js';
import type { FollowFrom } from '../../src/shared/index.js';

const events = { a: text('Hel'), b: text('lo'), c: completed({ finishReason: 'stop' }) };
const json = (value: unknown, event?: string): ServerSentMessage => ({ data: JSON.stringify(value), event });
const failure = { type: 'error', error: { name: 'RetryLimitError', status: 429, code: 'busy' } };

const messages: Record<string, ServerSentMessage> = {
  a: json(events.a),
  b: json(events.b),
  c: json(events.c),
  D: { data: '[DONE]' },
  E: json(failure, 'error'),
  p: { data: '{"type":"ping"}', event: 'ping' },
};

const remote = new RemoteTurnError(failure.error);
const cut = new StreamError({ message: "The backend's stream ended before the end of the turn." });
const foreign = new StreamError({
  message: "The backend's stream contains a message that is not a turn event.",
});

const nested = (depth: number): object => (depth === 1 ? {} : { a: nested(depth - 1) });

describe('fromServerSentEvents', () => {
  it('reads each event, and completes at the end mark', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                       -a-b-c-D--|', messages);
      expectObservable(source.pipe(fromServerSentEvents())).toBe('-a-b-c-|', events);
      expectSubscriptions(source.subscriptions).toBe('            ^---------!');
    });
  });

  describe('ids', () => {
    it('of messages are those of their events, and nobody else has one', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('                                       -a-p-b-c-D--|', {
          ...messages,
          a: { ...json(events.a), id: '1-1' },
          p: { ...json({ type: 'ping' }, 'ping'), id: 'p' },
          c: { ...json(events.c), id: '1-3' },
        });
        expectObservable(source.pipe(fromServerSentEvents())).toBe('-a---b-c-|', {
          a: { ...events.a, id: '1-1' },
          b: events.b,
          c: { ...events.c, id: '1-3' },
        });
        expectSubscriptions(source.subscriptions).toBe('            ^-----------!');
      });
    });

    it('come back as they were sent, as text too, however the bytes are cut', () => {
      const longest = '~'.repeat(1_024);
      const again = new RemoteTurnError({ name: 'RemoteTurnError', status: 503, code: 'busy' });
      const sent = [
        { ...events.a, id: '1-1' },
        { ...events.b, id: longest },
        events.b,
        { ...restartingEvent({ error: again }), id: '2-0' },
        { ...events.c, id: '2-999' },
      ];
      const written = from(sent).pipe(toServerSentEvents(), encodeEventStream());
      const bytes = new TextEncoder().encode(received(written).join(''));
      for (const size of [1, 7, bytes.length]) {
        const reads = range(0, Math.ceil(bytes.length / size)).pipe(
          map((place) => bytes.slice(place * size, (place + 1) * size)),
        );
        expect(received(reads.pipe(decodeEventStream(), fromServerSentEvents()))).toEqual(sent);
      }
    });

    it('may be given to whoever follows a shared turn', () => {
      const after: readonly FollowFrom[] = received(
        of({ ...json(events.a), id: '1-1' }, { data: '[DONE]' }).pipe(
          fromServerSentEvents<RunEvent>(),
          map(({ id }) => ({ after: id })),
        ),
      );
      expect(after).toEqual([{ after: '1-1' }]);
    });

    it.each([
      ['a line feed', '1-1\nx: y'],
      ['a carriage return', '1-1\r'],
      ['a NUL', '1-1\0'],
      ['a space', ' 1-1'],
      ['what is no ASCII', '１-１'],
      ['nothing', ''],
      ['1,025 characters', '1'.repeat(1_025)],
    ])('are none where no header can carry them: %s', (_, id) => {
      const [event] = received(
        of({ ...json(events.a), id }, { data: '[DONE]' }).pipe(fromServerSentEvents()),
      );
      expect(event).toEqual(events.a);
      expect(event).not.toHaveProperty('id');
    });

    it.each(['1-1', 5, null, {}])('are not taken from the data: %j', (id) => {
      const data = { ...events.a, id };
      const read = (message: ServerSentMessage) =>
        received(of(message, { data: '[DONE]' }).pipe(fromServerSentEvents()))[0];
      expect(read(json(data))).not.toHaveProperty('id');
      expect(read({ ...json(data), id: '2-2' })).toEqual({ ...events.a, id: '2-2' });
    });
  });

  it('reads restarting, its error made anew, and goes on', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const restarting = json({ type: 'restarting', attempt: 2, delay: 400, error: failure.error });
      const source = cold('                                       -a-r-b-c-D--|', {
        ...messages,
        r: restarting,
      });
      const r = restartingEvent({ attempt: 2, delay: 400, error: remote });
      expectObservable(source.pipe(fromServerSentEvents())).toBe('-a-r-b-c-|', { ...events, r });
      expectSubscriptions(source.subscriptions).toBe('            ^-----------!');
    });
  });

  it('ends the source at once for one who leaves at restarting, after a whole turn too', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const leaving = takeWhile<ResponseEvent>(({ type }) => type !== 'restarting', true);
      const restarting = json({ type: 'restarting', attempt: 1, delay: 0, error: failure.error });
      const source = cold('                                                -a-c-a-r--a', {
        ...messages,
        r: restarting,
      });
      const r = restartingEvent({ error: remote });
      expectObservable(source.pipe(fromServerSentEvents(), leaving)).toBe('-a-c-a-(r|)', { ...events, r });
      expectSubscriptions(source.subscriptions).toBe('                     ^------!');
    });
  });

  it('keeps a source that stays open for 1,000 ms after the end mark', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                                  -a-cD', messages);
      expectObservable(source.pipe(fromServerSentEvents({ scheduler }))).toBe('-a-c|', events);
      expectSubscriptions(source.subscriptions).toBe('                       ^--- 1s !');
    });
  });

  it('drops what comes after the end mark, an error too', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                       -a-D-b-E-#', messages);
      expectObservable(source.pipe(fromServerSentEvents())).toBe('-a-|', events);
      expectSubscriptions(source.subscriptions).toBe('            ^--------!');
    });
  });

  it('keeps the source for one who leaves at completed, until it ends, or 1,000 ms have passed', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const whole = fromServerSentEvents();
      const leaving = takeWhile<ResponseEvent>(({ type }) => type !== 'completed', true);
      const ends = cold('                                       -a-cpD--|', messages);
      expectObservable(ends.pipe(whole, leaving)).toBe('        -a-(c|)', events);
      expectSubscriptions(ends.subscriptions).toBe('            ^-------!');
      const breaks = cold('                                     -a-cpE', messages);
      expectObservable(breaks.pipe(whole, leaving)).toBe('      -a-(c|)', events);
      expectSubscriptions(breaks.subscriptions).toBe('          ^----!');
      const open = cold('                                       -a-cD', messages);
      expectObservable(open.pipe(whole, leaving)).toBe('        -a-(c|)', events);
      expectSubscriptions(open.subscriptions).toBe('            ^-- 1s !');
    });
  });

  it('leaves the source to one who leaves at completed, where another turn follows', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const leaving = takeWhile<ResponseEvent>(({ type }) => type !== 'completed', true);
      const source = cold('                                                -a-c--a-cD', messages);
      expectObservable(source.pipe(fromServerSentEvents(), leaving)).toBe('-a-(c|)', events);
      expectSubscriptions(source.subscriptions).toBe('                     ^-----!');
    });
  });

  it('reads the turns of one stream', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                       -a-c-b-cD', messages);
      expectObservable(source.pipe(fromServerSentEvents())).toBe('-a-c-b-c|', events);
      expectObservable(source.pipe(fromServerSentEvents()), '     ^-----!').toBe('-a-c-b-', events);
      expectSubscriptions(source.subscriptions).toBe(['           ^------- 1s !', '^-----!']);
    });
  });

  it('fails where the source ends without the end mark, after completed too', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('                                       -a-|', messages);
      expectObservable(source.pipe(fromServerSentEvents())).toBe('-a-#', events, cut);
      const ended = cold('                                       -a-c|', messages);
      expectObservable(ended.pipe(fromServerSentEvents())).toBe('-a-c#', events, cut);
      expectObservable(cold('|', messages).pipe(fromServerSentEvents())).toBe('#', events, cut);
    });
  });

  it('fails at once with the error that the server tells of', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                       -a-E--D', messages);
      expectObservable(source.pipe(fromServerSentEvents())).toBe('-a-#', events, remote);
      expectSubscriptions(source.subscriptions).toBe('            ^--!');
    });
  });

  it("passes the source's error on", () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-a-#', messages, 'broken');
      expectObservable(source.pipe(fromServerSentEvents())).toBe('-a-#', events, 'broken');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-bD', messages);
      expectObservable(source.pipe(fromServerSentEvents({ scheduler })), '^-!').toBe('-a-', events);
      expectSubscriptions(source.subscriptions).toBe('                         ^-!');
    });
  });

  it('sets no timer where the source has ended', () => {
    const scheduler = testScheduler();
    const schedule = jest.spyOn(scheduler, 'schedule');
    received(of(messages['c']!, messages['D']!).pipe(fromServerSentEvents({ scheduler })));
    expect(schedule).not.toHaveBeenCalled();
  });

  it('stops an endless synchronous source', () => {
    const source = range(0, Infinity).pipe(map(() => messages['a']!));
    expect(received(source.pipe(fromServerSentEvents(), take(2)))).toEqual([events.a, events.a]);
    const broken = range(0, Infinity).pipe(map(() => messages['E']!));
    expect(failureOf(broken.pipe(fromServerSentEvents()))).toEqual(remote);
  });

  it('reads each subscription anew', () => {
    const turn = of(messages['a']!, messages['D']!).pipe(fromServerSentEvents());
    const whole = { events: [events.a], error: undefined, ended: 1 };
    expect([record(turn), record(turn)]).toEqual([whole, whole]);
  });

  it('skips events of other names, signs of life among them', () => {
    const other = { data: 'My chat', event: 'title' };
    const source = of(other, messages['p']!, messages['a']!, json(failure, 'x'), messages['D']!);
    expect(record(source.pipe(fromServerSentEvents()))).toEqual({
      events: [events.a],
      error: undefined,
      ended: 1,
    });
  });

  it('reads what an EventSource hands over, whose messages have names', () => {
    const source = of<ServerSentMessage[]>(json(events.a, 'message'), json(events.b, ''), json(failure));
    expect(record(source.pipe(fromServerSentEvents()))).toEqual({
      events: [events.a, events.b],
      error: remote,
      ended: 1,
    });
  });

  it('makes the failure of a retry anew', () => {
    const retrying = (error: unknown) => json({ type: 'retrying', attempt: 2, delay: 400, error });
    const source = of(
      retrying({ name: 'UnexpectedStatusError', status: 503, code: 'busy', retryAfter: 400 }),
      retrying({ name: 'TransportError' }),
      messages['D']!,
    );
    const [status, transport] = received(source.pipe(fromServerSentEvents()));
    expect(status).toStrictEqual({
      type: 'retrying',
      attempt: 2,
      delay: 400,
      error: new UnexpectedStatusError({ status: 503, code: 'busy', retryAfter: 400, retryable: true }),
    });
    expect(status).toMatchObject({ error: { status: 503, code: 'busy', retryAfter: 400, retryable: true } });
    expect(transport).toStrictEqual({
      type: 'retrying',
      attempt: 2,
      delay: 400,
      error: new TransportError(),
    });
  });

  describe('reads as an error of the server', () => {
    it.each<[string, string, Partial<RemoteTurnError>]>([
      ['text that is no JSON', 'Internal server error', { remoteName: 'Error' }],
      ['JSON that is no report', '{"statusCode":500}', { remoteName: 'Error', status: undefined }],
      ['the end mark', '[DONE]', { remoteName: 'Error' }],
      [
        'a report in which nothing is what it should be',
        '{"error":{"name":"a b","message":1,"status":"500","code":"a b","retryAfter":-1}}',
        { remoteName: 'Error', status: undefined, code: undefined, retryAfter: undefined },
      ],
      ['a report in a list', '{"error":[{"name":"X"}]}', { remoteName: 'Error' }],
    ])('an event named error with %s', (_, data, fields) => {
      const error = failureOf(of({ data, event: 'error' }).pipe(fromServerSentEvents()));
      expect(error).toBeInstanceOf(RemoteTurnError);
      expect(error).toMatchObject(fields);
    });
  });

  describe('fails with a StreamError at', () => {
    const item = (fields: object) => ({ type: 'output_item_done', item: fields });
    const message = (...content: unknown[]) => item({ type: 'message', role: 'assistant', content });
    const usage = {
      inputTokens: 1,
      cachedInputTokens: 0,
      outputTokens: 1,
      reasoningOutputTokens: 0,
      totalTokens: 2,
    };
    const end = { type: 'completed', responseId: '', finishReason: null, usage: null };

    it.each<[string, unknown]>([
      ['no event at all', null],
      ['a list', [events.a]],
      ['a text', 'text'],
      ['an event without a type', { item: events.a.item }],
      ['a type that is no text', { type: 1 }],
      ['a list in which a type stands', { ...events.a, type: ['output_item_done'] }],
      ['an item that is none', { type: 'output_item_done', item: 'text' }],
      ['no item', { type: 'output_item_done' }],
      ['an item without a type', item({ role: 'assistant', content: [] })],
      ['a choice that is no number', { ...events.a, choice: '1' }],
      ['a choice below 0', { ...events.a, choice: -1 }],
      ['content that is no list', item({ type: 'message', role: 'assistant', content: 'text' })],
      ['a role that nobody has', item({ type: 'message', role: 'root', content: [] })],
      ['a part that is none', message('text')],
      ['text that is none', message({ type: 'output_text', text: 1 })],
      ['an image without an address', message({ type: 'input_image' })],
      ['a detail that is none', message({ type: 'input_image', image_url: 'x', detail: 'x' })],
      ['audio without data', message({ type: 'input_audio', input_audio: { format: 'wav' } })],
      ['a file whose name is none', message({ type: 'input_file', filename: 1 })],
      ['a refusal that is none', message({ type: 'refusal', refusal: 1 })],
      ['words of the user that are none', message({ type: 'input_text', text: 1 })],
      ['an output without the id of its call', item({ type: 'function_call_output', output: 'x' })],
      ['an output that is none', item({ type: 'function_call_output', call_id: 'a', output: 1 })],
      ['a custom call without input', item({ type: 'custom_tool_call', call_id: 'a', name: 'f' })],
      ['a custom output without its call', item({ type: 'custom_tool_call_output', output: 'x' })],
      ['a file whose id is none', message({ type: 'input_file', file_id: 1 })],
      ['a file whose bytes are none', message({ type: 'input_file', file_data: 1 })],
      ['a file whose address is none', message({ type: 'input_file', file_url: 1 })],
      ['audio without a format', message({ type: 'input_audio', input_audio: { data: 'x' } })],
      ['reasoning that is none', item({ type: 'reasoning', content: [{ type: 'reasoning_text', text: 1 }] })],
      ['details that are no list', item({ type: 'reasoning', content: [], reasoning_details: {} })],
      ['extras that are no record', item({ type: 'reasoning', content: [], extras: [] })],
      [
        'extras of a call that are no record',
        item({ type: 'function_call', call_id: 'a', name: 'f', arguments: '{}', extras: 'x' }),
      ],
      [
        'extras that JSON could not write again',
        item({ type: 'custom_tool_call', call_id: 'a', name: 'f', input: '', extras: nested(101) }),
      ],
      [
        'details that JSON could not write again',
        item({ type: 'reasoning', content: [], reasoning_details: [nested(101)] }),
      ],
      ['a provider that is no text', item({ type: 'reasoning', content: [], provider: 1 })],
      ['a call without its id', item({ type: 'function_call', name: 'f', arguments: '{}' })],
      ['arguments that are no text', item({ type: 'function_call', call_id: 'a', name: 'f', arguments: {} })],
      [
        'progress without a delta',
        { type: 'function_call_arguments_delta', callId: 'a', name: 'f', index: 0 },
      ],
      [
        'progress of no place',
        { type: 'function_call_arguments_delta', callId: 'a', name: 'f', index: 0.5, delta: '' },
      ],
      ['an end without a finish reason', { type: 'completed', responseId: '', usage: null }],
      ['an end with half a usage', { ...end, usage: { inputTokens: 1 } }],
      ['an end with a usage of texts', { ...end, usage: { ...usage, totalTokens: '2' } }],
      ['a model that is no text', { ...end, model: null }],
      ['choices that are none', { ...end, choices: [{ choice: 1 }] }],
      ['an end that was not stopped', { ...end, stopped: false }],
      ['an end by nothing that is known', { ...end, endedBy: 'x' }],
      ['a count of cut calls that is none', { ...end, incompleteCalls: -1 }],
      ['a chunk that is none', { type: 'chunk', chunk: [] }],
      ['a retry without a failure', { type: 'retrying', attempt: 1, delay: 1 }],
      ['a restart without a failure', { type: 'restarting', attempt: 1, delay: 1 }],
      ['a restart of no delay', { type: 'restarting', attempt: 1, delay: null, error: {} }],
      ['a retry of no delay', { type: 'retrying', attempt: 1, delay: null, error: {} }],
    ])('%s', (_, value) => {
      expect(failureOf(of(json(value)).pipe(fromServerSentEvents()))).toEqual(foreign);
    });

    it.each(['', 'not JSON', '{', '[DONE]x', '['.repeat(200_000)])('data that is no JSON: %.9j', (data) => {
      expect(failureOf(of({ data }).pipe(fromServerSentEvents()))).toEqual(foreign);
    });

    it('fields that stand on a prototype', () => {
      const data = '{"__proto__":{"type":"chunk","chunk":{}}}';
      expect(failureOf(of({ data }).pipe(fromServerSentEvents()))).toEqual(foreign);
      for (const type of ['toString', '__proto__', 'constructor']) {
        const source = of(json({ type }), messages['D']!);
        expect(record(source.pipe(fromServerSentEvents())).events).toEqual([]);
      }
    });
  });

  describe('skips what only a later version knows:', () => {
    it.each<[string, unknown]>([
      ['an event', { type: 'output_audio_delta', delta: 'x' }],
      ['an item', { type: 'output_item_done', item: { type: 'web_search_call' } }],
      [
        'a part of the reasoning',
        { type: 'output_item_done', item: { type: 'reasoning', content: [{ type: 'summary_text' }] } },
      ],
      [
        'a part of a message',
        {
          type: 'output_item_done',
          item: { type: 'message', role: 'assistant', content: [{ type: 'output_video' }] },
        },
      ],
    ])('%s', (_, value) => {
      const source = of(json(value), messages['a']!, messages['D']!);
      expect(record(source.pipe(fromServerSentEvents()))).toEqual({
        events: [events.a],
        error: undefined,
        ended: 1,
      });
    });
  });

  it.each<ResponseItem>([
    ...(['auto', 'low', 'high'] as const).map((detail): ResponseItem => ({
      type: 'message',
      role: 'user',
      content: [{ type: 'input_image', image_url: 'x', detail }],
    })),
    ...(['system', 'developer', 'user', 'assistant'] as const).map((role): ResponseItem => ({
      type: 'message',
      role,
      content: [{ type: 'input_text', text: 'x' }],
    })),
    {
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_image', image_url: 'x' },
        { type: 'input_audio', input_audio: { data: 'x', format: 'wav' } },
        { type: 'input_file', file_id: 'a', file_data: 'b', file_url: 'c', filename: 'd' },
        { type: 'input_file' },
      ],
    },
    { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
    { type: 'function_call_output', call_id: 'a', output: 'x' },
    { type: 'custom_tool_call', call_id: 'a', name: 'f', input: 'x' },
    { type: 'custom_tool_call_output', call_id: 'a', output: 'x' },
    {
      type: 'reasoning',
      content: [],
      reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }],
      extras: { reasoning_opaque: 'x' },
      provider: 'p',
    },
    { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}', extras: { s: [1] }, provider: 'p' },
    { type: 'custom_tool_call', call_id: 'a', name: 'f', input: 'x', extras: {}, provider: '' },
  ])('reads the item %j', (item) => {
    const source = of(json({ type: 'output_item_done', item }), messages['D']!);
    expect(received(source.pipe(fromServerSentEvents()))).toEqual([{ type: 'output_item_done', item }]);
  });

  it('reads a choice and a place of 0', () => {
    const first: ResponseEvent[] = [
      { ...events.a, choice: 0 },
      { type: 'function_call_arguments_delta', callId: 'a', name: 'f', index: 0, delta: '{', choice: 0 },
    ];
    const source = of(...first.map((event) => json(event)), messages['D']!);
    expect(received(source.pipe(fromServerSentEvents()))).toEqual(first);
  });

  it('keeps fields that it does not know', () => {
    const later = { ...events.c, serviceTier: 'flex' };
    expect(received(of(json(later), messages['D']!).pipe(fromServerSentEvents()))).toEqual([
      later as ResponseEvent,
    ]);
  });
});

describe('RemoteTurnError', () => {
  it('says what the server told, its words aside', () => {
    const taint = { key: 'sk-1', prompt: 'asked', answer: 'answered' };
    const error = new RemoteTurnError({
      name: 'RetryLimitError',
      message: 'Please wait.',
      status: 429,
      code: 'rate_limit_exceeded',
      retryAfter: 70_000,
    });
    expect(error).toBeInstanceOf(ChatCompletionsError);
    expect(error.name).toBe('RemoteTurnError');
    expect(error.message).toBe(
      'The turn failed on the server: RetryLimitError (status 429, code rate_limit_exceeded).',
    );
    expect(Object.fromEntries(Object.entries(error))).toEqual({
      remoteName: 'RetryLimitError',
      status: 429,
      code: 'rate_limit_exceeded',
      retryAfter: 70_000,
    });
    expect(error.remoteMessage).toBe('Please wait.');
    expect(leaksOf(error, { ...taint, key: 'Please' })).toEqual(['the key in it.remoteMessage']);
  });

  it('says only the name where nothing else is known', () => {
    expect(new RemoteTurnError({ name: 'Error' }).message).toBe('The turn failed on the server: Error.');
  });
});

describe('fromServerSentEvents of a run', () => {
  const read = (...values: readonly unknown[]) =>
    record(of(...values.map((value) => json(value)), messages['D']!).pipe(fromServerSentEvents<RunEvent>()));

  it('reads every event as it was, an error aside', () => {
    const restored = received(of(...wholeRun).pipe(toServerSentEvents(), fromServerSentEvents<RunEvent>()));
    const remote = (name: string, code?: string) => new RemoteTurnError({ name, code });
    expect(restored).toEqual(
      wholeRun.map((event) => {
        if (event.type === 'restarting') return { ...event, error: remote('StreamError') };
        if (event.type !== 'tool_finished' || event.error === undefined) return event;
        return { ...event, error: remote('ToolError', (event.error as { code?: string }).code) };
      }),
    );
    const errors = restored.flatMap((event) => (event.type === 'tool_finished' ? [event.error] : []));
    expect(errors.map((error) => (error as RemoteTurnError | undefined)?.code)).toEqual([
      undefined,
      'rejected',
      undefined,
      'timeout',
    ]);
    expect(errors[1]?.message).toBe('A tool call failed on the server: ToolError (code rejected).');
  });

  it('keeps the source for one who leaves at run_completed, and for one at completed until the next event', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const [x, R] = [toolEvents.started, runCompleted];
      const run = { ...messages, x: json(x), R: json(R) };
      const until = (type: RunEvent['type']) => takeWhile<RunEvent>((event) => event.type !== type, true);
      const whole = cold('-a-c-x-a-c-RpD--|', run);
      const read = whole.pipe(fromServerSentEvents<RunEvent>(), until('run_completed'));
      expectObservable(read).toBe('-a-c-x-a-c-(R|)', { ...events, x, R });
      expectSubscriptions(whole.subscriptions).toBe('^---------------!');
      const left = cold('-a-c-x-a-c-RpD--|', run);
      expectObservable(left.pipe(fromServerSentEvents<RunEvent>(), until('completed'))).toBe(
        '-a-(c|)',
        events,
      );
      expectSubscriptions(left.subscriptions).toBe('^----!');
      const atATool = cold('-a-c-x-a', run);
      expectObservable(atATool.pipe(fromServerSentEvents<RunEvent>(), until('tool_started'))).toBe(
        '-a-c-(x|)',
        { ...events, x },
      );
      expectSubscriptions(atATool.subscriptions).toBe('^----!');
    });
  });

  const { requested, started, progress, finished } = toolEvents;

  it.each<[string, unknown]>([
    ['a request to approve no call', { type: 'approval_requested' }],
    ['a request to approve what is no call', { ...requested, call: userCall() }],
    ['a call without arguments', { ...requested, call: { ...weatherCall, arguments: 1 } }],
    ['a start of no call', { ...started, call: null }],
    ['arguments that JSON could not write again', { ...started, arguments: nested(101) }],
    ['progress of no call', { ...progress, callId: 1 }],
    ['progress that JSON could not write again', { ...progress, value: nested(101) }],
    ['an end without an output', { ...finished, output: undefined }],
    ['an output that is a value', { ...finished, output: { a: 1 } }],
    ['an output of parts that are none', { ...finished, output: [1] }],
    ['an output with a part of text that is none', { ...finished, output: [{ type: 'input_text' }] }],
    ['a duration that is none', { ...finished, duration: '1' }],
    ['an end with an error that is none', { ...finished, error: 'x' }],
    ['an end of no call', { ...finished, callId: undefined }],
    ['what was added, without items', { type: 'input_added' }],
    ['a run that goes on, with what is no call', { type: 'run_resumed', calls: [{ type: 'message' }] }],
    ['what was added, with an item that is none', { ...inputAdded, items: [1] }],
    ['an end of a run for no known reason', { ...runCompleted, reason: 'x' }],
    ['an end of a run without its items', { ...runCompleted, items: undefined }],
    ['an end of a run with half an item', { ...runCompleted, items: [{ type: 'function_call' }] }],
    ['an end of a run with half a usage', { ...runCompleted, usage: { inputTokens: 1 } }],
    ['an end of a run without its usage', { ...runCompleted, usage: undefined }],
    ['an end of a run with half a turn', { ...runCompleted, turns: 1.5 }],
  ])('fails with a StreamError at %s', (_, value) => {
    expect(read(value)).toMatchObject({ events: [], error: foreign });
  });

  it.each<[string, RunEvent]>([
    ['a custom call', { ...started, call: { type: 'custom_tool_call', call_id: 'a', name: 'f', input: '' } }],
    ['no usage and no items', { ...runCompleted, usage: null, items: [], turns: 0 }],
    ...(['answered', 'stopped', 'pending', 'max_turns'] as const).map((reason): [string, RunEvent] => [
      `a run that was ${reason}`,
      { ...runCompleted, reason },
    ]),
    ...[null, 0, 'half', [1], nested(100)].map((value): [string, RunEvent] => [
      `the progress ${JSON.stringify(value).slice(0, 9)}`,
      { ...progress, value },
    ]),
    ['changed arguments', { ...started, arguments: null }],
    ['an output without parts', { ...finished, output: [] }],
  ])('reads %s', (_, event) => {
    expect(read(event)).toEqual({ events: [event], error: undefined, ended: 1 });
  });

  it('reads progress without a value', () => {
    expect(read({ type: 'tool_progress', callId: 'a' }).events).toEqual([
      { type: 'tool_progress', callId: 'a' },
    ]);
  });

  it.each<[string, unknown]>([
    ['a call of another kind that waits for approval', { ...requested, call: { type: 'mcp_call' } }],
    ['a call of another kind that starts', { ...started, call: { type: 'mcp_call' } }],
    ['an event of a run', { type: 'tool_paused', callId: 'a', items: [], output: [] }],
    [
      'an item whose output has another part',
      {
        type: 'output_item_done',
        item: { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_video' }] },
      },
    ],
  ])('skips what only a later version knows: %s', (_, value) => {
    expect(read(value, finished)).toEqual({ events: [finished], error: undefined, ended: 1 });
  });

  it('leaves out the items and parts that only a later version knows, and keeps what lists them', () => {
    const [call, output] = runCompleted.items;
    const message = { type: 'message', role: 'assistant' };
    const later = [
      { type: 'web_search_call' },
      { ...message, content: [{ type: 'output_video' }] },
      { ...output, output: [{ type: 'input_video' }] },
    ];
    const part = { type: 'input_text', text: 'x' };
    expect(
      read(
        { ...inputAdded, items: later },
        { ...finished, output: [{ type: 'input_video' }, part] },
        { ...runCompleted, items: [later[0], call, later[1], output, later[2]] },
      ),
    ).toEqual({
      events: [{ ...inputAdded, items: [] }, { ...finished, output: [part] }, runCompleted],
      error: undefined,
      ended: 1,
    });
  });
});

/** An item, and no call. */
function userCall(): ResponseItem {
  return { type: 'message', role: 'user', content: [] };
}
