import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { asyncScheduler, defer, from, map, NEVER, type Observable, of, range, Subject } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { Demand, turnDemand } from '../../src/flow/demand.js';
import { checkPullOptions, pull, type PullOptions } from '../../src/flow/pull.js';
import { StallTimeoutError, streamChatCompletions } from '../../src/index.js';
import { marbleTransport } from '../../src/testing/index.js';
import { provider } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { textChunk } from '../support/wire.js';

/** What an iterator has given so far: values, errors, and `undefined` where it is done. */
let results: unknown[];
beforeEach(() => (results = []));

const take = (iterator: AsyncIterator<unknown>): void => {
  const told = results;
  iterator.next().then(
    ({ value }) => told.push(value),
    (error: unknown) => told.push(error),
  );
};

/** Pulls a source at each mark. */
function pulled(
  takes: Observable<unknown>,
  source: Observable<unknown>,
  options: PullOptions & { readonly scheduler: TestScheduler },
): ReturnType<typeof pull> {
  const iterator = pull(source, options);
  takes.subscribe(() => take(iterator));
  return iterator;
}

/** No timer is left where the test says so, beside the test's own. */
const timersOf = (scheduler: TestScheduler) => scheduler.actions.filter(({ closed }) => !closed).length;

describe('pull, and a consumer that stalls', () => {
  it('leaves the source where a value has waited for stallTimeout since it came', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, hot, expectSubscriptions }) => {
      const source = cold('                           --a--b-----');
      pulled(hot('                                    t'), source, { stallTimeout: 6, scheduler });
      expectSubscriptions(source.subscriptions).toBe('^----------!');
    });
  });

  it('counts anew from each value that is taken, and from none that comes', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, hot, expectSubscriptions }) => {
      const source = cold('                           --(abcd)--e--');
      pulled(hot('                                    t---t---t'), source, { stallTimeout: 6, scheduler });
      expectSubscriptions(source.subscriptions).toBe('^-------------!');
    });
  });

  it('waits without limit for a source that is silent, whether it is asked or not', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, hot, expectSubscriptions }) => {
      const asked = cold('                           --a---- 60m -|');
      const notAsked = cold('                        -(ab)-- 60m -|');
      pulled(hot('                                   tt'), asked, { stallTimeout: 6, scheduler });
      pulled(hot('                                   t---t'), notAsked, { stallTimeout: 6, scheduler });
      expectSubscriptions(asked.subscriptions).toBe('^------ 60m -!');
      expectSubscriptions(notAsked.subscriptions).toBe('^------ 60m -!');
    });
  });

  it('counts anew where values wait again after none did', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, hot, expectSubscriptions }) => {
      const source = cold('                           -(ab)-----(c)');
      pulled(hot('                                    t---t'), source, { stallTimeout: 6, scheduler });
      expectSubscriptions(source.subscriptions).toBe('^---------------!');
    });
  });

  it('gives what waits, then the error, once', async () => {
    const scheduler = testScheduler();
    let iterator!: AsyncIterator<unknown>;
    scheduler.run(({ cold, hot }) => {
      iterator = pulled(hot('t'), cold('-(abc)'), { stallTimeout: 6, scheduler });
    });
    await turnOfTheLoop();
    // On a busy machine some come a task later.
    const taken = await Promise.allSettled(Array.from({ length: 4 }, () => iterator.next()));
    const given = taken.map((one) => (one.status === 'fulfilled' ? one.value.value : one.reason) as unknown);
    expect([...results, ...given]).toEqual(['a', 'b', 'c', new StallTimeoutError(6), undefined]);
  });

  it('ends an iterator that was dropped after 300 seconds by default', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, hot, expectSubscriptions }) => {
      const source = cold('                           -(ab)');
      pulled(hot('                                    t'), source, { scheduler });
      expectSubscriptions(source.subscriptions).toBe('^ 300s !');
    });
  });

  it('holds nothing for ever at Infinity but what it is told to, and sets no timer', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, hot, expectSubscriptions }) => {
      const source = cold('                           -(ab)');
      pulled(hot('                                    t'), source, { stallTimeout: Infinity, scheduler });
      scheduler.schedule(() => expect(timersOf(scheduler)).toBe(0), 5);
      expectSubscriptions(source.subscriptions).toBe('^');
    });
  });

  it('does not fire at once where the limit is longer than a timer can hold', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, hot, expectSubscriptions }) => {
      const source = cold('                           -(ab)');
      pulled(hot('                                    t'), source, { stallTimeout: 3e9, scheduler });
      expectSubscriptions(source.subscriptions).toBe(`^ ${2 ** 31 - 1}ms !`);
    });
  });

  it.each(['-(ab|)', '-(ab#)'])('is over with its source, and leaves no timer: %s', async (marbles) => {
    const scheduler = testScheduler();
    let iterator!: AsyncIterator<unknown>;
    scheduler.run(({ cold, hot }) => {
      iterator = pulled(hot('t'), cold(marbles), { stallTimeout: 6, scheduler });
      scheduler.schedule(() => expect(timersOf(scheduler)).toBe(0), 2);
    });
    take(iterator);
    take(iterator);
    await turnOfTheLoop();
    expect(results).toEqual(['a', 'b', marbles.includes('#') ? 'error' : undefined]);
  });

  it.each(['return', 'throw'] as const)('leaves no timer at %s()', async (way) => {
    const scheduler = testScheduler();
    const source = new Subject<number>();
    const iterator = pull(source, { scheduler });
    take(iterator);
    source.next(1);
    source.next(2);
    expect(timersOf(scheduler)).toBe(1);
    await iterator[way]?.(undefined).catch(() => undefined);
    expect(timersOf(scheduler)).toBe(0);
    expect(source.observed).toBe(false);
  });

  it('keeps one timer however many values come and are taken', async () => {
    const scheduler = testScheduler();
    const schedule = jest.spyOn(scheduler, 'schedule');
    const iterator = pull(from(Array.from({ length: 1_000 }, (_, index) => index)), { scheduler });
    for (let count = 0; count < 1_000; count += 1) await iterator.next();
    const source = new Subject<number>();
    const open = pull(source, { scheduler });
    take(open);
    for (let count = 0; count < 1_000; count += 1) {
      source.next(1);
      source.next(2);
      take(open);
      take(open);
    }
    expect(schedule.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it('sets a timer for which alone Node does not stay alive', () => {
    const setTimer = jest.spyOn(globalThis, 'setInterval');
    try {
      const source = new Subject<number>();
      const iterator = pull(source, { scheduler: asyncScheduler });
      take(iterator);
      source.next(1);
      source.next(2);
      const [timer] = setTimer.mock.results.map(({ value }) => value as NodeJS.Timeout);
      expect(timer?.hasRef()).toBe(false);
      void iterator.return();
    } finally {
      setTimer.mockRestore();
    }
  });

  it.each([
    ['the consumer', 4, 9],
    ['the demand', 9, 4],
    ['both at once', 4, 4],
  ])('is told of one error where the limit of %s runs out first', async (_, waits, held) => {
    const scheduler = testScheduler();
    let iterator!: AsyncIterator<unknown>;
    scheduler.run((helpers) => {
      const demand = new Demand({ stallTimeout: held });
      const read = textChunk('a') + textChunk('b');
      const transport = marbleTransport(helpers, [{ body: '-r-r', frames: { r: read } }]);
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport, demand, scheduler });
      iterator = pulled(helpers.hot('t'), turn.pipe(map(({ type }) => type)), {
        demand,
        highWaterMark: 1,
        stallTimeout: waits,
        scheduler,
      });
      helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^----!');
    });
    for (let count = 0; count < 3; count += 1) take(iterator);
    await turnOfTheLoop();
    expect(results).toEqual(['output_item_done', 'output_item_done', new StallTimeoutError(4), undefined]);
    expect(timersOf(scheduler)).toBe(0);
  });

  it('subscribes to nothing, and so ends nothing, before it is asked', () => {
    const scheduler = testScheduler();
    pull(NEVER, { scheduler });
    expect(timersOf(scheduler)).toBe(0);
  });

  it.each([0, -1, NaN, '1'])('is refused with a stallTimeout of %p', (stallTimeout) => {
    expect(() => checkPullOptions({ stallTimeout: stallTimeout as number })).toThrow(
      new TypeError('options.stallTimeout must be a number of at least 1.'),
    );
  });

  it('takes limits of 1 and of Infinity', async () => {
    expect(() => checkPullOptions({ stallTimeout: 1, highWaterMark: 1 })).not.toThrow();
    expect(() => checkPullOptions({ stallTimeout: Infinity, highWaterMark: Infinity })).not.toThrow();
    expect(await pull(of(1), { stallTimeout: Infinity }).next()).toEqual({ done: false, value: 1 });
  });
});

describe('pull', () => {
  it('gives what comes in order, then that it is done, again and again', async () => {
    const iterator = pull(of(1, 2), {});
    const taken = [
      await iterator.next(),
      await iterator.next(),
      await iterator.next(),
      await iterator.next(),
    ];
    expect(taken).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it.each(['return', 'throw'] as const)(
    'is done at %s(), and subscribes to nothing after it',
    async (way) => {
      const subscribed = jest.fn(() => of(1));
      const iterator = pull(defer(subscribed), {});
      const reason = new Error('left');
      const end = way === 'throw' ? iterator.throw(reason) : iterator.return();
      if (way === 'throw') await expect(end).rejects.toBe(reason);
      else expect(await end).toEqual({ done: true, value: undefined });
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
      expect(subscribed).not.toHaveBeenCalled();
    },
  );

  it.each(['complete', 'return'] as const)(
    'holds the demand while highWaterMark values wait, and no longer than to its end: %s',
    async (way) => {
      const demand = new Demand();
      const isHeld = () => {
        let isFree = false;
        turnDemand(demand, asyncScheduler)
          .ask()
          .subscribe(() => (isFree = true))
          .unsubscribe();
        return !isFree;
      };
      const source = new Subject<number>();
      const iterator = pull(source, { demand, highWaterMark: 3 });
      const held: boolean[] = [];
      const does = (step: 'take' | 'give') => {
        if (step === 'take') take(iterator);
        else source.next(0);
        held.push(isHeld());
      };
      // The first is taken as it comes; then 1, 2, 3, 4, 3, 2, 1, 2, 3 wait.
      (['take', 'give', 'give', 'give', 'give', 'give'] as const).forEach(does);
      expect(held.splice(0)).toEqual([false, false, false, false, true, true]);
      (['take', 'take', 'take', 'give', 'give'] as const).forEach(does);
      expect(held.splice(0)).toEqual([true, false, false, false, true]);
      if (way === 'complete') source.complete();
      else await iterator.return();
      expect(isHeld()).toBe(false);
    },
  );

  it.each([0, -1, NaN, '1'])('is refused with a highWaterMark of %p', (highWaterMark) => {
    expect(() => checkPullOptions({ highWaterMark: highWaterMark as number })).toThrow(
      new TypeError('options.highWaterMark must be a number of at least 1.'),
    );
  });

  it.each([
    ['1,023 of 2,048 were taken', 2_048, 1_023, 0],
    ['1,024 of 2,048 were taken', 2_048, 1_024, 1],
    ['1,024 of 2,049 were taken', 2_049, 1_024, 0],
    ['all but one of 1,000 were taken', 1_000, 999, 0],
    ['all of 1,000 were taken', 1_000, 1_000, 1],
  ])(
    'lets go of the places of taken values where they are many and half: %s',
    async (_, count, taken, times) => {
      const values = pull(range(0, count), {});
      await values.next();
      const { splice } = Array.prototype;
      let spliced = 0;
      Object.assign(Array.prototype, {
        splice(this: unknown[], ...args: [number, number]): unknown[] {
          spliced += 1;
          return splice.apply(this, args);
        },
      });
      try {
        for (let at = 1; at < taken; at += 1) void values.next();
      } finally {
        Object.assign(Array.prototype, { splice });
      }
      expect(spliced).toBe(times);
    },
  );

  it('moves the values that wait a constant number of times each, however many wait', async () => {
    const count = 20_000;
    let moved = 0;
    const original = { splice: Array.prototype.splice, shift: Array.prototype.shift };
    const counted = (change: (...args: never[]) => unknown) =>
      function (this: unknown[], ...args: never[]): unknown {
        moved += this.length;
        return change.apply(this, args);
      };
    // A mock of Jest's would call what it mocks.
    Object.assign(Array.prototype, {
      splice: counted(original.splice as (...args: never[]) => unknown),
      shift: counted(original.shift),
    });
    try {
      const values = pull(range(0, count), {});
      let sum = 0;
      for (let at = 0; at < count; at += 1) sum += (await values.next()).value ?? 0;
      expect(sum).toBe((count * (count - 1)) / 2);
      expect((await values.next()).done).toBe(true);
    } finally {
      Object.assign(Array.prototype, original);
    }
    expect(moved).toBeLessThan(4 * count);
    expect(Object.keys(Array.prototype)).toEqual([]);
  });
});
