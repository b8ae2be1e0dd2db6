import { from, map, range, take } from 'rxjs';
import { StreamError, TransportError } from '../../src/turn/errors.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { textDeltas } from '../../src/operators/text-deltas.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';
import { inputAdded, runCompleted, toolEvents } from '../support/run-events.js';

const broken = new StreamError();
const values: Record<string, RunEvent> = {
  a: text('Hel'),
  b: text('lo'),
  c: completed(),
  r: { type: 'retrying', attempt: 1, delay: 200, error: new TransportError() },
  u: { type: 'output_item_done', item: userMessage('asked') },
  t: {
    type: 'output_item_done',
    item: { type: 'reasoning', content: [{ type: 'reasoning_text', text: 'never' }] },
  },
  f: {
    type: 'output_item_done',
    item: { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'never' }] },
  },
  p: { type: 'function_call_arguments_delta', callId: 'a', name: 'f', index: 0, delta: 'never' },
  o: {
    type: 'output_item_done',
    item: { type: 'function_call', call_id: 'a', name: 'f', arguments: 'never' },
  },
  k: { type: 'chunk', chunk: { choices: [{ delta: { content: 'never' } }] } },
  s: restartingEvent({ error: broken }),
  q: toolEvents.requested,
  x: toolEvents.started,
  y: toolEvents.progress,
  z: toolEvents.finished,
  i: inputAdded,
  R: runCompleted,
};
const texts = { a: 'Hel', b: 'lo' };

describe('textDeltas', () => {
  it('gives the text of the assistant as it comes, and nothing else', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-r-u-a-b-(c|)', values);
      expectObservable(source.pipe(textDeltas())).toBe('-----a-b-|', texts);
      expectSubscriptions(source.subscriptions).toBe('  ^--------!');
    });
  });

  it('passes an error on', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-#', values, 'broken').pipe(textDeltas())).toBe('-a-#', texts, 'broken');
    });
  });

  it('errors at restarting where text was given, with what the attempt failed with', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-s-b-(c|)', values);
      expectObservable(source.pipe(textDeltas())).toBe('-a-#', texts, broken);
      expectSubscriptions(source.subscriptions).toBe('  ^--!');
      const second = cold('-a-c-b-s-a', values);
      expectObservable(second.pipe(textDeltas())).toBe('-a---b-#', texts, broken);
      expectSubscriptions(second.subscriptions).toBe('  ^------!');
    });
  });

  it('goes on at restarting where no text was given of that turn', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-k-t-f-p-s-s-a-(c|)', values);
      expectObservable(source.pipe(textDeltas())).toBe('-------------a-|', texts);
      expectSubscriptions(source.subscriptions).toBe('  ^--------------!');
      const second = cold('-a-c-t-s-b-(c|)', values);
      expectObservable(second.pipe(textDeltas())).toBe('-a-------b-|', texts);
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b', values);
      expectObservable(source.pipe(textDeltas()), '^-!').toBe('-a-', texts);
      expectSubscriptions(source.subscriptions).toBe('        ^-!');
    });
  });

  it('stops an endless synchronous source', () => {
    const deltas = range(0, Infinity).pipe(map((n) => text(String(n))));
    expect(received(deltas.pipe(textDeltas(), take(2)))).toEqual(['0', '1']);
  });

  it('gives the text of choice 0 alone', () => {
    const choices = [text('a'), { ...text('b'), choice: 1 }, { ...text('c'), choice: 0 }, text('d')];
    expect(received(from(choices).pipe(textDeltas()))).toEqual(['a', 'c', 'd']);
  });

  it('gives no reasoning, refusal, call or chunk', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-k-t-a-f-p-o-b-(c|)', values).pipe(textDeltas())).toBe(
        '-----a-------b-|',
        texts,
      );
    });
  });

  it('gives the text of all turns of a run', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-a-o-(cqx)-y-z-i-b-(cR|)', values);
      expectObservable(source.pipe(textDeltas())).toBe('-a---------------b-|', texts);
    });
  });

  it("errors at a run's restarting where text was given of that turn, and goes on where none was", () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-c-x-z-s-b-s', values);
      expectObservable(source.pipe(textDeltas())).toBe('-a---------b-#', texts, broken);
      expectSubscriptions(source.subscriptions).toBe('  ^------------!');
    });
  });
});
