import { map } from 'rxjs';
import { foldStates } from '../../src/flow/fold-states.js';
import { testScheduler } from '../support/marbles.js';

const sum = foldStates<number, { readonly sum: number; readonly end?: unknown }>({
  first: { sum: 0 },
  after: (state, added) => {
    if (added < 0) throw new RangeError('negative');
    return added === 0 ? state : { sum: state.sum + added };
  },
  ended: (state) => (state.sum >= 3 ? state : { ...state, end: 'early' }),
  failed: (state, error) => ({ ...state, end: error }),
});
const values = { a: 1, b: 2, n: 0, x: -1 };
const states = {
  0: { sum: 0 },
  1: { sum: 1 },
  3: { sum: 3 },
  e: { sum: 1, end: 'early' },
  E: { sum: 1, end: 'broken' },
  R: { sum: 1, end: new RangeError('negative') },
};

describe('foldStates', () => {
  it('emits the first state at once, then each that an event changes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('            --a-n-b-|', values);
      expectObservable(source.pipe(sum)).toBe('0-1---3-|', states);
      expectSubscriptions(source.subscriptions).toBe('^-------!');
    });
  });

  it('has a state of its own for a source that is complete before its state is', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('--a-|', values).pipe(sum)).toBe('0-1-(e|)', states);
    });
  });

  it('makes an error, of the source or of the fold, a state', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      expectObservable(cold('--a-#', values, 'broken').pipe(sum)).toBe('0-1-(E|)', states);
      const source = cold('            --a-x-b', values);
      expectObservable(source.pipe(sum)).toBe('0-1-(R|)', states);
      expectSubscriptions(source.subscriptions).toBe('^---!');
    });
  });

  it('leaves its source with its subscriber, and folds anew for each', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--a-b', values);
      const folded = source.pipe(
        sum,
        map((state) => state),
      );
      expectObservable(folded, '---!').toBe('0-1', states);
      expectObservable(folded, '-----^----!').toBe('-----0-1-3', states);
      expectSubscriptions(source.subscriptions).toBe(['^--!', '-----^----!']);
    });
  });
});
