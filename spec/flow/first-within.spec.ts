import { NEVER, of } from 'rxjs';
import { firstWithin } from '../../src/flow/first-within.js';
import { testScheduler } from '../support/marbles.js';

const late = new Error('late');

describe('firstWithin', () => {
  it('errors where the first value is late, and leaves the source', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                          -----------a|');
      const result = source.pipe(firstWithin(6, () => late, scheduler));
      expectObservable(result).toBe('                                ------#', undefined, late);
      expectSubscriptions(source.subscriptions).toBe('               ^-----!');
    });
  });

  it('lets what follows the first value take its time, and keeps no timer', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      expectObservable(cold('--a 10m b|').pipe(firstWithin(6, () => late, scheduler))).toBe('--a 10m b|');
      // Those of the marbles to come.
      scheduler.schedule(() => expect(scheduler.actions).toHaveLength(2), 3);
    });
  });

  it.each([Infinity, 3e9])('of %d does not fire at once', (milliseconds) => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      expectObservable(NEVER.pipe(firstWithin(milliseconds, () => late, scheduler)), '^ 60m !').toBe('-');
    });
  });

  it('sets no timer at Infinity, or for a value that comes at once', () => {
    const scheduler = testScheduler();
    NEVER.pipe(firstWithin(Infinity, () => late, scheduler)).subscribe();
    of(1)
      .pipe(firstWithin(6, () => late, scheduler))
      .subscribe();
    expect(scheduler.actions).toEqual([]);
  });
});
