import { from, of, throwError } from 'rxjs';
import { decisionsOf, valuesOf } from '../../src/run/values-of.js';
import { received } from '../support/marbles.js';

function* counting() {
  yield 1;
  yield 2;
}

const allOf = (returned: unknown): Promise<readonly unknown[]> =>
  new Promise((resolve, reject) => {
    const values: unknown[] = [];
    valuesOf(returned).subscribe({
      next: (value) => values.push(value),
      error: reject,
      complete: () => resolve(values),
    });
  });

describe('valuesOf', () => {
  it.each<[string, unknown]>([
    ['an Observable', of(1, 2)],
    ['an Observable of another library', { '@@observable': () => of(1, 2) }],
    ['a generator', counting()],
    ['an iterator', [1, 2].values()],
  ])('gives the values of %s, synchronously', (_, returned) => {
    expect(received(valuesOf(returned))).toEqual([1, 2]);
  });

  it.each<[string, unknown, readonly unknown[]]>([
    ['a promise', Promise.resolve(1), [1]],
    ['a thenable', { then: (resolve: (value: number) => void) => resolve(1) }, [1]],
    [
      'an async generator',
      (async function* () {
        yield* counting();
      })(),
      [1, 2],
    ],
    [
      'a readable stream',
      new ReadableStream({
        start: (controller) => {
          controller.enqueue(1);
          controller.close();
        },
      }),
      [1],
    ],
  ])('gives the values of %s', async (_, returned, values) => {
    expect(await allOf(returned)).toEqual(values);
  });

  it.each([
    ['a text', 'text'],
    ['a list', [1, 2]],
    ['an empty list', []],
    ['a map', new Map([[1, 2]])],
    ['a set', new Set([1])],
    ['bytes', new Uint8Array(2)],
    ['an object with a field "then"', { then: 'now' }],
    ['null', null],
    ['nothing', undefined],
    ['a function', () => 1],
  ])('takes %s as one value', (_, returned) => {
    expect(received(valuesOf<unknown>(returned))).toEqual([returned]);
  });

  it('takes an object whose properties cannot be read as one value', () => {
    const guarded = {
      get then(): never {
        throw new Error('private');
      },
    };
    expect(received(valuesOf<unknown>(guarded))).toEqual([guarded]);
  });

  it('errors as its source does', async () => {
    const error = new RangeError('theirs');
    await expect(allOf(throwError(() => error))).rejects.toBe(error);
    await expect(allOf(Promise.reject(error))).rejects.toBe(error);
    await expect(allOf(from(Promise.reject(error)))).rejects.toBe(error);
  });
});

describe('decisionsOf', () => {
  it.each<[string, unknown]>([
    ['a list', [1, 2]],
    ['a set', new Set([1, 2])],
    ['an Observable', of(1, 2)],
  ])('gives the values of %s', (_, returned) => {
    expect(received(decisionsOf(returned))).toEqual([1, 2]);
  });

  it.each<[string, unknown]>([
    ['a text', 'stop'],
    ['an object', { approved: true }],
    ['nothing', undefined],
  ])('takes %s as one value', (_, returned) => {
    expect(received(decisionsOf<unknown>(returned))).toEqual([returned]);
  });
});
