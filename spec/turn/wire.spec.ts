import { isIndex, isRecord, own, requestIdOf, stringOf, writeJson } from '../../src/turn/wire.js';

describe('isRecord()', () => {
  it.each([[{}], [{ a: 1 }], [Object.create(null)]])('is true for the object %j', (value) => {
    expect(isRecord(value)).toBe(true);
  });

  it.each([null, undefined, [], [{}], 'x', '', 0, 1, true, Symbol.iterator, () => ({})])(
    'is false for %p',
    (value) => {
      expect(isRecord(value)).toBe(false);
    },
  );
});

describe('own()', () => {
  it('gives an own property, whatever it is', () => {
    expect(own({ a: 1 }, 'a')).toBe(1);
    expect(own({ a: null }, 'a')).toBeNull();
    expect(own({ hasOwnProperty: 2 }, 'hasOwnProperty')).toBe(2);
  });

  it('gives undefined for a property that is missing or inherited', () => {
    expect(own({}, 'a')).toBeUndefined();
    expect(own({}, 'toString')).toBeUndefined();
    expect(own({}, '__proto__')).toBeUndefined();
    expect(own(Object.create({ a: 1 }) as Record<string, unknown>, 'a')).toBeUndefined();
  });

  it('gives a __proto__ that came in JSON', () => {
    expect(own(JSON.parse('{"__proto__":1}') as Record<string, unknown>, '__proto__')).toBe(1);
  });

  it('reads an object that has no prototype', () => {
    const bare = Object.create(null) as Record<string, unknown>;
    bare['a'] = 1;
    expect(own(bare, 'a')).toBe(1);
  });
});

describe('stringOf()', () => {
  it('gives a string', () => {
    expect(stringOf('x')).toBe('x');
  });

  it.each([undefined, null, 1, true, {}, ['x'], new String('x')])('gives nothing for %p', (value) => {
    expect(stringOf(value)).toBe('');
  });
});

describe('isIndex()', () => {
  it.each([0, 1, 127, Number.MAX_SAFE_INTEGER, 1e300])('is true for %d', (value) => {
    expect(isIndex(value)).toBe(true);
  });

  it.each([-1, 0.5, NaN, Infinity, '1', null, undefined, [], {}])('is false for %p', (value) => {
    expect(isIndex(value)).toBe(false);
  });
});

describe('writeJson()', () => {
  it('writes what can be written', () => {
    expect(writeJson({ a: [1, null] })).toBe('{"a":[1,null]}');
  });

  it('gives undefined for what is nested too deep, and for nothing', () => {
    const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
    expect(writeJson(deep)).toBeUndefined();
    expect(writeJson(undefined)).toBeUndefined();
  });
});

describe('requestIdOf()', () => {
  const idOf = (headers: Record<string, string>) =>
    requestIdOf({ get: (name) => new Headers(headers).get(name) });

  it.each(['x-request-id', 'request-id', 'apim-request-id'])('takes it from %s', (name) => {
    expect(idOf({ [name]: 'req_01:a.b-C' })).toBe('req_01:a.b-C');
  });

  it('takes the first of those names that is there', () => {
    expect(idOf({ 'apim-request-id': 'c', 'request-id': 'b', 'x-request-id': 'a' })).toBe('a');
    expect(idOf({ 'apim-request-id': 'c', 'request-id': 'b' })).toBe('b');
  });

  it('gives undefined where there is none', () => {
    expect(idOf({ 'content-type': 'text/plain' })).toBeUndefined();
  });

  it.each(['', 'two words', '<script>', 'a,b', 'x'.repeat(129)])(
    'gives undefined for what is no identifier: "%s"',
    (id) => {
      expect(idOf({ 'x-request-id': id })).toBeUndefined();
    },
  );

  it('takes one of 128 characters', () => {
    expect(idOf({ 'x-request-id': 'x'.repeat(128) })).toBe('x'.repeat(128));
  });
});
