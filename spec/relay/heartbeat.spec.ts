import { NEVER, type Observable, take, VirtualTimeScheduler } from 'rxjs';
import { heartbeat, type HeartbeatOptions } from '../../src/relay/heartbeat.js';
import { testScheduler } from '../support/marbles.js';

const beating = (source: Observable<string>, options: HeartbeatOptions) =>
  source.pipe(heartbeat(() => 'ping', options));

const values = { h: 'ping' };

describe('heartbeat', () => {
  it('fills silence, counted from the subscription and anew from each value', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('                                               --a---------b--|');
      expectObservable(beating(source, { heartbeat: 4, scheduler })).toBe('--a---h---h-b--|', {
        ...values,
        a: 'a',
        b: 'b',
      });
      expectSubscriptions(source.subscriptions).toBe('                    ^--------------!');
    });
  });

  it('beats before the first value, and no more once its subscriber has left', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-');
      expectObservable(beating(source, { heartbeat: 3, scheduler }), '^-------!').toBe('---h--h--', values);
      expectSubscriptions(source.subscriptions).toBe('                 ^-------!');
      scheduler.schedule(() => expect(scheduler.actions).toHaveLength(0), 9);
    });
  });

  it('ends with its source, an error included', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      expectObservable(beating(cold('----|'), { heartbeat: 3, scheduler })).toBe('---h|', values);
      expectObservable(beating(cold('----#'), { heartbeat: 3, scheduler })).toBe('---h#', values);
      scheduler.schedule(() => expect(scheduler.actions).toHaveLength(0), 5);
    });
  });

  it('beats after 15 seconds by default', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('20s a 20s |');
      expectObservable(beating(source, {})).toBe('15s h 4999ms a 14999ms h 5s |', { ...values, a: 'a' });
    });
  });

  it('never beats at Infinity, and sets no timer', () => {
    const scheduler = new VirtualTimeScheduler();
    const subscription = beating(NEVER, { heartbeat: Infinity, scheduler }).subscribe();
    expect(scheduler.actions).toEqual([]);
    subscription.unsubscribe();
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('60m a 60m |');
      expectObservable(beating(source, { heartbeat: Infinity })).toBe('60m a 60m |');
    });
  });

  it('beats each millisecond at 1', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      expectObservable(beating(cold('---|'), { heartbeat: 1, scheduler })).toBe('-hh|', values);
    });
  });

  it('beats where the clock was set back, too', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const now = scheduler.now.bind(scheduler);
      scheduler.now = () => (now() < 2 ? 1_000_000 : now());
      expectObservable(beating(NEVER, { heartbeat: 3, scheduler }), '^-------!').toBe('---h--h-', values);
    });
  });

  it('leaves alone a subscriber that leaves at a beat', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-');
      const first = beating(source, { heartbeat: 3, scheduler }).pipe(take(1));
      expectObservable(first).toBe('                   ---(h|)', values);
      expectSubscriptions(source.subscriptions).toBe(' ^--!');
    });
  });

  it.each([0, -1, NaN, '15'])('throws at a silence of %p', (silence) => {
    expect(() => heartbeat(() => 1, { heartbeat: silence as number })).toThrow(
      new TypeError('options.heartbeat must be a number of at least 1.'),
    );
  });
});
