import fc from 'fast-check';
import { StreamError } from '../../src/turn/errors.js';
import { checkValues, countValues, defaultMaxEventValues, stringEnd } from '../../src/turn/json-values.js';
import { parseJson } from '../../src/turn/wire.js';
import { parsedBy } from '../support/parsed.js';

/** Lists and objects, the values in them that others follow, and the keys. */
function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside = Object.values(value);
  const keys = Array.isArray(value) ? 0 : inside.length;
  return inside.reduce<number>((sum, each) => sum + valuesIn(each), Math.max(1, inside.length) + keys);
}

describe('countValues()', () => {
  it.each([
    ['7', 0],
    ['{}', 1],
    ['[1,2]', 2],
    ['{"a":1,"b":[]}', 5],
    ['",[{:"', 0],
    ['["\\",{",1]', 2],
    ['["\\\\",{}]', 3],
    ['[[[[', 4],
    ['["x,,,', 1],
  ])('of %s is %i', (text, expected) => {
    expect(countValues(text, Infinity)).toBe(expected);
  });

  it('counts the brackets, commas and colons of any JSON, however it is written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        expect(countValues(JSON.stringify(value, null, indent), Infinity)).toBe(valuesIn(value));
      }),
    );
  });

  it('stops beyond what is asked about', () => {
    expect(countValues('[[[[[[', 3)).toBe(4);
  });
});

describe('checkValues()', () => {
  it.each([undefined, 1_000])('passes texts that hold as many values as the limit: %p', (limit) => {
    const most = limit ?? defaultMaxEventValues;
    const text = `[${'0,'.repeat(most - 1)}0]`;
    expect(() => checkValues(text, limit)).not.toThrow();
    expect(() => checkValues(`[0,${text.slice(1)}`, limit)).toThrow(
      new StreamError({
        message: `An event or a JSON response contains more than ${most} values (maxEventValues).`,
      }),
    );
  });

  it('is asked before anything is parsed', () => {
    expect(parsedBy(() => expect(() => parseJson('[[],[]]', 2)).toThrow(StreamError)).calls).toBe(0);
    expect(parseJson('[[],[]]', 4)).toEqual([[], []]);
    expect(parseJson('[[],[]]', Infinity)).toEqual([[], []]);
  });

  it('does not look at texts that are too short to hold too many', () => {
    const charCodeAt = jest.spyOn(String.prototype, 'charCodeAt');
    checkValues('[[[[[[[[[[', 10);
    expect(charCodeAt).not.toHaveBeenCalled();
    checkValues('[[[[[[[[[ ', 9);
    expect(charCodeAt).toHaveBeenCalled();
    charCodeAt.mockRestore();
  });
});

describe('stringEnd()', () => {
  it.each([
    ['"a"', 0, 3],
    ['["a\\"b"]', 1, 7],
    ['"a', 0, -1],
    ['"a\\"', 0, -1],
    ['a"b"', 0, -1],
    ['"a"', 3, -1],
  ])('in %s from %i is %i', (text, start, expected) => {
    expect(stringEnd(text, start)).toBe(expected);
  });
});
