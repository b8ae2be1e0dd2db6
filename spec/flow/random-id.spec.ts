import { randomId } from '../../src/flow/random-id.js';

describe('randomId()', () => {
  it('is 128 bits in hexadecimal, another each time', () => {
    const ids = Array.from({ length: 1_000 }, randomId);
    for (const id of ids) expect(id).toMatch(/^[\da-f]{32}$/);
    expect(new Set(ids).size).toBe(1_000);
  });

  it('needs no secure context', () => {
    const original = Object.getOwnPropertyDescriptor(Crypto.prototype, 'randomUUID');
    Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
    try {
      expect(randomId()).toHaveLength(32);
    } finally {
      Reflect.deleteProperty(crypto, 'randomUUID');
    }
    expect(Object.getOwnPropertyDescriptor(Crypto.prototype, 'randomUUID')).toEqual(original);
  });
});
