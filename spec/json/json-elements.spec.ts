import fc from 'fast-check';
import { concat, from, of, take } from 'rxjs';
import { jsonElements } from '../../src/json/index.js';
import { StreamError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const whole = completed({ finishReason: 'stop' });
const restarting: ResponseEvent = { type: 'restarting', attempt: 1, delay: 0, error: new StreamError() };
const elementsOf = (path: string, answer: string): readonly unknown[] =>
  received(of(text(answer), whole).pipe(jsonElements(path)));

describe('jsonElements', () => {
  it('emits each element when it is closed, and completes with its source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const events = {
        a: text('{"rows":[{"id":1'),
        b: text('},{"id":'),
        c: text('2}'),
        d: text(']}'),
        z: whole,
      };
      const source = cold<ResponseEvent>('-a--b--c--d-(z|)', events);
      const expected = '                  ----1--2----(|)';
      expectObservable(source.pipe(jsonElements('rows'))).toBe(expected, { 1: { id: 1 }, 2: { id: 2 } });
      expectSubscriptions(source.subscriptions).toBe('^-----------!');
    });
  });

  it('unsubscribes from its source with its subscriber, in the middle of an event too', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a--b|', { a: text('[1,'), b: text('2]') });
      expectObservable(source.pipe(jsonElements('')), '---!').toBe('-1--', { 1: 1 });
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
    expect(received(of(text('[1,2,3]'), whole).pipe(jsonElements(''), take(2)))).toEqual([1, 2]);
  });

  it('goes on at restarting where nothing was given', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-r-b-(z|)', {
        a: text('[1'),
        r: restarting,
        b: text('[2]'),
        z: whole,
      });
      expectObservable(source.pipe(jsonElements(''))).toBe('-----2-(|)', { 2: 2 });
      expectSubscriptions(source.subscriptions).toBe('^------!');
    });
  });

  it('errors at restarting with its error where an element was given', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-r-b-(z|)', {
        a: text('[1,'),
        r: restarting,
        b: text('[2]'),
        z: whole,
      });
      expectObservable(source.pipe(jsonElements(''))).toBe('-1-#', { 1: 1 }, restarting.error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('forgets after completed what it gave', () => {
    const events = [text('[1]'), whole, restarting, text('[2]'), whole];
    expect(received(from(events).pipe(jsonElements('')))).toEqual([1, 2]);
  });

  it('passes the error of its source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const source = cold<ResponseEvent>('-a-#', { a: text('[1,2') }, error);
      expectObservable(source.pipe(jsonElements(''))).toBe('-1-#', { 1: 1 }, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it.each<[string, string, readonly unknown[]]>([
    ['', '[1,[2,3],{"a":[4]}]', [1, [2, 3], { a: [4] }]],
    ['a.b', '{"x":[0],"a":{"b":[1,{"b":[2]}],"c":[3]},"b":[4]}', [1, { b: [2] }]],
    ['a', '{"a":{"0":1}}', []],
    ['a', '{"b":[1]}', []],
    ['a', '[{"a":[1]}]', []],
    ['', '{"a":1}', []],
    ['a.b', '{"a":[{"b":[1]}]}', []],
    ['rows', '{"rows":[{"__proto__":{"x":1}}]}', [JSON.parse('{"__proto__":{"x":1}}')]],
    ['__proto__', '{"__proto__":[1]}', [1]],
    ['rows', 'Rows:\n```json\n{"rows":[1]}\n```', [1]],
  ])('of %j in %s', (path, answer, expected) => {
    expect(elementsOf(path, answer)).toStrictEqual(expected);
  });

  it('gives what JSON.parse does, however the text is cut', () => {
    const cut = fc.tuple(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 7 }));
    fc.assert(
      fc.property(cut, ([rows, size]) => {
        const answer = JSON.stringify({ before: rows, rows });
        const pieces = Array.from({ length: Math.ceil(answer.length / size) }, (_, at) =>
          text(answer.slice(at * size, (at + 1) * size)),
        );
        const elements = received(from([...pieces, whole]).pipe(jsonElements('rows')));
        expect({ before: elements, rows: elements }).toStrictEqual(JSON.parse(answer));
      }),
    );
  });

  it('errors at the end of a turn that was cut, after its elements; not of one that was stopped', () => {
    const cut = [text('[1,2'), completed({ finishReason: 'length' })];
    expect(failureOf(from(cut).pipe(jsonElements('')))).toMatchObject({ code: 'incomplete' });
    const stopped = [text('[1,2'), completed({ stopped: true })];
    expect(received(from(stopped).pipe(jsonElements('')))).toEqual([1]);
  });

  it('holds the element that is being written, and no other', () => {
    const rows = from(Array.from({ length: 20_000 }, (_, id) => text(`{"id":${id}},`)));
    let last: unknown;
    concat(of(text('{"rest":[')), rows, of(text('1],"rows":[')), rows, of(text('{}]}'), whole))
      .pipe(jsonElements('rows'))
      .subscribe((row) => (last = row));
    expect(last).toEqual({});
  });
});
