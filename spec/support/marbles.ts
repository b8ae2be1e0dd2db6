import type { Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';

/** A scheduler of virtual time whose marbles Jest compares, so that a failure prints the difference. */
export function testScheduler(): TestScheduler {
  return new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  });
}

/** What a source that emits synchronously has emitted by the time `subscribe` returns. */
export function received<T>(source: Observable<T>): readonly T[] {
  const values: T[] = [];
  source.subscribe((value) => values.push(value)).unsubscribe();
  return values;
}

/** The error that a source fails with by the time `subscribe` returns. */
export function failureOf(source: Observable<unknown>): unknown {
  let failure: unknown = 'it did not fail';
  source.subscribe({ error: (error: unknown) => (failure = error) }).unsubscribe();
  return failure;
}
