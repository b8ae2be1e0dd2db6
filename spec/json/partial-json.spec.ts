import fc from 'fast-check';
import { concat, from, map, of, type Observable, throwError } from 'rxjs';
import { partialJson } from '../../src/json/index.js';
import { startOfValue } from '../../src/json/json-in-text.js';
import { stopWhen } from '../../src/operators/stop-when.js';
import { StreamError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { refusalEvent, textEvent, toolCallEvents } from '../../src/testing/turn-events.js';
import { completed, text } from '../support/events.js';
import { closedPrefix } from '../support/json-prefix.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const whole = completed({ finishReason: 'stop' });
const turnOf = (...pieces: readonly string[]): Observable<ResponseEvent> =>
  from([...pieces.map(text), whole]);
const snapshotsOf = (...pieces: readonly string[]): readonly unknown[] =>
  received(turnOf(...pieces).pipe(partialJson()));

describe('partialJson', () => {
  it('emits the value each time it has grown, and completes with its source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const events = {
        a: text('{"a'),
        b: text('":"x'),
        c: text('y"'),
        d: text(',"b":1'),
        e: text('}'),
        z: whole,
      };
      const source = cold<ResponseEvent>('--a--b--c--d--e--(z|)', events);
      const expected = '                  --A--B--C-----E--(|)';
      const values = { A: {}, B: { a: 'x' }, C: { a: 'xy' }, E: { a: 'xy', b: 1 } };
      expectObservable(source.pipe(partialJson())).toBe(expected, values);
      expectSubscriptions(source.subscriptions).toBe('^----------------!');
    });
  });

  it('unsubscribes from its source at any frame', () => {
    const marbles = '--a--b--(z|)';
    for (let frame = 1; frame < 8; frame += 1) {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<ResponseEvent>(marbles, { a: text('["x'), b: text('y"]'), z: whole });
        const leave = `${'-'.repeat(frame)}!`;
        const expected = `--${frame > 2 ? 'A' : '-'}--${frame > 5 ? 'B' : '-'}`;
        expectObservable(source.pipe(partialJson()), leave).toBe(expected, { A: ['x'], B: ['xy'] });
        expectSubscriptions(source.subscriptions).toBe(`^${leave.slice(1)}`);
      });
    }
  });

  it('begins anew at restarting, which takes back what came before', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const events: Record<string, ResponseEvent> = {
        a: text('{"a":"x'),
        r: { type: 'restarting', attempt: 1, delay: 0, error },
        b: text('{"a":"y"}'),
        z: whole,
      };
      const source = cold<ResponseEvent>('-a-r-b-(z|)', events);
      expectObservable(source.pipe(partialJson())).toBe('-A---B-(|)', { A: { a: 'x' }, B: { a: 'y' } });
      expectSubscriptions(source.subscriptions).toBe('^------!');
    });
  });

  it('passes the error of its source, at its frame', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const source = cold<ResponseEvent>('-a-#', { a: text('[tru') }, error);
      const second = cold<ResponseEvent>('-a-#', { a: text('["') }, error);
      expectObservable(source.pipe(partialJson())).toBe('---#', undefined, error);
      expectObservable(second.pipe(partialJson())).toBe('-A-#', { A: [''] }, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('begins a new value after completed', () => {
    const twice = concat(turnOf('{"a":1}'), turnOf('{"b":2}'));
    expect(received(twice.pipe(partialJson()))).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('holds a state for each subscription', () => {
    const partial = turnOf('{"a":"x', 'y"}').pipe(partialJson());
    expect(received(partial)).toEqual(received(partial));
  });

  it('reads choice 0 alone', () => {
    const other = textEvent('{"b":2}', { choice: 1 });
    expect(received(of(text('{"a":'), other, text('1}'), whole).pipe(partialJson()))).toEqual([{}, { a: 1 }]);
  });

  it.each([
    ['prose and a fence', 'Here {it} is:\n```json\n{"a":1}\n```\nDone [1].'],
    ['a list in prose', 'See list[0] and [note], a [ ] box: {"a":1}'],
    ['a byte order mark', '\ufeff{"a":1}'],
    ['a second value', '{"a":1}{"a":2}'],
  ])('passes over %s, in one piece or character by character', (_, answer) => {
    expect(snapshotsOf(answer)).toEqual([{ a: 1 }]);
    expect(snapshotsOf(...Array.from(answer))).toEqual([{}, { a: 1 }]);
  });

  it('shares what did not change with the snapshot before', () => {
    const [, before, after] = snapshotsOf('{"a":{"x":1},', '"b":[{"y":2},{"z":"', 'w"}]}') as {
      a: unknown;
      b: [unknown, unknown];
    }[];
    expect(after!.a).toBe(before!.a);
    expect(after!.b).not.toBe(before!.b);
    expect(after!.b[0]).toBe(before!.b[0]);
    expect(after!.b[1]).not.toBe(before!.b[1]);
  });

  it('emits nothing where an event changes nothing', () => {
    expect(snapshotsOf('{"a":["x', '"', ' ', ']', '\n', '}')).toHaveLength(1);
  });

  it.each<[string, string, readonly ResponseEvent[]]>([
    ['refused', 'a refusal', [refusalEvent('No.'), whole]],
    ['incomplete', 'the token limit', [text('{"a":"x'), completed({ finishReason: 'length' })]],
    ['incomplete', 'the end of the stream', [text('{"a":"x'), completed({ endedBy: 'eof' })]],
    ['content_filter', 'a filter', [text('{"a":"x'), completed({ finishReason: 'content_filter' })]],
    ['invalid_json', 'text without JSON', [text('Sorry?'), whole]],
    ['invalid_json', 'a value left open', [text('{"a":"x'), whole]],
    ['invalid_json', 'JSON with an error', [text('{"a":x')]],
  ])('errors with %s after %s', (code, _, events) => {
    expect(failureOf(from(events).pipe(partialJson()))).toMatchObject({ name: 'OutputError', code });
  });

  it('emits what came before an error in the same event', () => {
    const values: unknown[] = [];
    const broken = of(text('{"a":1,}')).pipe(partialJson());
    broken.subscribe({ next: (value) => values.push(value), error: (error: unknown) => values.push(error) });
    expect(values).toEqual([{ a: 1 }, expect.objectContaining({ code: 'invalid_json' })]);
  });

  it('lets a turn pass that was stopped, and one that calls tools', () => {
    const stopped = concat(of(text('{"a":"x')), of(completed({ stopped: true })));
    expect(received(stopped.pipe(partialJson()))).toEqual([{ a: 'x' }]);
    expect(failureOf(stopped.pipe(stopWhen(of(1)), partialJson()))).toBe('it did not fail');
    const calls = [
      text('Let me look.'),
      ...toolCallEvents({ name: 'look' }),
      completed({ finishReason: 'tool_calls' }),
    ];
    expect(received(concat(from(calls), turnOf('{"a":1}')).pipe(partialJson()))).toEqual([{ a: 1 }]);
  });

  it('keeps the answer out of the messages of its errors', () => {
    const error = failureOf(of(text('{"secret":oops')).pipe(partialJson())) as Error;
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toMatch(/secret|oops/);
    expect(error).toHaveProperty('text', '{"secret":oops');
    expect(error.cause).toBeUndefined();
  });
});

const json = fc
  .oneof(fc.array(fc.jsonValue({ noUnicodeString: false })), fc.dictionary(fc.string(), fc.jsonValue()))
  .chain((value) => fc.constantFrom('', ' ', '\n\t').map((indent) => JSON.stringify(value, null, indent)));

/** A text as JSON that escapes everything, some characters half. */
const odd = fc.constantFrom(
  String.raw`{"__proto__":{"x":"\ud83d\ude00"},"constructor":"\ud83d","toString":["\ude00a\ud83d\u0061"]}`,
  String.raw`[-0,1e400,-1e-400,1.5E+3,12345678901234567890,"\\\"\/\b\f\n\r\t\\"]`,
  '{"a":1,"a":{"b":2},"a":"last","":"","1":1,"0":0}',
  '{"\ud83d\ude00":"\ud83d\ude00 \ud83d \ude00","a":"\ud83d"}',
  ' [ [ ] , { } , [ { "a" : [ null , true , false ] } ] ] ',
  `${'['.repeat(200)}${']'.repeat(200)}`,
);

const pieces = fc
  .tuple(fc.oneof(json, odd), fc.array(fc.nat({ max: 9 }), { minLength: 1 }))
  .map(([answer, sizes]) => {
    const list: string[] = [];
    for (let at = 0, index = 0; at < answer.length; index += 1) {
      const size = sizes[index % sizes.length]! + (index % 2);
      list.push(answer.slice(at, at + size));
      at += size;
    }
    return list;
  });

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/** Where two values are equal and not the same object. */
function unshared(before: unknown, after: unknown, path = ''): readonly string[] {
  if (before === after || typeof before !== 'object' || typeof after !== 'object' || !before || !after)
    return [];
  if (JSON.stringify(before) === JSON.stringify(after)) return [path];
  return Object.keys(after).flatMap((key) =>
    Object.hasOwn(before, key)
      ? unshared(
          (before as Record<string, unknown>)[key],
          (after as Record<string, unknown>)[key],
          `${path}/${key}`,
        )
      : [],
  );
}

/** What each piece of an answer makes `partialJson()` emit. */
const eachOf = (answer: readonly string[]): readonly (readonly unknown[])[] => {
  const emitted: unknown[][] = [];
  const source = from(answer).pipe(
    map((piece) => {
      emitted.push([]);
      return text(piece);
    }),
  );
  source.pipe(partialJson()).subscribe((value) => emitted.at(-1)!.push(deepFreeze(value)));
  return emitted;
};

describe('A partial value', () => {
  const partialOf = (prefix: string): unknown => {
    const start = startOfValue(prefix);
    return start === -1 ? undefined : JSON.parse(closedPrefix(prefix.slice(start)));
  };

  it('is what JSON.parse makes of the prefix, closed; emitted once where it has changed', () => {
    fc.assert(
      fc.property(pieces, (answer) => {
        let prefix = '';
        let last: unknown;
        for (const [index, values] of eachOf(answer).entries()) {
          prefix += answer[index]!;
          const expected = partialOf(prefix);
          const hasChanged = JSON.stringify(expected) !== JSON.stringify(last);
          expect(JSON.stringify(values)).toBe(JSON.stringify(hasChanged ? [expected] : []));
          last = values.at(-1) ?? last;
        }
        expect(last).toStrictEqual(JSON.parse(prefix));
      }),
      { numRuns: 100 },
    );
  });

  it('is what JSON.parse makes of every prefix, character by character', () => {
    fc.assert(
      fc.property(fc.oneof(json, odd), (answer) => {
        const characters = Array.from({ length: answer.length }, (_, at) => answer.charAt(at));
        let last: unknown;
        for (const [index, values] of eachOf(characters).entries()) {
          last = values.at(-1) ?? last;
          expect(JSON.stringify(last)).toBe(JSON.stringify(partialOf(answer.slice(0, index + 1))));
        }
        expect(last).toStrictEqual(JSON.parse(answer));
      }),
      { numRuns: 30 },
    );
  });

  it('is never changed afterwards, and shares what did not change', () => {
    fc.assert(
      fc.property(pieces, (answer) => {
        const snapshots = eachOf(answer).flat();
        for (const [index, after] of snapshots.entries())
          expect(index === 0 ? [] : unshared(snapshots[index - 1], after)).toEqual([]);
      }),
    );
  });
});

describe('The cost of partial values', () => {
  /** How many entries are in what a snapshot does not share with the one before: what was copied, or is new. */
  function copied(before: unknown, after: unknown): number {
    if (before === after || typeof after !== 'object' || after === null) return 0;
    const old = (typeof before === 'object' && before) || {};
    let count = 0;
    for (const [key, value] of Object.entries(after)) {
      count += 1;
      if (typeof value === 'object') count += copied((old as Record<string, unknown>)[key], value);
    }
    return count;
  }

  const inPieces = (answer: string, size = 4): Observable<ResponseEvent> =>
    from(
      Array.from({ length: Math.ceil(answer.length / size) }, (_, at) =>
        text(answer.slice(at * size, (at + 1) * size)),
      ),
    );

  function costOf(answer: string): {
    readonly entries: number;
    readonly snapshots: number;
    readonly last: unknown;
  } {
    let [entries, snapshots] = [0, 0];
    let last: unknown;
    inPieces(answer)
      .pipe(partialJson())
      .subscribe((value) => {
        // One of 64 is looked at, and stands for them: looking costs what copying does.
        entries += snapshots % 64 === 0 ? copied(last, value) * 64 : 0;
        snapshots += 1;
        last = value;
      });
    return { entries, snapshots, last };
  }

  const rows = (count: number): string =>
    JSON.stringify({
      rows: Array.from({ length: count }, (_, id) => ({ id, name: `City ${id}`, text: 'x'.repeat(60) })),
    });

  it('grows as the length does, from 1 kB to 1 MB', () => {
    const costs = [10, 100, 1_000, 10_000].map((count) => {
      const answer = rows(count);
      const { entries, last } = costOf(answer);
      expect(last).toEqual(JSON.parse(answer));
      return entries / (128 * answer.length + 4_194_304);
    });
    expect(Math.max(...costs)).toBeLessThan(2);
  });

  it('has a snapshot for each event of an answer of 100 kB', () => {
    const answer = JSON.stringify({ chapters: Array.from({ length: 40 }, () => 'x'.repeat(2_500)) });
    expect(costOf(answer).snapshots).toBeGreaterThan(answer.length / 4 - 100);
  });

  it.each([
    ['numbers', `[${'1,'.repeat(200_000)}1]`],
    ['keys', JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}`, at])))],
    ['one string', JSON.stringify(['x'.repeat(1_000_000)])],
    ['one number', `[${'1'.repeat(1_000_000)}]`],
    ['white space', `{${' '.repeat(1_000_000)}"a":1}`],
    ['prose', `${'It [is] {so}. '.repeat(70_000)}{"a":1}`],
    ['levels', `${'['.repeat(999)}${'1,'.repeat(200_000)}1${']'.repeat(999)}`],
  ])('is bounded by the length for %s, and the last snapshot is whole', (_, answer) => {
    const { entries, last } = costOf(answer);
    expect(entries).toBeLessThan(2 * (128 * answer.length + 4_194_304));
    expect(last).toEqual(JSON.parse(answer.slice(answer.search(/[[{](?![is])/))));
  });

  it.each([
    ['1 MB of opening brackets', '['.repeat(1_000_000)],
    ['1 MB of opening braces', '{"a":'.repeat(200_000)],
    ['more than a million values', `[${'1,'.repeat(1_000_001)}`],
  ])('has an end at %s', (_, answer) => {
    expect(failureOf(inPieces(answer, 1_000).pipe(partialJson()))).toMatchObject({ code: 'too_large' });
  });

  it('ends with what the source of a wide array gave before its error', () => {
    const answer = `[${'1,'.repeat(60_000)}`;
    const broken = concat(
      inPieces(answer),
      throwError(() => new StreamError()),
    );
    let last: unknown;
    broken.pipe(partialJson()).subscribe({ next: (value) => (last = value), error: () => undefined });
    expect(last).toHaveLength(60_000);
  });
});
