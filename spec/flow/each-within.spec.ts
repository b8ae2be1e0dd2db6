import { NEVER } from 'rxjs';
import { eachWithin } from '../../src/flow/each-within.js';
import { testScheduler } from '../support/marbles.js';

const silent = new Error('silent');

describe('eachWithin', () => {
  it('errors where the source is silent, counted anew from each value, and leaves it', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                         --a--b-----------c--');
      const result = source.pipe(eachWithin(6, () => silent, scheduler));
      expectObservable(result).toBe('                               --a--b-----#', undefined, silent);
      expectSubscriptions(source.subscriptions).toBe('              ^----------!');
    });
  });

  it.each([Infinity, 3e9])('of %d does not fire at once', (milliseconds) => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      expectObservable(NEVER.pipe(eachWithin(milliseconds, () => silent, scheduler)), '^ 60m !').toBe('-');
    });
  });

  it('sets no timer at Infinity, one otherwise, and leaves none behind', () => {
    const scheduler = testScheduler();
    NEVER.pipe(eachWithin(Infinity, () => silent, scheduler)).subscribe();
    expect(scheduler.actions).toHaveLength(0);
    const subscription = NEVER.pipe(eachWithin(6, () => silent, scheduler)).subscribe();
    expect(scheduler.actions).toHaveLength(1);
    subscription.unsubscribe();
    expect(scheduler.actions).toHaveLength(0);
  });
});
