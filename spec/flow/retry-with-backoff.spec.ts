import { defer, NEVER, of, range, take, throwError } from 'rxjs';
import { retryWithBackoff, type RetryWithBackoffOptions } from '../../src/flow/retry-with-backoff.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const exact = { jitter: 0 };
const refused = new Error('refused');

/** Where a source that fails at once is subscribed, and where the last error comes through. */
function expectAttempts(
  options: RetryWithBackoffOptions,
  { attempts, end, error = 'refused' }: { attempts: readonly string[]; end: string; error?: unknown },
): void {
  testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
    const source = cold('#', undefined, 'refused');
    expectObservable(source.pipe(retryWithBackoff(options))).toBe(end, undefined, error);
    expectSubscriptions(source.subscriptions).toBe([...attempts]);
  });
}

describe('retryWithBackoff', () => {
  it('waits 200, 400, 800 and 1,600 ms, then gives up', () => {
    expectAttempts(exact, {
      attempts: ['(^!)', '200ms (^!)', '600ms (^!)', '1400ms (^!)', '3s (^!)'],
      end: '3s #',
    });
  });

  it('draws the jitter of each wait from the given random', () => {
    const draws = [0, 1, 0.5, 0];
    expectAttempts(
      { random: () => draws.shift() ?? 0.5 },
      { attempts: ['(^!)', '180ms (^!)', '620ms (^!)', '1420ms (^!)', '2860ms (^!)'], end: '2860ms #' },
    );
  });

  it.each([
    [0, ['(^!)'], '#'],
    [1, ['(^!)', '200ms (^!)'], '200ms #'],
  ])('subscribes again %i times at most', (maxRetries, attempts, end) => {
    expectAttempts({ ...exact, maxRetries }, { attempts, end });
  });

  it('counts the wait from the failure', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--#');
      const result = source.pipe(retryWithBackoff({ initialDelay: 8, jitter: 0, maxRetries: 2 }));
      expectObservable(result).toBe('                    -- 8ms -- 16ms --#');
      expectSubscriptions(source.subscriptions).toBe(['  ^-!', '-- 8ms ^-!', '-- 8ms -- 16ms ^-!']);
    });
  });

  it('passes on what a later attempt gives', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const attempts = [cold('--#'), cold('-a-b|')];
      const source = defer(() => attempts.shift() ?? NEVER);
      expectObservable(source.pipe(retryWithBackoff({ initialDelay: 8, jitter: 0 }))).toBe('-- 8ms -a-b|');
    });
  });

  it('leaves a source that does not fail alone', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-|');
      expectObservable(source.pipe(retryWithBackoff())).toBe('-a-b-|');
      expectSubscriptions(source.subscriptions).toBe('        ^----!');
    });
  });

  it('waits as long as the error asks for instead of the backoff', () => {
    expectAttempts(
      { ...exact, maxRetries: 2, retryAfter: () => 3_000 },
      { attempts: ['(^!)', '3s (^!)', '6s (^!)'], end: '6s #' },
    );
  });

  it('backs off where the error asks for no wait', () => {
    expectAttempts(
      { ...exact, maxRetries: 1, retryAfter: () => undefined },
      { attempts: ['(^!)', '200ms (^!)'], end: '200ms #' },
    );
  });

  it('retries at once where the error asks for 0 ms', () => {
    expectAttempts({ maxRetries: 2, retryAfter: () => 0 }, { attempts: ['(^!)', '(^!)', '(^!)'], end: '#' });
  });

  it.each([
    ['waits for a wish of maxRetryAfter', 60_000, {}, ['(^!)', '60s (^!)'], '60s #'],
    ['gives up at once on a longer wish', 60_001, {}, ['(^!)'], '#'],
    ['gives up at once on a wish beyond the given limit', 11, { maxRetryAfter: 10 }, ['(^!)'], '#'],
    ['gives up at once on an endless wish', Infinity, {}, ['(^!)'], '#'],
  ])('%s', (_, wish, limits, attempts, end) => {
    expectAttempts({ ...limits, maxRetries: 1, retryAfter: () => wish }, { attempts, end });
  });

  it.each<[string, RetryWithBackoffOptions]>([
    ['a wish', { retryAfter: () => 3e9, maxRetryAfter: Infinity }],
    ['an endless wish', { retryAfter: () => Infinity, maxRetryAfter: Infinity }],
    ['a backoff', { initialDelay: 3e9, maxDelay: Infinity, jitter: 0 }],
    ['an endless backoff', { initialDelay: Infinity, maxDelay: Infinity, jitter: 0 }],
  ])('cuts %s to what a timer can hold', (_, options) => {
    expectAttempts(
      { ...options, maxRetries: 1 },
      { attempts: ['(^!)', '2147483647ms (^!)'], end: '2147483647ms #' },
    );
  });

  it('passes an error on at once that is not retryable', () => {
    expectAttempts({ retryable: () => false }, { attempts: ['(^!)'], end: '#' });
  });

  it('asks about each error anew', () => {
    const answers = [true, false];
    expectAttempts(
      { ...exact, retryable: () => answers.shift() ?? true },
      { attempts: ['(^!)', '200ms (^!)'], end: '200ms #' },
    );
  });

  it('fails with what the predicate throws', () => {
    expectAttempts(
      {
        retryable: () => {
          throw new TypeError('predicate');
        },
      },
      { attempts: ['(^!)'], end: '#', error: new TypeError('predicate') },
    );
  });

  it('gives up with what giveUp makes of the error and the number of attempts', () => {
    const giveUp = (error: unknown, attempts: number) => `${String(error)} ${attempts} times`;
    expectAttempts({ maxRetries: 0, giveUp }, { attempts: ['(^!)'], end: '#', error: 'refused 1 times' });
    expectAttempts(
      { ...exact, maxRetries: 2, giveUp },
      { attempts: ['(^!)', '200ms (^!)', '600ms (^!)'], end: '600ms #', error: 'refused 3 times' },
    );
    expectAttempts(
      { giveUp, retryAfter: () => 60_001 },
      { attempts: ['(^!)'], end: '#', error: 'refused 1 times' },
    );
  });

  it('does not ask giveUp about an error that is not retryable', () => {
    const giveUp = () => 'mapped';
    expectAttempts({ giveUp, retryable: () => false }, { attempts: ['(^!)'], end: '#' });
  });

  it('tells onRetry of each retry, before its wait, and of no failure that ends it', () => {
    const retries: unknown[] = [];
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const onRetry = (retry: object) => retries.push({ ...retry, at: scheduler.now() });
      const result = cold('#', undefined, 'refused').pipe(
        retryWithBackoff({ ...exact, maxRetries: 2, onRetry }),
      );
      expectObservable(result).toBe('600ms #', undefined, 'refused');
    });
    expect(retries).toEqual([
      { attempt: 1, delay: 200, error: 'refused', at: 0 },
      { attempt: 2, delay: 400, error: 'refused', at: 200 },
    ]);
  });

  it('counts the attempts of each subscription by itself', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('#');
      const result = source.pipe(retryWithBackoff({ ...exact, maxRetries: 1 }));
      expectObservable(result).toBe('200ms #');
      expectObservable(result, '1s ^').toBe('1200ms #');
      expectSubscriptions(source.subscriptions).toBe(['(^!)', '200ms (^!)', '1s (^!)', '1200ms (^!)']);
    });
  });

  it('unsubscribes from the attempt that runs', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--#');
      expectObservable(source.pipe(retryWithBackoff(exact)), '^ 202ms !').toBe('');
      expectSubscriptions(source.subscriptions).toBe(['^-!', '-- 200ms ^!']);
    });
  });

  it('sends nothing more after an unsubscribe inside the wait', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('#');
      expectObservable(source.pipe(retryWithBackoff(exact)), '^ 99ms !').toBe('');
      expectSubscriptions(source.subscriptions).toBe(['(^!)']);
    });
  });

  it('leaves no timer behind after an unsubscribe inside the wait', () => {
    jest.useFakeTimers();
    try {
      const subscription = throwError(() => refused)
        .pipe(retryWithBackoff())
        .subscribe();
      expect(jest.getTimerCount()).toBe(1);
      subscription.unsubscribe();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('waits on the given scheduler', () => {
    const scheduler = testScheduler();
    const schedule = jest.spyOn(scheduler, 'schedule');
    throwError(() => refused)
      .pipe(retryWithBackoff({ ...exact, scheduler }))
      .subscribe();
    expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([200]);
  });

  it('fails synchronously where no retry is left', () => {
    expect(failureOf(throwError(() => refused).pipe(retryWithBackoff({ maxRetries: 0 })))).toBe(refused);
  });

  it('stops an endless synchronous source', () => {
    expect(received(range(0, Infinity).pipe(retryWithBackoff(), take(2)))).toEqual([0, 1]);
    expect(received(of('a').pipe(retryWithBackoff()))).toEqual(['a']);
  });
});
