import { concatMap, defer, finalize, map, type Observable, of, repeat, take, timer } from 'rxjs';
import { Demand, type TurnDemand, turnDemand } from '../../src/flow/demand.js';
import { streamChatCompletions } from '../../src/index.js';
import { provider } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';

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
      expectObservable(turnDemand(demand, scheduler).ask()).toBe('-');
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
