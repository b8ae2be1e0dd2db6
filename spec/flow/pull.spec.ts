import { range } from 'rxjs';
import { pull } from '../../src/flow/pull.js';

describe('pull', () => {
  it('moves the values that wait a constant number of times each, however many wait', async () => {
    const count = 200_000;
    const moved = { splice: 0, shift: 0 };
    for (const name of ['splice', 'shift'] as const) {
      const { [name]: original } = Array.prototype as unknown as Record<
        string,
        (...args: unknown[]) => unknown
      >;
      jest.spyOn(Array.prototype, name).mockImplementation(function (this: unknown[], ...args: unknown[]) {
        moved[name] += this.length;
        return original?.apply(this, args) as never;
      });
    }
    try {
      const values = pull(range(0, count), {});
      let sum = 0;
      for (let at = 0; at < count; at += 1) sum += (await values.next()).value ?? 0;
      expect(sum).toBe((count * (count - 1)) / 2);
      expect((await values.next()).done).toBe(true);
    } finally {
      jest.restoreAllMocks();
    }
    expect(moved.splice + moved.shift).toBeLessThan(4 * count);
  });
});
