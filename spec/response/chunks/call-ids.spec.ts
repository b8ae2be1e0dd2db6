import { callIds } from '../../../src/response/chunks/call-ids.js';

const made = (count: number, random?: () => number): readonly string[] => {
  const makeId = callIds(random);
  return Array.from({ length: count }, makeId);
};

describe('callIds', () => {
  it('makes ids of nine letters and digits, as Mistral wants them', () => {
    for (const id of made(1_000)) expect(id).toMatch(/^[a-z0-9]{9}$/);
  });

  it('makes other ids for each answer', () => {
    const ids = Array.from({ length: 1_000 }, () => made(1)).flat();
    expect(new Set(ids).size).toBe(1_000);
  });

  it.each<[string, () => number, readonly string[]]>([
    ['0', () => 0, ['000000000', '000000001', '000000002']],
    ['a half', () => 0.5, ['i00000000', 'i00000001', 'i00000002']],
    ['nearly 1', () => 1 - 2 ** -53, ['zzzzzzzzz', '000000000', '000000001']],
    ['1, which Math.random never gives', () => 1, ['000000000', '000000001', '000000002']],
    ['a negative number', () => -0.5, ['i00000000', 'i00000001', 'i00000002']],
    ['no number', () => NaN, ['000000000', '000000001', '000000002']],
    ['infinity', () => Infinity, ['000000000', '000000001', '000000002']],
  ])('makes each id once, from a random that always gives %s', (_, random, ids) => {
    expect(made(3, random)).toEqual(ids);
  });
});
