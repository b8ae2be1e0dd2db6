import { from, map, of, range, take } from 'rxjs';
import type { ResponseEvent } from '../../src/events.js';
import { accumulate } from '../../src/operators/accumulate.js';
import { emptyTurn, type Turn } from '../../src/turn.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const values = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ responseId: 'r1', model: 'm', finishReason: 'stop' }),
};

const turns: Record<string, Turn> = {
  e: emptyTurn,
  H: { ...emptyTurn, status: 'streaming', text: 'Hel' },
  L: { ...emptyTurn, status: 'streaming', text: 'Hello' },
  C: {
    ...emptyTurn,
    status: 'completed',
    text: 'Hello',
    responseId: 'r1',
    model: 'm',
    finishReason: 'stop',
  },
  B: { ...emptyTurn, status: 'streaming', text: 'lo' },
};

describe('accumulate', () => {
  it('gives an empty turn at once and a snapshot for each event', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(accumulate())).toBe('eH-L-(C|)', turns);
      expectSubscriptions(source.subscriptions).toBe('  ^----!');
    });
  });

  it('begins a new turn with the event after completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-a-b-c-b-|', values).pipe(accumulate())).toBe(
        'eH-L-C-B-|',
        turns,
      );
    });
  });

  it('passes an error on at once, after the snapshots before it', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', values, 'broken');
      expectObservable(source.pipe(accumulate())).toBe('eH-#', turns, 'broken');
      expectSubscriptions(source.subscriptions).toBe('  ^--!');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      expectObservable(source.pipe(accumulate()), '^-!').toBe('eH-', turns);
      expectSubscriptions(source.subscriptions).toBe('        ^-!');
    });
  });

  it('never subscribes where the empty turn was enough', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      expectObservable(source.pipe(accumulate(), take(1))).toBe('(e|)', turns);
      expectSubscriptions(source.subscriptions).toBe([]);
    });
  });

  it('leaves the text of earlier snapshots as it was', () => {
    const words = ['Why ', 'is ', 'the ', 'sky ', 'blue?'];
    const snapshots = received(from(words).pipe(map(text), accumulate()));
    expect(snapshots.map(({ text }) => text)).toEqual([
      '',
      'Why ',
      'Why is ',
      'Why is the ',
      'Why is the sky ',
      'Why is the sky blue?',
    ]);
  });

  it('folds each subscription from the start', () => {
    const snapshots = of<ResponseEvent[]>(text('Hel')).pipe(accumulate());
    expect(received(snapshots)).toEqual([turns['e'], turns['H']]);
    expect(received(snapshots)).toEqual([turns['e'], turns['H']]);
  });

  it('stops an endless synchronous source', () => {
    const deltas = range(0, Infinity).pipe(map(() => text('x')));
    expect(received(deltas.pipe(accumulate(), take(3))).map(({ text }) => text)).toEqual(['', 'x', 'xx']);
  });
});
