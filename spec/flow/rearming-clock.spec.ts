import { asyncScheduler, NEVER, Subscription, throwError, timeout, VirtualTimeScheduler } from 'rxjs';
import { rearmingClock } from '../../src/flow/rearming-clock.js';
import { testScheduler } from '../support/marbles.js';

describe('rearmingClock', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('runs the work that was set last, its whole time after it was set', () => {
    const clock = rearmingClock(asyncScheduler);
    const work = [jest.fn(), jest.fn(), jest.fn()];
    clock.schedule(work[0]!, 10);
    jest.advanceTimersByTime(4);
    clock.schedule(work[1]!, 10);
    jest.advanceTimersByTime(7);
    clock.schedule(work[2]!, 10);
    jest.advanceTimersByTime(9);
    expect(work[2]).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(work.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 1]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('waits for what is left of its time where the clock is set back after it was set again', () => {
    const scheduler = new VirtualTimeScheduler();
    let back = 0;
    scheduler.now = () => 1_000 + scheduler.frame - back;
    const clock = rearmingClock(scheduler);
    const firedAt: number[] = [];
    const set = () => clock.schedule(() => firedAt.push(scheduler.frame), 10);
    set();
    scheduler.schedule(set, 4);
    scheduler.schedule(() => (back = 500), 6);
    scheduler.flush();
    expect(firedAt).toEqual([14]);
  });

  it('keeps one timer, and one action for its subscriber to hold', () => {
    const clock = rearmingClock(asyncScheduler);
    const actions = Array.from({ length: 100 }, () => clock.schedule(jest.fn(), 10));
    expect(new Set(actions).size).toBe(1);
    expect(jest.getTimerCount()).toBe(1);
  });

  it('runs nothing that was unsubscribed from, and can be set again', () => {
    const clock = rearmingClock(asyncScheduler);
    const [left, kept] = [jest.fn(), jest.fn()];
    clock.schedule(left, 10).unsubscribe();
    jest.advanceTimersByTime(5);
    clock.schedule(kept, 10);
    jest.advanceTimersByTime(9);
    expect(kept).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(left).not.toHaveBeenCalled();
    expect(kept).toHaveBeenCalledTimes(1);
  });

  it('sets a new timer where the old one has run out', () => {
    const clock = rearmingClock(asyncScheduler);
    const [left, kept] = [jest.fn(), jest.fn()];
    clock.schedule(left, 10).unsubscribe();
    jest.advanceTimersByTime(20);
    clock.schedule(kept, 10);
    jest.advanceTimersByTime(10);
    expect(left).not.toHaveBeenCalled();
    expect(kept).toHaveBeenCalledTimes(1);
  });

  it('counts from where it was set, also where it is set twice at one time', () => {
    const scheduler = testScheduler();
    const times: number[] = [];
    scheduler.run(() => {
      const clock = rearmingClock(scheduler);
      for (let count = 0; count < 2; count += 1) clock.schedule(() => times.push(clock.now()), 10);
    });
    expect(times).toEqual([10]);
  });

  it('is set by its clock alone, not by its work', () => {
    const clock = rearmingClock(asyncScheduler);
    const again = jest.fn();
    const action = clock.schedule(function () {
      again(this.schedule(undefined, 10));
    }, 10);
    jest.advanceTimersByTime(100);
    expect(again.mock.calls).toEqual([[action]]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no timer where it is unsubscribed', () => {
    const clock = rearmingClock(asyncScheduler);
    const work = jest.fn();
    clock.schedule(work, 10);
    clock.unsubscribe();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(10);
    expect(work).not.toHaveBeenCalled();
  });

  it('gives work its action, and tells the time of its scheduler', () => {
    const scheduler = testScheduler();
    scheduler.run(() => {
      const clock = rearmingClock(scheduler);
      const seen: unknown[] = [];
      const action = clock.schedule(function () {
        seen.push(this, clock.now());
      }, 7);
      scheduler.flush();
      expect(seen).toEqual([action, 7]);
      expect(action).toBeInstanceOf(Subscription);
    });
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('is early by nothing, and late by its time at most, where the clock is set %s', (_, step) => {
    const clock = rearmingClock(asyncScheduler);
    const work = jest.fn();
    clock.schedule(jest.fn(), 100);
    jest.setSystemTime(Date.now() + step);
    jest.advanceTimersByTime(50);
    clock.schedule(work, 100);
    jest.advanceTimersByTime(99);
    expect(work).not.toHaveBeenCalled();
    jest.advanceTimersByTime(51);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('serves RxJS’s timeout', () => {
    const clock = rearmingClock(asyncScheduler);
    const error = jest.fn();
    NEVER.pipe(timeout({ each: 10, scheduler: clock, with: () => throwError(() => 'silent') })).subscribe({
      error,
    });
    jest.advanceTimersByTime(10);
    expect(error).toHaveBeenCalledWith('silent');
  });
});
