import {
  asyncScheduler,
  concatMap,
  defer,
  finalize,
  map,
  NEVER,
  type Observable,
  of,
  repeat,
  type Subscription,
  take,
  tap,
  timer,
} from 'rxjs';
import { Demand, type TurnDemand, turnDemand } from '../../src/flow/demand.js';
import { pull } from '../../src/flow/pull.js';
import { IdleTimeoutError, StallTimeoutError, streamChatCompletions, textDeltas } from '../../src/index.js';
import { marbleTransport } from '../../src/testing/index.js';
import { provider } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { done, finishChunk, textChunk } from '../support/wire.js';

/** Reads again and again, each time at once when the demand lets it, for as long as it is counted. */
const reads = (turn: TurnDemand, count: number): Observable<string> =>
  of('r').pipe(repeat({ delay: () => turn.ask() }), take(count));

describe('Demand', () => {
  it('lets a turn read at once while nobody holds it', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const turn = turnDemand(new Demand(), scheduler);
      expectObservable(reads(turn, 3)).toBe('(rrr|)');
    });
  });

  it('sets no timer while nobody holds it, and leaves those of the turn alone', () => {
    const scheduler = testScheduler();
    const turn = turnDemand(new Demand(), scheduler);
    turn.clock.schedule(() => {}, 5);
    const schedule = jest.spyOn(scheduler, 'schedule');
    turn.ask().subscribe();
    expect(schedule).not.toHaveBeenCalled();
  });

  it('lets no turn read while anybody holds it, and each once where the last one lets go', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const demand = new Demand();
      const holds = { a: demand.hold(), b: demand.hold() };
      cold<'a' | 'b'>('--a--b-b').subscribe((name) => holds[name].unsubscribe());
      expectObservable(turnDemand(demand, scheduler).ask()).toBe('-----(x|)', { x: undefined });
      expectObservable(turnDemand(demand, scheduler).ask()).toBe('-----(x|)', { x: undefined });
    });
  });

  it('stops the clock of each turn that waits, and of no other', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const demand = new Demand();
      const hold = demand.hold();
      const waiting = turnDemand(demand, scheduler);
      const reading = turnDemand(demand, scheduler);
      timer(20).subscribe(() => hold.unsubscribe());
      expectObservable(waiting.ask()).toBe('20ms (x|)', { x: undefined });
      expectObservable(timer(5, waiting.clock)).toBe('25ms (x|)', { x: 0 });
      expectObservable(timer(5, reading.clock)).toBe('5ms (x|)', { x: 0 });
    });
  });

  it('lets the clock run on where whoever waits leaves', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const demand = new Demand();
      demand.hold();
      const turn = turnDemand(demand, scheduler);
      expectObservable(turn.ask(), '^---!').toBe('-----');
      expectObservable(timer(5, turn.clock)).toBe('---- 5ms (x|)', { x: 0 });
    });
  });

  it('keeps the clock stopped where a read is over, and the next one held, before the wait has ended', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const demand = new Demand();
      const turn = turnDemand(demand, scheduler);
      let hold = demand.hold();
      const readAndHold = defer(() => {
        hold = demand.hold();
        return turn.ask();
      });
      // Like a transport that reads, asks again and waits while it is being told that it may read.
      expectObservable(turn.ask().pipe(concatMap(() => readAndHold))).toBe('30ms (x|)', { x: undefined });
      timer(10, 20)
        .pipe(take(2))
        .subscribe(() => hold.unsubscribe());
      expectObservable(timer(5, turn.clock)).toBe('35ms (x|)', { x: 0 });
    });
  });

  it('asks nobody once the turn is over', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const demand = new Demand();
      demand.hold();
      const turn = turnDemand(demand, scheduler);
      turn.end();
      expectObservable(turn.ask()).toBe('(x|)', { x: undefined });
      expectObservable(timer(5, turn.clock)).toBe('5ms (x|)', { x: 0 });
    });
  });

  it('counts a hold that is let go of twice once', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const demand = new Demand();
      const hold = demand.hold();
      demand.hold();
      hold.unsubscribe();
      hold.unsubscribe();
      expectObservable(turnDemand(demand, scheduler).ask(), '^ 10s !').toBe('-');
    });
  });

  it('is held by an operator for as long as values wait in it', () => {
    const scheduler = testScheduler();
    scheduler.run(({ cold, expectObservable }) => {
      const demand = new Demand();
      const turn = turnDemand(demand, scheduler);
      const stored = reads(turn, 3).pipe(
        map((value) => ({ value, hold: demand.hold() })),
        concatMap(({ value, hold }) =>
          cold('---x|').pipe(
            map(() => value),
            finalize(() => hold.unsubscribe()),
          ),
        ),
      );
      expectObservable(stored).toBe('---r---r---r|');
    });
  });

  it('slows a turn of another copy of the library too, as ESM and CJS are two', async () => {
    let Other = Demand;
    await jest.isolateModulesAsync(async () => {
      ({ Demand: Other } = await import('../../src/flow/demand.js'));
    });
    const demand = new Other();
    expect(demand).not.toBeInstanceOf(Demand);
    expect(() => streamChatCompletions('Hi', { model: 'm', provider, demand })).not.toThrow();
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const hold = demand.hold();
      timer(5).subscribe(() => hold.unsubscribe());
      expectObservable(turnDemand(demand, scheduler).ask()).toBe('-----(x|)', { x: undefined });
    });
  });

  it.each([{}, null, 1, true])('is refused as an option where it is %j', (demand) => {
    const options = { model: 'm', provider, demand: demand as Demand };
    expect(() => streamChatCompletions('Hi', options)).toThrow(
      new TypeError('options.demand must be a Demand.'),
    );
  });
});

describe('a Demand that is held for stallTimeout', () => {
  const options = { model: 'm', provider };

  it('ends the wait with an error, and lets the clock run on', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const demand = new Demand({ stallTimeout: 6 });
      demand.hold();
      const turn = turnDemand(demand, scheduler);
      expectObservable(turn.ask()).toBe('                ------#', undefined, new StallTimeoutError(6));
      expectObservable(timer(5, turn.clock)).toBe('      ------ 5ms (x|)', { x: 0 });
    });
  });

  it('is 300 seconds by default, and any time at Infinity', () => {
    const scheduler = testScheduler();
    scheduler.run(({ expectObservable }) => {
      const [short, long] = [new Demand(), new Demand({ stallTimeout: Infinity })];
      short.hold();
      long.hold();
      expectObservable(turnDemand(short, scheduler).ask()).toBe(
        '300s #',
        undefined,
        new StallTimeoutError(300_000),
      );
      expectObservable(turnDemand(long, scheduler).ask(), '^ 60m !').toBe('-');
    });
  });

  it('counts each wait by itself, and nothing while nobody waits', () => {
    const scheduler = testScheduler();
    scheduler.run(({ hot, expectObservable }) => {
      const demand = new Demand({ stallTimeout: 6 });
      const holds: Subscription[] = [];
      hot('             -----r-----r').subscribe(() => holds.pop()?.unsubscribe());
      const held = reads(turnDemand(demand, scheduler), 9).pipe(tap(() => holds.push(demand.hold())));
      const error = new StallTimeoutError(6);
      expectObservable(held).toBe('r----r-----r-----#', undefined, error);
      const late = defer(() => turnDemand(demand, scheduler).ask());
      expectObservable(late, '     ---------------------^').toBe(
        '--------------------- ------#',
        undefined,
        error,
      );
    });
  });

  it('counts anew from each hold that is let go of, and from none that is taken', () => {
    const scheduler = testScheduler();
    scheduler.run(({ hot, expectObservable }) => {
      const demand = new Demand({ stallTimeout: 6 });
      const holds = [demand.hold(), demand.hold(), demand.hold()];
      hot('               ----l---l-t--').subscribe((what) =>
        what === 'l' ? holds.pop()?.unsubscribe() : demand.hold(),
      );
      const error = new StallTimeoutError(6);
      expectObservable(turnDemand(demand, scheduler).ask()).toBe('--------------#', undefined, error);
    });
  });

  it('does not cut a turn whose consumer takes one value after another, however long the whole takes', () => {
    const scheduler = testScheduler();
    const events = Array.from({ length: 40 }, (_, at) => textChunk(`${at}`)).join('');
    const taken: unknown[] = [];
    scheduler.run((helpers) => {
      const demand = new Demand({ stallTimeout: 6 });
      const transport = marbleTransport(helpers, [
        { body: '-a-(b|)', frames: { a: events, b: textChunk('last') } },
      ]);
      const turn = streamChatCompletions('Hi', { ...options, transport, demand, scheduler });
      const values = pull(turn.pipe(textDeltas()), { demand, highWaterMark: 2, stallTimeout: 6, scheduler });
      timer(0, 5, scheduler)
        .pipe(take(50))
        .subscribe(
          () => void values.next().then(({ value, done }) => taken.push(done === true ? 'done' : value)),
        );
    });
    return new Promise(setImmediate).then(() => {
      expect(taken.slice(38, 42)).toEqual(['38', '39', 'last', 'done']);
    });
  });

  it('leaves no timer where whoever waits leaves, or is let go on', () => {
    const scheduler = testScheduler();
    const demand = new Demand({ scheduler });
    const hold = demand.hold();
    const turn = turnDemand(demand, asyncScheduler);
    const wait = turn.ask().subscribe();
    turn.ask().subscribe();
    expect(scheduler.actions).toHaveLength(2);
    wait.unsubscribe();
    expect(scheduler.actions).toHaveLength(1);
    hold.unsubscribe();
    expect(scheduler.actions).toHaveLength(0);
  });

  it('ends the turn, closes its connection, and is not retried', () => {
    const scheduler = testScheduler();
    scheduler.run((helpers) => {
      const demand = new Demand({ stallTimeout: 6 });
      demand.hold();
      const transport = marbleTransport(helpers, [
        { response: '---r', body: '-a-b', frames: { a: textChunk('a') } },
        {},
      ]);
      const turn = streamChatCompletions('Hi', { ...options, transport, demand, scheduler, idleTimeout: 3 });
      helpers
        .expectObservable(turn.pipe(textDeltas()))
        .toBe('----a-----#', undefined, new StallTimeoutError(6));
      helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('---^------!');
      scheduler.schedule(() => expect(transport.requests).toHaveLength(1), 20);
    });
  });

  it('ends a turn whose operator never lets go', () => {
    const scheduler = testScheduler();
    scheduler.run((helpers) => {
      const demand = new Demand({ stallTimeout: 6 });
      const transport = marbleTransport(helpers, [{ body: '-a-b', frames: { a: textChunk('a') } }]);
      const turn = streamChatCompletions('Hi', { ...options, transport, demand, scheduler });
      const stored = turn.pipe(
        map(() => demand.hold()),
        concatMap((hold) => NEVER.pipe(finalize(() => hold.unsubscribe()))),
      );
      helpers.expectObservable(stored).toBe('-------#', undefined, new StallTimeoutError(6));
      helpers.expectSubscriptions(transport.connections[0]!.body.subscriptions).toBe('^------!');
    });
  });

  it.each([0, -1, NaN, '1'])('is refused where that is %p', (stallTimeout) => {
    expect(() => new Demand({ stallTimeout: stallTimeout as number })).toThrow(
      new TypeError('options.stallTimeout must be a number of at least 1.'),
    );
  });
});

describe('a turn whose Demand is held', () => {
  const options = { model: 'm', provider };

  it('before the headers makes its first read, and the next when it is let go', () => {
    const scheduler = testScheduler();
    scheduler.run((helpers) => {
      const demand = new Demand({ stallTimeout: 20 });
      const hold = demand.hold();
      helpers.hot('--------------------r').subscribe(() => hold.unsubscribe());
      const frames = { a: textChunk('a'), b: textChunk('b'), d: done };
      const transport = marbleTransport(helpers, [{ response: '-----r', body: '-a-(bd|)', frames }]);
      const turn = streamChatCompletions('Hi', { ...options, transport, demand, scheduler, idleTimeout: 3 });
      helpers.expectObservable(turn.pipe(textDeltas())).toBe('------a-------------(b|)');
    });
  });

  it('before the headers is watched by the idle limit until the first read', () => {
    const scheduler = testScheduler();
    scheduler.run((helpers) => {
      const demand = new Demand({ stallTimeout: 2 });
      demand.hold();
      const transport = marbleTransport(helpers, [{ response: '-----r', body: '-' }]);
      const turn = streamChatCompletions('Hi', { ...options, transport, demand, scheduler, idleTimeout: 3 });
      helpers.expectObservable(turn).toBe('--------#', undefined, new IdleTimeoutError(3));
    });
  });

  it.each([
    ['finishTimeout', { finishTimeout: 10 }],
    ['a shorter idleTimeout', { idleTimeout: 10 }],
  ])('after its finish reason does not run into %s', (_, limits) => {
    const scheduler = testScheduler();
    scheduler.run((helpers) => {
      const demand = new Demand();
      const hold = demand.hold();
      helpers.hot('- 60s r').subscribe(() => hold.unsubscribe());
      const frames = { a: textChunk('a') + finishChunk() };
      const transport = marbleTransport(helpers, [{ body: '-a-', frames }]);
      const turn = streamChatCompletions('Hi', { ...options, ...limits, transport, demand, scheduler });
      helpers
        .expectObservable(turn.pipe(map(({ type }) => (type === 'completed' ? 'c' : 'a'))))
        .toBe('-a 59999ms 10ms (c|)');
    });
  });
});
