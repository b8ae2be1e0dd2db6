import fc from 'fast-check';
import { backoff } from '../../src/flow/backoff.js';

describe('backoff', () => {
  it.each([
    [1, 200],
    [2, 400],
    [3, 800],
    [4, 1_600],
    [9, 51_200],
    [10, 60_000],
    [5_000, 60_000],
  ])('after attempt %i is %i ms without jitter', (attempt, delay) => {
    expect(backoff(attempt, { jitter: 0 })).toBe(delay);
  });

  it.each([
    [{ initialDelay: 50, factor: 3 }, 450],
    [{ factor: 1 }, 200],
    [{ maxDelay: 500 }, 500],
    [{ maxDelay: 0 }, 0],
    [{ initialDelay: 0 }, 0],
  ])('after attempt 3 obeys %j', (options, delay) => {
    expect(backoff(3, { jitter: 0, ...options })).toBe(delay);
  });

  it.each([
    [0, 180],
    [0.25, 190],
    [0.5, 200],
    [1, 220],
  ])('strays by 10 %% at most: random %d gives %i ms', (random, delay) => {
    expect(backoff(1, { random: () => random })).toBe(delay);
  });

  it('draws its jitter from Math.random', () => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(0);
    expect(backoff(1)).toBe(180);
    random.mockReturnValue(1);
    expect(backoff(1)).toBe(220);
    random.mockRestore();
  });

  it('is 0 after any attempt where the first wait is 0', () => {
    expect(backoff(5_000, { initialDelay: 0 })).toBe(0);
  });

  it.each([
    ['is a number still where the longest wait is Infinity', { jitter: 0 }, Number.MAX_SAFE_INTEGER],
    ['is 0 at the least', { jitter: 1, random: () => 0 }, 0],
  ])('%s', (_, options, expected) => {
    expect(backoff(5_000, { maxDelay: Infinity, ...options })).toBe(expected);
  });

  it('is a whole number of milliseconds within its jitter and below its limit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 100_000 }),
        (attempt, jitter, random, maxDelay) => {
          const exact = Math.min(200 * 2 ** (attempt - 1), maxDelay);
          const delay = backoff(attempt, { jitter, random: () => random, maxDelay });
          expect(Number.isInteger(delay)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(Math.round(exact * (1 - jitter)));
          expect(delay).toBeLessThanOrEqual(Math.min(Math.round(exact * (1 + jitter)), maxDelay));
        },
      ),
    );
  });
});
