import { range, take } from 'rxjs';
import { IdleTimeoutError } from '../../src/errors.js';
import { idleTimeout } from '../../src/response/idle-timeout.js';
import { received, testScheduler } from '../support/marbles.js';

describe('idleTimeout', () => {
  it('errors where the source falls silent, and ends it', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--a--b-----------c--');
      const error = new IdleTimeoutError(6);
      expectObservable(source.pipe(idleTimeout(6))).toBe('--a--b-----#', undefined, error);
      expectSubscriptions(source.subscriptions).toBe('    ^----------!');
    });
  });

  it('counts from the subscription until the first value', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-------a');
      const error = new IdleTimeoutError(6);
      expectObservable(source.pipe(idleTimeout(6)), '--^').toBe('--------#', undefined, error);
      expectSubscriptions(source.subscriptions).toBe('          --^-----!');
    });
  });

  it('passes on a source that is never silent for so long', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-----a-----b-----|');
      expectObservable(source.pipe(idleTimeout(6))).toBe('-----a-----b-----|');
      expectSubscriptions(source.subscriptions).toBe('    ^----------------!');
    });
  });

  it('waits five minutes from each value', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new IdleTimeoutError(300_000);
      const source = cold('                                a 299999ms b 300s c');
      expectObservable(source.pipe(idleTimeout(300_000))).toBe('a 299999ms b 299999ms #', undefined, error);
    });
  });

  it("passes the source's error on", () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('--a--#').pipe(idleTimeout(6))).toBe('--a--#');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--a---');
      expectObservable(source.pipe(idleTimeout(6)), '^---!').toBe('--a--');
      expectSubscriptions(source.subscriptions).toBe('      ^---!');
    });
  });

  it('has no limit where that is Infinity', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const days30 = '^ 43200m !';
      expectObservable(cold('-').pipe(idleTimeout(Infinity)), days30).toBe('-');
    });
  });

  it('waits as long as a timer can where the limit is longer', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new IdleTimeoutError(2 ** 31);
      const result = cold('-').pipe(idleTimeout(2 ** 31));
      expectObservable(result).toBe('2147483647ms #', undefined, error);
    });
  });

  it('counts on the given scheduler', () => {
    const scheduler = testScheduler();
    const schedule = jest.spyOn(scheduler, 'schedule');
    range(0, 1).pipe(idleTimeout(6, scheduler)).subscribe();
    expect(schedule.mock.calls.map(([, delay]) => delay)).toContain(6);
  });

  it('leaves no timer behind', () => {
    jest.useFakeTimers();
    try {
      expect(received(range(0, 3).pipe(idleTimeout(6)))).toEqual([0, 1, 2]);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('stops an endless synchronous source', () => {
    expect(received(range(0, Infinity).pipe(idleTimeout(6, testScheduler()), take(2)))).toEqual([0, 1]);
  });
});
