import { entriesOf, isAfter, next, streamsOf } from '../../src/redis/stream-entries.js';

const stream = [['1-0', ['d', 'a', 'c', 'x']]];
const read = new Map([['key', [{ id: '1-0', fields: new Map(Object.entries({ d: 'a', c: 'x' })) }]]]);

describe('replies of Redis', () => {
  it.each([
    ['RESP2', [['key', stream]]],
    ['RESP3, as an object', { key: stream }],
    ['RESP3, as a map', new Map([['key', stream]])],
    ['RESP3, as a list', ['key', stream]],
    [
      'buffers',
      [[Buffer.from('key'), [[Buffer.from('1-0'), ['d', 'a', 'c', 'x'].map((word) => Buffer.from(word))]]]],
    ],
  ])('are read: XREAD in %s', (_, reply) => {
    expect(streamsOf(reply)).toEqual(read);
  });

  it('may say that there is nothing new', () => {
    expect(streamsOf(null)).toEqual(new Map());
    expect(entriesOf([])).toEqual([]);
  });

  it.each([['OK'], [7], [[['1-0']]], [[null]]])('are an error where they are none: %j', (reply) => {
    expect(() => entriesOf(reply)).toThrow('Redis refused');
  });
});

describe('ids of entries', () => {
  it('are compared as numbers', () => {
    expect(isAfter('10-0', '9-9')).toBe(true);
    expect(isAfter('1-10', '1-9')).toBe(true);
    expect(isAfter('1-9', '1-9')).toBe(false);
    expect(isAfter('1764334816000-1', '1764334816000-0')).toBe(true);
  });

  it('have one that is next', () => {
    expect(next('1-9')).toBe('1-10');
    expect(next('0-0')).toBe('0-1');
  });
});
