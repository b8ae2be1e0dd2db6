import type { Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { observableMatcher } from '../../src/testing/index.js';

/** A scheduler of virtual time that draws what came under what was expected where they differ. */
export const testScheduler = (): TestScheduler => new TestScheduler(observableMatcher);

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
