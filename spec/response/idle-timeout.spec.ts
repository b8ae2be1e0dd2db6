import { NEVER, range, type SchedulerLike, Subject, take } from 'rxjs';
import { IdleTimeoutError } from '../../src/turn/errors.js';
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

  it('counts from a value that comes at once', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a');
      expectObservable(source.pipe(idleTimeout(6))).toBe('a-----#', undefined, new IdleTimeoutError(6));
      expectSubscriptions(source.subscriptions).toBe('    ^-----!');
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

  it('asks no clock where the limit is Infinity', () => {
    const [now, schedule] = [jest.fn(() => 0), jest.fn()];
    expect(received(range(0, 3).pipe(idleTimeout(Infinity, { now, schedule })))).toEqual([0, 1, 2]);
    expect(now).not.toHaveBeenCalled();
    expect(schedule).not.toHaveBeenCalled();
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
    NEVER.pipe(idleTimeout(6, scheduler)).subscribe();
    expect(schedule.mock.calls.map(([, delay]) => delay)).toContain(6);
  });

  it('sets a timer for what is left of its limit, not one for each value', () => {
    const scheduler = testScheduler();
    // Its time, and nothing else that it schedules.
    const clock = Object.create(scheduler) as SchedulerLike;
    const schedule = jest.spyOn(clock, 'schedule');
    scheduler.run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-b-c-d-e-f-|').pipe(idleTimeout(6, clock))).toBe('-a-b-c-d-e-f-|');
    });
    // At 0, at 6 since c came at 5, at 11 since f came at 11.
    expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([6, 5, 6]);
  });

  describe('with a clock that is set while it waits', () => {
    beforeEach(() => jest.useFakeTimers());
    afterEach(() => jest.useRealTimers());

    it.each([
      ['forward, after a value', 3_600_000, 150],
      ['back, after a value', -3_600_000, 150],
    ])('%s: counts what has passed', (_, step, end) => {
      const source = new Subject<string>();
      const error = jest.fn();
      source.pipe(idleTimeout(100)).subscribe({ error });
      jest.advanceTimersByTime(50);
      source.next('a');
      jest.setSystemTime(Date.now() + step);
      jest.advanceTimersByTime(end - 50 - 1);
      expect(error).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1);
      expect(error).toHaveBeenCalledWith(new IdleTimeoutError(100));
    });

    it.each([
      ['forward', 3_600_000],
      ['back', -3_600_000],
    ])('%s, before a value: waits no longer than the limit more', (_, step) => {
      const source = new Subject<string>();
      const error = jest.fn();
      source.pipe(idleTimeout(100)).subscribe({ error });
      jest.setSystemTime(Date.now() + step);
      jest.advanceTimersByTime(50);
      source.next('a');
      jest.advanceTimersByTime(149);
      expect(error).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1);
      expect(error).toHaveBeenCalledWith(new IdleTimeoutError(100));
    });
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
