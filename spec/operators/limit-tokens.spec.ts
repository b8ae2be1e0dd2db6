import { EMPTY, of } from 'rxjs';
import { limitTokens } from '../../src/operators/limit-tokens.js';
import {
  toolCallEvents,
  refusalEvent,
  reasoningEvent,
  restartingEvent,
  tokenUsage,
} from '../../src/testing/turn-events.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';
import { runCompleted, toolEvents } from '../support/run-events.js';

const stopped = completed({ stopped: true });
const spent = (outputTokens: number) =>
  completed({ finishReason: 'stop', usage: tokenUsage({ outputTokens }) });
const values = { a: text('12345678'), b: text('1'), c: completed({ finishReason: 'stop' }), S: stopped };

/** What is left of the events of a turn. */
const limited = (max: number, ...events: readonly ResponseEvent[]) =>
  received(of(...events).pipe(limitTokens(max)));

describe('limitTokens', () => {
  it('stops the turn after the event that exceeds the limit', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-a-c|', values);
      expectObservable(source.pipe(limitTokens(4))).toBe('-a-b-(aS|)', values);
      expectSubscriptions(source.subscriptions).toBe('      ^----!');
    });
  });

  it('passes a turn that keeps to it', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-a-(c|)', values);
      expectObservable(source.pipe(limitTokens(4))).toBe('-a-a-(c|)', values);
      expectSubscriptions(source.subscriptions).toBe('      ^----!');
    });
  });

  it.each([
    ['ASCII', 'abcd', 1],
    ['letters of two bytes', 'äöüж', 2],
    ['letters of three bytes', '天地玄黄', 3],
    ['letters of four bytes', '😀😀', 2],
  ])('counts %s by their bytes', (_, said, tokens) => {
    expect(limited(tokens, text(said), values.c)).toEqual([text(said), values.c]);
    expect(limited(tokens - 0.25, text(said), values.c)).toEqual([text(said), stopped]);
  });

  it('counts reasoning, refusals and arguments', () => {
    const [delta, whole] = toolCallEvents({ name: 'f', arguments: '{"a":12}' });
    for (const event of [reasoningEvent('12345678'), refusalEvent('12345678'), delta!])
      expect(limited(1, event, values.c)).toEqual([event, stopped]);
    // They were counted as they were written.
    expect(limited(2, delta!, whole!, values.c)).toEqual([delta, whole, values.c]);
  });

  it('takes a tokenizer', () => {
    const words = (said: string) => said.split(' ').length;
    const turn = of(text('one two'), text('three'), values.c);
    expect(received(turn.pipe(limitTokens(2, words)))).toEqual([text('one two'), text('three'), stopped]);
  });

  it('takes the usage for the estimate, over all turns of a stream', () => {
    expect(limited(12, values.a, spent(10), values.a, spent(2))).toEqual([
      values.a,
      spent(10),
      values.a,
      spent(2),
    ]);
    expect(limited(11, values.a, spent(10), values.a, spent(2))).toEqual([
      values.a,
      spent(10),
      values.a,
      stopped,
    ]);
    // Usage that tells nothing of the answer is none.
    expect(limited(3, values.a, spent(0), values.a)).toEqual([values.a, spent(0), values.a, stopped]);
  });

  it('ends between two turns without a second completed', () => {
    expect(limited(9, values.a, spent(10), values.a)).toEqual([values.a, spent(10)]);
  });

  it('keeps counting what a restart has taken back', () => {
    const restart = restartingEvent();
    expect(limited(3, values.a, restart, values.a)).toEqual([values.a, restart, values.a, stopped]);
  });

  it('stops nothing in a source that ends without completed', () => {
    expect(limited(9, values.a)).toEqual([values.a]);
    expect(received(EMPTY.pipe(limitTokens(0)))).toEqual([]);
  });

  it.each([-1, NaN, '5'])('refuses %p', (max) => {
    expect(() => limitTokens(max as number)).toThrow(new TypeError('max must be a number of at least 0.'));
  });

  it('is a budget for all turns of a run, which it stops where it is exceeded', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const { started: x, finished: z } = toolEvents;
      const run = { ...values, s: spent(3), x, z, R: runCompleted };
      const inText = cold('-(asx)-z-b-a-(cR|)', run);
      expectObservable(inText.pipe(limitTokens(4))).toBe('-(asx)-z-b-(aS|)', run);
      expectSubscriptions(inText.subscriptions).toBe('    ^----------!');
      const atItsEnd = cold('-(asx)-z-b-(sxz|)', run);
      expectObservable(atItsEnd.pipe(limitTokens(5))).toBe('-(asx)-z-b-(sS|)', run);
      const kept = cold('-(asx)-z-b-(sR|)', run);
      expectObservable(kept.pipe(limitTokens(6))).toBe('-(asx)-z-b-(sR|)', run);
    });
  });
});
