import { accumulateRun } from '../../src/run/accumulate-run.js';
import { emptyRun, reduceRun, type Run } from '../../src/run/run.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { ended } from '../support/runs.js';

const events = { a: text("It's"), b: text(' 72.'), c: completed(), d: ended({}) };
const runs: Record<string, Run> = { e: emptyRun };
runs['a'] = reduceRun(emptyRun, events.a);
runs['b'] = reduceRun(runs['a'], events.b);
runs['c'] = reduceRun(runs['b'], events.c);
runs['d'] = reduceRun(runs['c'], events.d);

describe('accumulateRun', () => {
  it('gives an empty run at once and a snapshot for each event', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<RunEvent>('            ---a--b--(cd|)', events);
      expectObservable(source.pipe(accumulateRun())).toBe('e--a--b--(cd|)', runs);
      expectSubscriptions(source.subscriptions).toBe('   ^--------!');
    });
  });

  it('passes an error after what there was, and leaves the run with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const failing = cold<RunEvent>('           --a-#', events);
      expectObservable(failing.pipe(accumulateRun())).toBe('e-a-#', runs);
      const open = cold<RunEvent>('              --a----b', events);
      expectObservable(open.pipe(accumulateRun()), '----!').toBe('e-a', runs);
      expectSubscriptions(open.subscriptions).toBe('     ^---!');
    });
  });
});
