import { throwError, timeout, timer } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import { type PausableClock, pausableClock } from '../../src/flow/pausable-clock.js';
import { testScheduler } from '../support/marbles.js';

const silence = new Error('silence');

/** Runs in virtual time with a clock that is paused at `p` and resumed at `r`. */
function withClock(pauses: string, use: (clock: PausableClock, helpers: RunHelpers) => void): void {
  const scheduler = testScheduler();
  scheduler.run((helpers) => {
    const clock = pausableClock(scheduler);
    helpers.hot(pauses).subscribe((mark) => (mark === 'p' ? clock.pause() : clock.resume()));
    use(clock, helpers);
  });
}

describe('pausableClock', () => {
  it('runs with its scheduler where nothing pauses it', () => {
    withClock('-', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock)).toBe('-----(x|)', { x: 0 });
    });
  });

  it('lengthens what is scheduled by exactly the time of the pause', () => {
    withClock('--p------r', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock)).toBe('- 4ms 7ms (x|)', { x: 0 });
    });
  });

  it('adds up several pauses', () => {
    withClock('-p--r-p---r', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock)).toBe('5ms 3ms 4ms (x|)', { x: 0 });
    });
  });

  it('counts a pause from its beginning, however often it is paused', () => {
    withClock('--p-p--r', (clock, { expectObservable }) => {
      expectObservable(timer(10, clock)).toBe('10ms 5ms (x|)', { x: 0 });
    });
  });

  it('runs what was due at the pause, and had not run, where that is over', () => {
    withClock('-----p---r', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock)).toBe('---------(x|)', { x: 0 });
    });
  });

  it('starts what was scheduled during a pause when that is over', () => {
    withClock('-p-----r', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock), '---^').toBe('-- 5ms 5ms (x|)', { x: 0 });
    });
  });

  it('does nothing while it is paused', () => {
    withClock('--p', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock), '^ 10m !').toBe('-');
    });
  });

  it('does nothing that is unsubscribed during a pause', () => {
    withClock('--p------r', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock), '^----!').toBe('------');
    });
  });

  it('does nothing that is scheduled and unsubscribed during a pause', () => {
    withClock('-p---------r', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock), '--^---!').toBe('------');
    });
  });

  it('does nothing that is unsubscribed while it runs', () => {
    withClock('-', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock), '^---!').toBe('------');
    });
  });

  it('takes a second pause, and a resume without a pause, for nothing', () => {
    withClock('r-p--p---r-r', (clock, { expectObservable }) => {
      expectObservable(timer(5, clock)).toBe('5ms 7ms (x|)', { x: 0 });
    });
  });

  it('tells a time that stands still', () => {
    const times: number[] = [];
    withClock('--p--r', (clock, { hot }) => {
      hot('-x-x--x-x').subscribe(() => times.push(clock.now()));
    });
    expect(times).toEqual([1, 2, 3, 5]);
  });

  it('runs different waits side by side', () => {
    withClock('--p--r', (clock, { expectObservable }) => {
      expectObservable(timer(1, clock)).toBe('-(x|)', { x: 0 });
      expectObservable(timer(3, clock)).toBe('------(x|)', { x: 0 });
      expectObservable(timer(9, clock)).toBe('------------(x|)', { x: 0 });
    });
  });

  it('hands the state of the work over', () => {
    const states: unknown[] = [];
    withClock('-p-r', (clock) => {
      clock.schedule((state) => states.push(state), 5, 'state');
    });
    expect(states).toEqual(['state']);
  });

  it('runs work without a delay at its time, once schedule() has returned', () => {
    const order: unknown[] = [];
    withClock('-', (clock, { expectObservable }) => {
      clock.schedule(() => order.push(clock.now()));
      order.push('scheduled');
      expectObservable(timer(0, clock)).toBe('(x|)', { x: 0 });
    });
    expect(order).toEqual(['scheduled', 0]);
  });

  it('stands still for an RxJS timeout', () => {
    withClock('--p------r', (clock, { cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a---------b---------|');
      const result = source.pipe(
        timeout({ each: 5, scheduler: clock, with: () => throwError(() => silence) }),
      );
      expectObservable(result).toBe('-a---------b----#', undefined, silence);
      expectSubscriptions(source.subscriptions).toBe('^---------------!');
    });
  });

  it('lets an RxJS timeout strike once the pause is over', () => {
    withClock('--p------r', (clock, { cold, expectObservable }) => {
      const result = cold('-a').pipe(
        timeout({ each: 5, scheduler: clock, with: () => throwError(() => silence) }),
      );
      expectObservable(result).toBe('-a 11ms #', undefined, silence);
    });
  });

  it('does not repeat, after a pause, what is done', () => {
    let runs = 0;
    withClock('-----p-r', (clock) => {
      clock.schedule(() => (runs += 1), 2);
    });
    expect(runs).toBe(1);
  });

  it('does not begin, after a pause, what was unsubscribed before it', () => {
    let runs = 0;
    withClock('-----p-r', (clock) => {
      clock.schedule(() => (runs += 1), 9).unsubscribe();
    });
    expect(runs).toBe(0);
  });
});
