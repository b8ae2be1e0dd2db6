import { concat, from, map, NEVER, type Observable, of } from 'rxjs';
import {
  type ChatOptions,
  emptyTurn,
  IdleTimeoutError,
  reduceTurn,
  type ResponseEvent,
  streamChatCompletions,
  type Transport,
} from '../../src/index.js';
import { eventStreamParser } from '../../src/response/event-stream-parser.js';
import { patternDecoder } from '../../src/response/chunks/pattern-decoder.js';
import { toHeaders } from '../../src/testing/answer.js';
import { bodyEvents } from '../support/body-events.js';
import { completed, provider, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { chunk, done, textChunk } from '../support/wire.js';
import { heldMemory } from '../support/heap.js';
import { MiB } from './hostile.js';

jest.setTimeout(60_000);

const utf8 = (said: string): Uint8Array => Buffer.from(said);

/** An answer whose body is played. */
const answering =
  (body: Observable<Uint8Array>, contentType = 'text/event-stream'): Transport =>
  () =>
    of({ status: 200, headers: toHeaders({ 'content-type': contentType }), body });

const turn = (transport: Transport, options: Partial<ChatOptions> = {}) =>
  streamChatCompletions('Hi', { model: 'm', provider, transport, ...options });

/** What an answer that is there at once becomes. */
function outcome(pieces: readonly string[], contentType?: string) {
  const events: ResponseEvent[] = [];
  let error: unknown;
  turn(answering(from(pieces).pipe(map(utf8)), contentType)).subscribe({
    next: (event) => events.push(event),
    error: (reason: unknown) => (error = reason),
  });
  return { events, error };
}

describe('an event that drips, one byte a second', () => {
  const bytes = Array.from(textChunk('x'));
  const dripping = 'a 999ms '.repeat(3);

  it('is no event until it is whole: the idle timeout ends it', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const body = cold(dripping.repeat(10)).pipe(map((_, at) => utf8(bytes[at] ?? '')));
      const source = cold(dripping.repeat(10));
      expectObservable(turn(answering(body), { idleTimeout: 10_000 })).toBe(
        '10s #',
        undefined,
        new IdleTimeoutError(10_000),
      );
      expectObservable(turn(answering(source.pipe(map(() => utf8('d')))), { idleTimeout: 10_000 })).toBe(
        '10s #',
        undefined,
        new IdleTimeoutError(10_000),
      );
      expectSubscriptions(source.subscriptions).toBe('^ 9999ms !');
    });
  });

  it('is life where the idle timeout listens to bytes, and is delivered when it is whole', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const body = concat(
        cold(`${'a 999ms '.repeat(bytes.length)}|`).pipe(map((_, at) => utf8(bytes[at] ?? ''))),
        NEVER,
      );
      expectObservable(turn(answering(body), { idleTimeout: 10_000, idleOn: 'bytes' })).toBe(
        `${bytes.length - 1}s a 9999ms #`,
        { a: text('x') },
        new IdleTimeoutError(10_000),
      );
    });
  });

  it('does not push the end away: each whole event counts from its last byte', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const body = cold('a 8s b 8s c 20s |', {
        a: utf8(textChunk('one')),
        b: utf8(textChunk('two') + 'data: {'),
        c: utf8('}'),
      });
      expectObservable(turn(answering(body), { idleTimeout: 10_000 })).toBe(
        'a 8s b 9999ms #',
        { a: text('one'), b: text('two') },
        new IdleTimeoutError(10_000),
      );
    });
  });
});

describe('what is held of an answer is what maxEventSize says', () => {
  const maxEventSize = MiB;
  /** Text takes up to two bytes a character, and is copied while it is put together; the rest is the process. */
  const most = 12 * maxEventSize;

  /** The most that was held while pieces were read, until there are no more or one is refused. */
  function peak(push: (bytes: Uint8Array) => void, pieces: Iterable<Uint8Array>, every: number): number {
    const before = heldMemory();
    let highest = 0;
    let count = 0;
    for (const piece of pieces) {
      try {
        push(piece);
      } catch {
        break;
      }
      count += 1;
      if (count % every === 0) highest = Math.max(highest, heldMemory() - before);
    }
    return highest;
  }

  function* views(of: string, size: number, times: number): Generator<Uint8Array> {
    for (let count = 0; count < times; count += 1) {
      const read = Buffer.from(of.repeat(16 * 1024));
      for (let at = 0; at < read.length; at += size) yield read.subarray(at, at + size);
    }
  }

  it.each(['data:\n', 'data:x\n', 'data: x\r\n'])('of an event of lines %j', (line) => {
    const parser = eventStreamParser({ maxEventSize });
    const lines = utf8(line.repeat(10_000));
    const pieces = Array.from({ length: 100 }, () => lines);
    expect(peak((bytes) => parser.push(bytes), pieces, 20)).toBeLessThan(most);
  });

  it.each([1, 2])('of a line that comes in reads of %i bytes', (size) => {
    const parser = eventStreamParser({ maxEventSize });
    parser.push(utf8('data: '));
    expect(peak((bytes) => parser.push(bytes), views('x', size, 63), 250_000)).toBeLessThan(most);
  });

  it.each<[string, string, string, string]>([
    ['an answer in JSON', 'application/json', '{"a":"', 'x'],
    ['blank lines before anything', 'text/event-stream', '', '\n'],
  ])('of %s that comes in reads of one byte', (_, contentType, start, byte) => {
    let held = 0;
    const before = heldMemory();
    function* pieces(): Generator<Uint8Array> {
      yield utf8(start);
      yield* views(byte, 1, 30);
      held = heldMemory() - before;
    }
    from(pieces())
      .pipe(bodyEvents({ status: 200, contentType, maxEventSize }))
      .subscribe({ error: () => {} });
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThan(most);
  });
});

describe('counts that a stream makes up', () => {
  const calls = (entries: readonly object[]) =>
    JSON.stringify({ choices: [{ delta: { tool_calls: entries } }] });
  const finish = JSON.stringify({ choices: [{ delta: {}, finish_reason: 'tool_calls' }] });

  function decoded(chunks: Iterable<string>): ResponseEvent[] {
    const events: ResponseEvent[] = [];
    const decoder = patternDecoder((event) => void events.push(event));
    for (const data of chunks) decoder.push({ data });
    decoder.end();
    return events;
  }
  const wholeCalls = (events: readonly ResponseEvent[]) =>
    events.filter((event) => event.type === 'output_item_done' && event.item.type === 'function_call');

  it('of 50,000 calls in one chunk 1,024 are read', () => {
    const entries = Array.from({ length: 50_000 }, (_, index) => ({
      index,
      id: `id-${index}`,
      function: { name: 'f', arguments: '{}' },
    }));
    const events = decoded([calls(entries), finish]);
    expect(wholeCalls(events)).toHaveLength(1_024);
    expect(events).toHaveLength(2 * 1_024 + 1);
  });

  it('of 2,000 calls, one a chunk, 1,024 are read', () => {
    function* chunks() {
      for (let index = 0; index < 2_000; index += 1)
        yield calls([{ index, id: `id-${index}`, function: { name: 'f' } }]);
      yield finish;
    }
    expect(wholeCalls(decoded(chunks()))).toHaveLength(1_024);
  });

  it('of 20 choices with 100 calls each, 1,024 calls are read', () => {
    const chunk = (index: number) => ({
      index,
      delta: {
        tool_calls: Array.from({ length: 100 }, (_, at) => ({
          index: at,
          id: `${index}-${at}`,
          function: { name: 'f' },
        })),
      },
      finish_reason: 'tool_calls',
    });
    const choices = Array.from({ length: 20 }, (_, index) => chunk(index));
    expect(wholeCalls(decoded([JSON.stringify({ choices })]))).toHaveLength(1_024);
  });

  it('indices of no call are not remembered', () => {
    const decoder = patternDecoder(() => {});
    decoder.push({ data: calls([{ index: 0, id: 'id', function: { name: 'f' } }]) });
    const before = heldMemory();
    for (let start = 0; start < 200_000; start += 1_000)
      decoder.push({
        data: calls(Array.from({ length: 1_000 }, (_, at) => ({ index: start + at, id: 'id' }))),
      });
    const held = heldMemory() - before;
    decoder.end();
    expect(held).toBeLessThan(4 * MiB);
  });

  it('of 100,000 choices in one chunk 128 are read', () => {
    const data = `{"choices":[${'{"delta":{"content":"x"}},'.repeat(1e5)}{}]}`;
    const events = decoded([data]);
    expect(events).toHaveLength(129);
    expect(events.at(-1)).toMatchObject({ type: 'completed' });
  });

  it.each([128, 1e6, Number.MAX_SAFE_INTEGER, 1e300])('a choice %d is none', (index) => {
    expect(decoded([JSON.stringify({ choices: [{ index, delta: { content: 'x' } }] })])).toEqual([
      completed({ endedBy: 'eof' }),
    ]);
  });

  it('of details without end a turn keeps 4,096, and goes on', () => {
    const events = Array.from({ length: 100_000 }, (_, index): ResponseEvent => ({
      type: 'output_item_done',
      item: { type: 'reasoning', content: [], reasoning_details: [{ type: 'reasoning.encrypted', index }] },
    }));
    const last = [...events, text('ok')].reduce(reduceTurn, emptyTurn);
    expect(last).toMatchObject({ text: 'ok', status: 'streaming' });
    expect(last.reasoningDetails).toHaveLength(4_096);
  });
});

describe('JSON that is made to hurt', () => {
  const deep = '['.repeat(900_000) + ']'.repeat(900_000);
  const around = (field: string) => `data: {"choices":[{"index":0,"delta":{"content":"ok",${field}}}]}\n\n`;
  const ok = { events: [text('ok'), completed()], error: undefined };

  it.each<[string, string]>([
    ['900,000 brackets', `"deep":${deep}`],
    ['900,000 brackets where arguments stand', `"tool_calls":[{"function":{"arguments":${deep}}}]`],
    ['a number of 100,000 digits', `"number":${'9'.repeat(100_000)}`],
    ['a number beyond all', '"number":1e99999'],
    ['__proto__', '"__proto__":{"content":"no","polluted":true,"tool_calls":[{}]}'],
    ['constructor', '"constructor":{"prototype":{"polluted":true}}'],
    ['the same key 100,000 times', Array.from({ length: 100_000 }, () => '"k":1').join()],
    ['100,000 keys', Array.from({ length: 100_000 }, (_, at) => `"k${at}":1`).join()],
  ])('%s beside the text changes nothing', (_, field) => {
    expect(outcome([around(field), done])).toEqual(ok);
    expect('polluted' in {}).toBe(false);
  });

  it.each<[string, string]>([
    ['a million open brackets', '['.repeat(1e6)],
    ['a number', '1e400'],
    ['a string', '"x"'],
    [
      'nothing but keys of Object.prototype',
      '{"__proto__":{"choices":[{"delta":{"content":"no"}}]},"constructor":[]}',
    ],
  ])('%s is no chunk', (_, data) => {
    expect(outcome([`data: ${data}\n\n`, textChunk('ok'), done])).toEqual(ok);
  });

  it.each<[string, string]>([['a million open brackets', '['.repeat(1e6)]])(
    'an answer in JSON of %s is no completion',
    (_, answer) => {
      const { events, error } = outcome([answer], 'application/json');
      expect([events, (error as Error).name]).toEqual([[], 'UnexpectedContentError']);
    },
  );

  it('the keys of a completion in JSON are its own', () => {
    const answer =
      '{"__proto__":{"polluted":1},"choices":[{"__proto__":{"delta":{}},"message":{"content":"ok"}}]}';
    expect(outcome([answer], 'application/json')).toEqual({
      events: [text('ok'), completed({ endedBy: 'eof' })],
      error: undefined,
    });
    expect('polluted' in {}).toBe(false);
  });
});

describe('text that is made to hurt arrives as it was sent', () => {
  it.each<[string, string]>([
    ['100,000 combining marks on one letter', `a${'\u0301'.repeat(100_000)}`],
    ['100,000 zero-width joiners', '\u200d'.repeat(100_000)],
    ['a family of 1,000', '👩‍👩‍👧‍👦'.repeat(1_000)],
    ['changes of direction', '\u202e\u2066abc\u2069\u202c'.repeat(1_000)],
    ['line separators that are no line ends of a stream', '\u2028\u2029\u0085\v\f'.repeat(1_000)],
    ['byte order marks', '\ufeff'.repeat(1_000)],
    ['one ligature that unfolds to eighteen letters', '\ufdfa'.repeat(1_000)],
  ])('%s', (_, said) => {
    const { events, error } = outcome([textChunk(said), done]);
    expect(error).toBeUndefined();
    expect(events).toEqual([text(said), completed()]);
  });

  it.each(['\\ud800', '\\udc00\\ud800', '\\u0000'])('the escape %s', (escape) => {
    const said = JSON.parse(`"${escape}"`) as string;
    expect(outcome([`data: {"choices":[{"delta":{"content":"${escape}"}}]}\n\n`, done]).events).toEqual([
      text(said),
      completed(),
    ]);
  });

  it('100,000 escapes', () => {
    const data = `{"choices":[{"delta":{"content":"${'\\u0061\\"\\\\'.repeat(100_000)}"}}]}`;
    expect(outcome([`data: ${data}\n\n`, `data: ${data}\n\n`, done]).events).toEqual([
      text('a"\\'.repeat(100_000)),
      text('a"\\'.repeat(100_000)),
      completed(),
    ]);
  });

  it('bytes that are no UTF-8 become replacement characters', () => {
    const bytes = Buffer.concat([
      utf8('data: {"choices":[{"delta":{"content":"'),
      Uint8Array.from([0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf8, 0xff]),
      utf8('"}}]}\n\n'),
    ]);
    const events: ResponseEvent[] = [];
    turn(answering(of(bytes))).subscribe((event) => events.push(event));
    expect(events).toEqual([text('\ufffd'.repeat(7)), completed({ endedBy: 'eof' })]);
  });
});

it('a call is given once, however often the finish reason is repeated', () => {
  const fragment = (text: string) =>
    chunk({
      choices: [
        {
          index: 0,
          delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: text } }] },
          finish_reason: 'tool_calls',
        },
      ],
    });
  const count = 16_000;
  const pieces = Array.from({ length: count }, () => fragment('x'.repeat(64)));
  const { events, error } = outcome([fragment('{"q":"'), ...pieces, fragment('"}'), done]);
  expect(error).toBeUndefined();
  expect(events.filter(({ type }) => type === 'output_item_done')).toEqual([
    {
      type: 'output_item_done',
      item: {
        type: 'function_call',
        call_id: 'a',
        name: 'f',
        arguments: `{"q":"${'x'.repeat(64 * count)}"}`,
      },
    },
  ]);
  expect(events).toHaveLength(count + 4);
});

it('a name that goes on without end is put together up to 1,024 characters', () => {
  const piece = (name: string) =>
    chunk({ choices: [{ delta: { tool_calls: [{ index: 0, id: 'a', function: { name } }] } }] });
  const pieces = Array.from({ length: 16_000 }, (_, at) => piece(`n${at}`));
  const { events } = outcome([...pieces, done]);
  expect(events).toHaveLength(2);
  const [whole] = events;
  const item = whole?.type === 'output_item_done' ? whole.item : undefined;
  expect(item?.type === 'function_call' && item.name.length).toBeLessThanOrEqual(1_024);
});

it('a chunk as large as a network read says what it says', () => {
  expect(outcome([chunk({ padding: 'x'.repeat(MiB), choices: [] }), textChunk('ok'), done])).toEqual({
    events: [text('ok'), completed()],
    error: undefined,
  });
});
