import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { firstDifference } from '../../src/testing/first-difference.js';

function isEqualToNode(actual: unknown, expected: unknown): boolean {
  try {
    deepStrictEqual(actual, expected);
    return true;
  } catch {
    return false;
  }
}

class Point {
  constructor(readonly x: unknown) {}
}

/** Few values of many kinds, so that two of them are often alike. */
const leaf = fc.constantFrom<unknown>(0, -0, NaN, 1, '1', '', true, null, undefined, 1n);
const { value } = fc.letrec<{ value: unknown }>((tie) => {
  const inner = tie('value');
  const list = fc.array(inner, { maxLength: 2 });
  const key = fc.constantFrom('a', 'b', '0', 'length');
  return {
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      list,
      fc.dictionary(key, inner, { maxKeys: 2 }),
      list.map((values) => new Set(values)),
      fc.array(fc.tuple(inner, inner), { maxLength: 2 }).map((entries) => new Map(entries)),
      inner.map((x) => new Point(x)),
      inner.map((x) => Object.assign(Object.create(null) as object, { x })),
      inner.map((x) => ({ [Symbol.for('key')]: x })),
      fc.tuple(fc.constantFrom('m', 'n'), inner).map(([text, x]) => Object.assign(new Error(text), { x })),
      fc.constantFrom('m', 'n').map((text) => new TypeError(text)),
      fc.constantFrom(0, 1).map((time) => new Date(time)),
      fc.constantFrom('g', 'i').map((flags) => new RegExp('a', flags)),
      fc.array(fc.constantFrom(0, -0, 1), { maxLength: 2 }).map((values) => new Float64Array(values)),
      fc.array(fc.constantFrom(0, 1), { maxLength: 2 }).map((values) => Uint8Array.from(values)),
      fc.array(fc.constantFrom(0, 1), { maxLength: 2 }).map((values) => Uint8Array.from(values).buffer),
      leaf.map((x) => Object(x) as object),
      fc.constantFrom([], new Array(1), [undefined]),
    ),
  };
});

describe('firstDifference()', () => {
  it("finds none exactly where Node's deepStrictEqual finds none", () => {
    fc.assert(
      fc.property(value, value, (actual, expected) => {
        expect(firstDifference(actual, expected) === undefined).toBe(isEqualToNode(actual, expected));
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds none between a value and its like', () => {
    fc.assert(
      fc.property(fc.clone(value, 2), ([actual, expected]) => {
        expect(firstDifference(actual, expected)).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it('compares cycles', () => {
    const cycle = (end: unknown) => {
      const list: unknown[] = [end];
      list.push(list);
      return list;
    };
    expect(firstDifference(cycle(1), cycle(1))).toBeUndefined();
    expect(firstDifference(cycle(1), cycle(2))).toEqual({ path: '[0]', actual: 1, expected: 2 });
    const once: unknown[] = [];
    once.push([once]);
    const self: unknown[] = [];
    self.push(self);
    expect(firstDifference(once, self)).toBeDefined();
  });

  it.each<[string, unknown, unknown]>([
    ['functions', () => 1, () => 1],
    ['promises', Promise.resolve(1), Promise.resolve(1)],
    ['weak maps', new WeakMap(), new WeakMap()],
    ['URLs', new URL('http://a.test'), new URL('http://b.test')],
    ['iterators', [1].values(), [1].values()],
    ['causes of errors', new Error('m', { cause: 1 }), new Error('m', { cause: 2 })],
    ['an error that has no cause', new Error('m'), new Error('m', { cause: undefined })],
    ['errors of an aggregate', new AggregateError([1]), new AggregateError([2])],
    ['the prototype of a map and a map', Object.create(Map.prototype), new Map()],
  ])('finds one between %s', (_, actual, expected) => {
    expect(firstDifference(actual, expected)).toBeDefined();
  });

  it.each<[string, unknown, unknown]>([
    ['.a["b c"][1]', { a: { 'b c': [1, 2] } }, { a: { 'b c': [1, 3] } }],
    ['.get(k).x', new Map([['k', { x: 1 }]]), new Map([['k', { x: 2 }]])],
    ['[Symbol(s)]', { [Symbol.for('s')]: 1 }, { [Symbol.for('s')]: 2 }],
    ['.length', [1], [1, 2]],
    ['.message', new Error('m'), new Error('n')],
    ['', 1, 2],
  ])('says where: %s', (path, actual, expected) => {
    expect(firstDifference(actual, expected)?.path).toBe(path);
  });
});
