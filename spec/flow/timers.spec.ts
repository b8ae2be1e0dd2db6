import { asyncScheduler, queueScheduler, Subscription, type SchedulerLike } from 'rxjs';
import { clampDelay, inBackground, timerOf } from '../../src/flow/timers.js';
import { testScheduler } from '../support/marbles.js';

describe('clampDelay', () => {
  it.each([
    [0, 0],
    [1_000, 1_000],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, 2 ** 31 - 1],
    [Infinity, 2 ** 31 - 1],
  ])('of %d is %d', (milliseconds, expected) => {
    expect(clampDelay(milliseconds)).toBe(expected);
  });
});

describe('timerOf', () => {
  it('emits once after so long, after no longer than a timer can hold, and never after Infinity', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      expectObservable(timerOf(3, scheduler)).toBe('---(0|)', { 0: 0 });
      expectObservable(timerOf(0, scheduler)).toBe('(0|)', { 0: 0 });
      expectObservable(timerOf(3e9, scheduler)).toBe(`${2 ** 31 - 1}ms (0|)`, { 0: 0 });
      expectObservable(timerOf(Infinity, scheduler)).toBe('');
    });
  });
});

describe('inBackground', () => {
  afterEach(() => jest.restoreAllMocks());

  it('sets a timer for which alone Node does not stay alive', () => {
    const setTimer = jest.spyOn(globalThis, 'setInterval');
    const ordinary = asyncScheduler.schedule(() => undefined, 1_000);
    const background = inBackground(asyncScheduler).schedule(() => undefined, 1_000);
    const timers = setTimer.mock.results.map(({ value }) => value as NodeJS.Timeout);
    expect(timers.map((timer) => timer.hasRef())).toEqual([true, false]);
    ordinary.unsubscribe();
    background.unsubscribe();
  });

  it('sets none that is longer than a timer can hold', () => {
    const setTimer = jest.spyOn(globalThis, 'setInterval');
    inBackground(asyncScheduler)
      .schedule(() => undefined, 3e9)
      .unsubscribe();
    expect(setTimer.mock.calls.map(([, delay]) => delay)).toEqual([2 ** 31 - 1]);
  });

  it('does the work after the delay, in virtual time too', () => {
    const scheduler = testScheduler();
    const times: number[] = [];
    scheduler.run(() => {
      inBackground(scheduler).schedule(() => times.push(scheduler.now()), 1_000);
    });
    expect(times).toEqual([1_000]);
  });

  it('does nothing once it is unsubscribed', () => {
    const scheduler = testScheduler();
    const work = jest.fn();
    scheduler.run(() => {
      inBackground(scheduler).schedule(work, 1_000).unsubscribe();
    });
    expect(work).not.toHaveBeenCalled();
  });

  it('stands on schedulers that work at once or keep no timer', () => {
    const work = jest.fn();
    inBackground(queueScheduler).schedule(work, 0);
    expect(work).toHaveBeenCalledTimes(1);
    const bare: SchedulerLike = { now: () => 0, schedule: () => Subscription.EMPTY };
    expect(inBackground(bare).schedule(work, 0)).toBe(Subscription.EMPTY);
  });
});
