import { VirtualTimeScheduler } from 'rxjs';
import { monotonicClock } from '../../src/flow/monotonic-clock.js';

/** A clock that shows these times, one after the other. */
const showing = (...times: number[]) =>
  monotonicClock(Object.assign(new VirtualTimeScheduler(), { now: () => times.shift()! }));

describe('monotonicClock', () => {
  it.each([
    ['with its scheduler', [1_000, 1_000, 1_005, 1_015], [0, 5, 15]],
    ['not back', [1_000, 1_005, 1_003, 1_004], [5, 5, 6]],
    ['not back, where that goes back at every call', [3, 2, 1, 0], [0, 0, 0]],
    ['ahead with a jump', [0, 1, 3_600_001, 3_600_002], [1, 3_600_001, 3_600_002]],
    ['on after a moment without a time', [1, 2, NaN, 5, 6], [1, 1, 1, 2]],
    ['on from a start without a time', [NaN, 5, 6], [0, 1]],
    ['as far as a timer can hold', [0, Infinity, 0, 1], [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31]],
  ])('goes %s', (_, shown, expected) => {
    const clock = showing(...shown);
    expect(expected.map(() => clock.now())).toEqual(expected);
  });

  it('has reached the time of a timer that fires, and no more', () => {
    const scheduler = new VirtualTimeScheduler();
    let shown = 0;
    scheduler.now = () => shown;
    const clock = monotonicClock(scheduler);
    const times: unknown[] = [];
    clock.schedule((state) => times.push(state, clock.now()), 10, 'first');
    clock.schedule((state) => times.push(state, clock.now()), 30, 'second');
    clock.schedule((state) => times.push(state, clock.now()), 20, 'left').unsubscribe();
    shown = -100;
    scheduler.flush();
    expect(times).toEqual(['first', 10, 'second', 30]);
    shown = 5;
    expect(clock.now()).toBe(135);
  });

  it('keeps the time of its scheduler where a timer fires late', () => {
    const scheduler = new VirtualTimeScheduler();
    let shown = 0;
    scheduler.now = () => shown;
    const clock = monotonicClock(scheduler);
    const times: number[] = [];
    clock.schedule(() => times.push(clock.now()));
    clock.schedule(() => times.push(clock.now()), 10);
    shown = 15;
    scheduler.flush();
    expect(times).toEqual([15, 15]);
  });
});
