import { concat, map, NEVER, of, range, take, tap } from 'rxjs';
import { type EndingReader, untilEnd } from '../../src/flow/until-end.js';
import { received, testScheduler } from '../support/marbles.js';

/** Letters in capitals; `.` is the end, and `_` says nothing. */
function letters(): EndingReader<string, string> {
  let isDone = false;
  return {
    read(part) {
      if (part === 'x') throw new RangeError('unreadable');
      isDone ||= part === '.';
      return part === '.' || part === '_' ? undefined : part.toUpperCase();
    },
    isDone: () => isDone,
    end: () => 'Z',
  };
}

/** The same, and `z` may be the last of them. */
function lettersToZ(): EndingReader<string, string> {
  const reader = letters();
  let last: string | undefined;
  return {
    ...reader,
    read: (part) => {
      const value = reader.read(part);
      last = value ?? last;
      return value;
    },
    mayBeDone: () => last === 'Z',
  };
}

describe('untilEnd', () => {
  it('completes at the end, and reads on until the source ends', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-.--c-|');
      expectObservable(source.pipe(untilEnd(letters))).toBe('-A-B-|');
      expectSubscriptions(source.subscriptions).toBe('^---------!');
    });
  });

  it('ends the source after the grace of 1,000 ms', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-.');
      expectObservable(source.pipe(untilEnd(letters))).toBe('-A-|');
      expectSubscriptions(source.subscriptions).toBe('^-- 1s !');
    });
  });

  it('gives what the end of a source gives that has not said so', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-|').pipe(untilEnd(letters))).toBe('-A-(Z|)');
      const silent = () => ({ ...letters(), end: () => undefined });
      expectObservable(cold('-a-|').pipe(untilEnd(silent))).toBe('-A-|');
      const cut = () => ({
        ...letters(),
        end: (): never => {
          throw new RangeError('cut');
        },
      });
      expectObservable(cold('-a-|').pipe(untilEnd(cut))).toBe('-A-#', undefined, new RangeError('cut'));
    });
  });

  it('passes an error on, or the one that stands for it', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-#').pipe(untilEnd(letters))).toBe('-A-#');
      const named = () => ({ ...letters(), errorOf: (error: unknown) => `of ${String(error)}` });
      expectObservable(cold('-a-#').pipe(untilEnd(named))).toBe('-A-#', undefined, 'of error');
    });
  });

  it('errors with what its reader throws, and ends the source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-x');
      expectObservable(source.pipe(untilEnd(letters))).toBe('-A-#', undefined, new RangeError('unreadable'));
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('drops an error of the source after the end, and what its reader throws then', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      for (const marbles of ['-a-.-#', '-a-.-x-']) {
        const source = cold(marbles);
        expectObservable(source.pipe(untilEnd(letters))).toBe('-A-|');
        expectSubscriptions(source.subscriptions).toBe('^----!');
      }
    });
  });

  it('ends the source at once where the subscriber leaves before the end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-.-|');
      expectObservable(source.pipe(untilEnd(letters)), '^--!').toBe('-A-');
      expectObservable(source.pipe(untilEnd(letters), take(2))).toBe('-A-(B|)');
      expectSubscriptions(source.subscriptions).toBe(['^--!', '^--!']);
    });
  });

  it('leaves the grace where the subscriber leaves because of the end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-.');
      expectObservable(concat(source.pipe(untilEnd(letters)), NEVER), '^---!').toBe('-A--');
      expectSubscriptions(source.subscriptions).toBe('^-- 1s !');
    });
  });

  it('leaves the grace where the subscriber leaves at what may be the last value', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const ended = cold('-a-z.-|');
      expectObservable(ended.pipe(untilEnd(lettersToZ), take(2))).toBe('-A-(Z|)');
      expectSubscriptions(ended.subscriptions).toBe('^-----!');
      const open = cold('-a-z_.');
      expectObservable(open.pipe(untilEnd(lettersToZ)), '^---!').toBe('-A-Z');
      expectSubscriptions(open.subscriptions).toBe('^--- 1s !');
    });
  });

  it('ends the source where another value comes after what may have been the last', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      for (const next of ['b', 'z', 'x']) {
        const source = cold(`-z-_-${next}-.`);
        expectObservable(source.pipe(untilEnd(lettersToZ), take(1))).toBe('-(Z|)');
        expectSubscriptions(source.subscriptions).toBe('^----!');
      }
      const source = cold('-z-b-.');
      expectObservable(source.pipe(untilEnd(lettersToZ)), '^----!').toBe('-Z-B-');
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  it('counts the grace on the given scheduler, and sets no timer where the source has ended', () => {
    const scheduler = testScheduler();
    const schedule = jest.spyOn(scheduler, 'schedule');
    expect(received(of('a', '.').pipe(untilEnd(letters, scheduler)))).toEqual(['A']);
    expect(schedule).not.toHaveBeenCalled();
    concat(of('a', '.'), NEVER).pipe(untilEnd(letters, scheduler)).subscribe();
    expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([1_000]);
  });

  it('reads no further than needed where the source emits synchronously', () => {
    let reads = 0;
    const endless = (first: readonly string[]) =>
      concat(first, range(0, Infinity).pipe(map((n) => `${n % 10}`))).pipe(tap(() => (reads += 1)));
    expect(received(endless(['a', '.']).pipe(untilEnd(letters)))).toEqual(['A']);
    expect(reads).toBe(3);
    reads = 0;
    expect(received(endless(['a']).pipe(untilEnd(letters), take(2)))).toEqual(['A', '0']);
    expect(reads).toBe(2);
    reads = 0;
    expect(received(endless(['z', '.']).pipe(untilEnd(lettersToZ), take(1)))).toEqual(['Z']);
    expect(reads).toBe(3);
  });

  it('gives each subscription a reader of its own', () => {
    const source = of('a', '.').pipe(untilEnd(letters));
    expect([received(source), received(source)]).toEqual([['A'], ['A']]);
  });
});
