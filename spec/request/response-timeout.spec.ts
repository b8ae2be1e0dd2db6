import { range, take } from 'rxjs';
import { ResponseTimeoutError } from '../../src/turn/errors.js';
import { responseTimeout } from '../../src/request/response-timeout.js';
import { received, testScheduler } from '../support/marbles.js';

describe('responseTimeout', () => {
  it('errors where no answer came in time, and aborts', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-----------a|');
      const error = new ResponseTimeoutError(6);
      expectObservable(source.pipe(responseTimeout(6, scheduler))).toBe('------#', undefined, error);
      expectSubscriptions(source.subscriptions).toBe('                    ^-----!');
    });
  });

  it('counts until the first value only', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('---a 20ms b|');
      expectObservable(source.pipe(responseTimeout(6, scheduler))).toBe('---a 20ms b|');
      expectSubscriptions(source.subscriptions).toBe('                    ^--- 20ms -!');
    });
  });

  it("passes the source's error and completion on", () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      expectObservable(cold('--#').pipe(responseTimeout(6, scheduler))).toBe('--#');
      expectObservable(cold('--|').pipe(responseTimeout(6, scheduler))).toBe('--|');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-----a');
      expectObservable(source.pipe(responseTimeout(6, scheduler)), '^--!').toBe('----');
      expectSubscriptions(source.subscriptions).toBe('                      ^--!');
    });
  });

  it('has no limit where that is Infinity', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const days30 = '^ 43200m !';
      expectObservable(cold('-').pipe(responseTimeout(Infinity, scheduler)), days30).toBe('-');
    });
  });

  it('waits as long as a timer can where the limit is longer', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const error = new ResponseTimeoutError(3e9);
      const result = cold('-').pipe(responseTimeout(3e9, scheduler));
      expectObservable(result).toBe('2147483647ms #', undefined, error);
    });
  });

  it('stops an endless synchronous source', () => {
    expect(received(range(0, Infinity).pipe(responseTimeout(6, testScheduler()), take(1)))).toEqual([0]);
  });
});
