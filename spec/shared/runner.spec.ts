import { concat, concatMap, map, type Observable, type SchedulerLike, Subject, takeUntil } from 'rxjs';
import { reduceRun, emptyRun, type Run, runItems, runTools, tool } from '../../src/index.js';
import type { SharedTurns, TurnContext, TurnLog } from '../../src/shared/index.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { asked, call, called, objectionsTo } from '../support/runs.js';
import {
  after,
  at,
  counted,
  events,
  memory,
  reading,
  seenBy,
  shared,
  skewed,
  virtually,
} from '../support/shared-turns.js';

describe('readers who come back', () => {
  const whenLeft = { abortAfter: 5_000 };

  it('within abortAfter keep the turn, as often as they do, on any instance', () => {
    virtually((cold) => {
      const log = memory();
      const { counts, turn } = counted(cold('a 99s b(E|)', events));
      const one = shared(log, { whenLeft });
      const two = shared(log, { whenLeft });
      const run = reading(one.run('x', turn));
      at(1_000, () => run.subscription.unsubscribe());
      // Each reads for a second, and goes; the next comes before the turn is given up.
      for (let visit = 0; visit < 5; visit += 1)
        at(5_000 + visit * 11_000, () => {
          const back = reading((visit % 2 === 0 ? two : one).follow('x'));
          expect(back.told).toEqual(['a']);
          at(1_000, () => back.subscription.unsubscribe());
        });
      at(55_000, () => expect(counts.open).toBe(1));
      // The last has gone at 50 s, gave its last sign a second before, and is believed for three heartbeats.
      at(49_000 + 6_000 + 5_000, () => expect(counts.open).toBe(1));
      at(49_000 + 6_000 + 5_002, () => expect(counts).toEqual({ asked: 1, open: 0 }));
    });
  });

  it('after it find the turn stopped, and it is not asked again', () => {
    virtually((cold) => {
      const log = memory();
      const { counts, turn } = counted(cold('a 99s b(E|)', events));
      const turns = shared(log, { whenLeft });
      const run = reading(turns.run('x', turn));
      at(1_000, () => run.subscription.unsubscribe());
      at(6_001, () => expect(counts.open).toBe(0));
      at(7_000, () => expect(reading(turns.run('x', turn)).told).toEqual(['a', 'S', '|']));
      at(8_000, () => expect(counts.asked).toBe(1));
    });
  });
});

describe('stop(), while a claim is under way', () => {
  it.each([0, 1, 100, 499])(
    'whose entry is written and whose reply is not: at %i ms, nothing is asked',
    (when) => {
      virtually((cold) => {
        const log = memory();
        const late: TurnLog = {
          ...log,
          claim: (...given) => {
            const reply = log.claim(...given) as Observable<boolean>;
            return after(500).pipe(concatMap(() => reply));
          },
        };
        const { counts, turn } = counted(cold('a 9s (E|)', events));
        const run = reading(shared(late).run('x', turn));
        at(when, () => {
          const stop = reading(shared(log).stop('x'));
          at(2_000, () => {
            expect(stop.told).toEqual(['|']);
            expect(run.told).toEqual(['S', '|']);
            expect(counts).toEqual({ asked: 0, open: 0 });
          });
        });
      });
    },
  );

  it('whose entry is not written: there is no such turn, and it goes on', () => {
    virtually((cold) => {
      const log = memory();
      const late: TurnLog = {
        ...log,
        claim: (...given) => after(500).pipe(concatMap(() => log.claim(...given))),
      };
      const { counts, turn } = counted(cold('a 9s (E|)', events));
      const run = reading(shared(late).run('x', turn));
      at(100, () =>
        expect(reading(shared(log).stop('x')).errors).toEqual([
          expect.objectContaining({ name: 'UnknownTurnError' }),
        ]),
      );
      at(20_000, () => {
        expect(run.told).toEqual(['a', 'E', '|']);
        expect(counts.asked).toBe(1);
      });
    });
  });

  // The heir claims after 6 s; its claim takes a second.
  it.each([4_000, 5_999, 6_000, 6_001, 6_500, 6_999, 7_000])(
    'of whoever takes over: told at %i ms, it ends the turn before anything is asked',
    (when) => {
      virtually((cold) => {
        const log = memory();
        const dying = seenBy(log);
        shared(dying.view)
          .run('x', () => cold('a-b 99s c', events))
          .subscribe();
        const slow: TurnLog = {
          ...log,
          claim: (...given) => after(1_000).pipe(concatMap(() => log.claim(...given))),
        };
        const { counts, turn } = counted(cold('a 9s (E|)', events));
        const heir = reading(shared(slow).run('x', turn));
        at(5, dying.die);
        at(when, () => {
          const stop = reading(shared(log).stop('x'));
          at(20_000, () => {
            expect(stop.told).toEqual(['|']);
            expect(heir.told.join('')).toBe('abS|');
            expect(counts.asked).toBe(0);
          });
        });
      });
    },
  );
});

describe('clocks', () => {
  const story = (clock: (() => number) | undefined) => {
    const told: string[][] = [];
    virtually((cold) => {
      const log = memory();
      const dying = seenBy(log);
      const skew: { scheduler?: SchedulerLike } = clock === undefined ? {} : { scheduler: skewed(clock) };
      shared(dying.view, skew)
        .run('x', () => cold('a-b 99s c', events))
        .subscribe();
      const heirs = [1, 2].map(() =>
        reading(shared(log, skew).run('x', () => cold('(ab) 20s (cE|)', events))),
      );
      // One that goes on, beside it.
      const { counts, turn } = counted(cold('a 70s b(E|)', events));
      const quiet = [1, 2].map(() => reading(shared(log, skew).run('y', turn)));
      at(5, dying.die);
      at(100_000, () => {
        told.push(...[...heirs, ...quiet].map((each) => each.told), [`asked ${counts.asked}`]);
      });
    });
    return told;
  };

  let calls = 0;
  it.each([
    ['that stand still', () => 0],
    ['that are wrong by ten years', () => 315_360_000_000],
    ['that go backwards', () => -1_000 * (calls += 1)],
    ['that jump by an hour, to and fro', () => ((calls += 1) % 2 === 0 ? 3_600_000 : -3_600_000)],
    ['that are no number', () => NaN],
  ])('%s change nothing: neither who is dead, nor what is read', (_, clock) => {
    expect(story(clock)).toEqual(story(undefined));
  });
});

describe('a run of tools', () => {
  /** What the model says: it calls once, then answers. Each takes some milliseconds. */
  const said = (hasOutput: boolean): Observable<ResponseEvent> =>
    hasOutput
      ? timed(text('It is '), text('24.'), completed({ finishReason: 'stop' }))
      : timed(text('Let me '), text('see.'), called(call('pay')), asked());

  const timed = (...all: readonly ResponseEvent[]): Observable<ResponseEvent> =>
    concat(...all.map((each) => after(2).pipe(map(() => each))));

  function instance(log: TurnLog, isIdempotent = false) {
    const { view, die } = seenBy(log);
    const death = new Subject<void>();
    const counts = { executed: 0, asked: [0, 0] as [number, number] };
    const pay = tool({
      name: 'pay',
      description: 'Pays',
      input: { type: 'object' },
      idempotent: isIdempotent,
      execute: () => {
        counts.executed += 1;
        return after(4).pipe(map(() => 'paid'));
      },
    });
    const turn = (logged: Run | undefined, { written }: TurnContext): Observable<RunEvent> =>
      runTools('Pay', {
        turn: (prompt) => {
          const hasOutput = prompt.input.some(({ type }) => type === 'function_call_output');
          counts.asked[hasOutput ? 1 : 0] += 1;
          return said(hasOutput);
        },
        tools: [pay],
        resume: logged,
        beforeTool: () => written,
        // What it says when it dies reaches nobody.
      }).pipe(takeUntil(death));
    const turns: SharedTurns = shared(view);
    return {
      counts,
      run: () => folded(turns.run('x', turn)),
      die: () => {
        die();
        death.next();
      },
    };
  }

  const outputOf = (run: Run) =>
    runItems(run)
      .filter(({ type }) => type === 'function_call_output')
      .map((item) => ('output' in item && typeof item.output === 'string' ? item.output : ''));

  it.each([
    ['once', false],
    ['as often as it must', true],
  ])('whose runner dies, at every millisecond, is answered, and its tool executed %s', (_, isIdempotent) => {
    for (let dies = 0; dies <= 24; dies += 1)
      virtually(() => {
        const log = memory();
        const one = instance(log, isIdempotent);
        const two = instance(log, isIdempotent);
        one.run();
        at(dies, one.die);
        const seen = two.run();
        at(30_000, () => {
          expect([dies, seen.isComplete(), seen.run().reason]).toEqual([dies, true, 'answered']);
          expect(objectionsTo([...runItems(seen.run())])).toEqual([]);
          expect(textOf(seen.run())).toBe('It is 24.');
          const executed = one.counts.executed + two.counts.executed;
          const [output, more] = outputOf(seen.run());
          expect(more).toBeUndefined();
          if (isIdempotent) expect(output).toBe('paid');
          // The model is told that it was paid, or that nobody knows; never is it paid twice.
          else
            expect([dies, executed, output === 'paid' || /not known|unknown/.test(output ?? '')]).toEqual([
              dies,
              1,
              true,
            ]);
        });
      });
  });

  it('between two of its turns goes on with the second, and the first is not asked again', () => {
    virtually(() => {
      const log = memory();
      const one = instance(log);
      const two = instance(log);
      one.run();
      // The tool has ended at 12 ms, and the second turn's first word comes at 14.
      at(13, one.die);
      const seen = two.run();
      at(30_000, () => {
        expect(two.counts).toEqual({ executed: 0, asked: [0, 1] });
        expect(outputOf(seen.run())).toEqual(['paid']);
        expect(seen.run().reason).toBe('answered');
      });
    });
  });

  it('whose second runner dies too, at every millisecond after it took over, is answered, and paid once', () => {
    for (const first of [3, 7, 10, 13, 15])
      for (let dies = 0; dies <= 24; dies += 1)
        virtually(() => {
          const log = memory();
          const [one, two, three] = [instance(log), instance(log), instance(log)];
          one.run();
          at(first, one.die);
          two.run();
          // The third comes when the second has taken over.
          at(6_500, () => {
            const seen = three.run();
            at(60_000, () => {
              expect([first, dies, seen.isComplete(), seen.run().reason]).toEqual([
                first,
                dies,
                true,
                'answered',
              ]);
              expect(objectionsTo([...runItems(seen.run())])).toEqual([]);
              expect(textOf(seen.run())).toBe('It is 24.');
              const executed = [one, two, three].map(({ counts }) => counts.executed);
              expect([first, dies, executed.reduce((sum, each) => sum + each)]).toEqual([first, dies, 1]);
            });
          });
          at(6_000 + dies, two.die);
        });
  });

  const textOf = (run: Run): string => run.steps.at(-1)?.turn.text ?? '';

  function folded(source: Observable<RunEvent>) {
    let run = emptyRun;
    let isComplete = false;
    source.subscribe({
      next: (event) => (run = reduceRun(run, event)),
      complete: () => (isComplete = true),
    });
    return { run: () => run, isComplete: () => isComplete };
  }
});
