import type { Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { CompletedEvent, OutputItemDoneEvent } from '../../src/events.js';
import { assistantMessage } from '../../src/prompt/prompt.js';

/** A scheduler of virtual time whose marbles Jest compares, so that a failure prints the difference. */
export function testScheduler(): TestScheduler {
  return new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  });
}

export function textDelta(text: string): OutputItemDoneEvent {
  return { type: 'output_item_done', item: assistantMessage(text) };
}

export function completed(told: Partial<CompletedEvent> = {}): CompletedEvent {
  return { type: 'completed', responseId: 'r1', finishReason: 'stop', usage: null, ...told };
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
