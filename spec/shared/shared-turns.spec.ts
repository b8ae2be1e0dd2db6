import fc from 'fast-check';
import {
  asyncScheduler,
  concat,
  concatMap,
  EMPTY,
  from,
  map,
  NEVER,
  Observable,
  of,
  type SchedulerLike,
  type Subscription,
  throwError,
} from 'rxjs';
import { StreamError, UnexpectedStatusError } from '../../src/index.js';
import { AbandonedTurnError, memoryLog, sharedTurns, type TurnLog } from '../../src/shared/index.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { text } from '../support/events.js';
import { story, timedEvents } from '../support/random-events.js';
import {
  after,
  at,
  counted,
  end,
  events,
  marbles,
  memory,
  reading,
  seenBy,
  shared,
  slowed,
  virtually,
  word,
} from '../support/shared-turns.js';

describe('sharedTurns()', () => {
  describe('one turn, many readers', () => {
    it('asks once, and gives late readers the past joined, then what comes', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const log = memory();
        const [one, two] = [shared(log), shared(log)];
        const source = cold('                                         -a-b-c-(dE|)', events);
        const words = map(word);
        expectObservable(one.run('x', () => source).pipe(words)).toBe('-a-b-c-(dE|)');
        expectObservable(two.run('x', () => source).pipe(words), '     ----^').toBe('----xc-(dE|)', {
          x: 'ab',
          c: 'c',
          d: 'd',
          E: 'E',
        });
        expectObservable(two.follow('x').pipe(words), '                ------^').toBe('------y(dE|)', {
          y: 'abc',
          d: 'd',
          E: 'E',
        });
        expectObservable(one.follow('x').pipe(words), '                20ms ^').toBe('20ms (zE|)', {
          z: 'abcd',
          E: 'E',
        });
        expectSubscriptions(source.subscriptions).toBe('              ^------!');
      });
    });

    it('gives every reader exactly the rest, from any place', () => {
      fc.assert(
        fc.property(timedEvents, fc.nat(4), fc.nat(2_000), (timed, wait, joins) => {
          virtually(() => {
            const log = memory();
            const one = shared(slowed(log, () => wait));
            const two = shared(log);
            const source = from(timed).pipe(
              concatMap(({ event, gap }) => (gap === 0 ? of(event) : after(gap).pipe(map(() => event)))),
            );
            const all: (ResponseEvent & { id: string })[] = [];
            const rest = (place: string) => {
              const got: ResponseEvent[] = [];
              two.follow<ResponseEvent>('x', { after: place }).subscribe({
                next: (event) => got.push(event),
                complete() {
                  const from_ = all.findIndex(({ id }) => id === place) + 1;
                  expect(told(got)).toEqual(told(all.slice(from_)));
                },
              });
            };
            one.run('x', () => source).subscribe((event) => all.push(event));
            at(10 + joins, () => {
              for (const place of ['', 'x', '1', '-1', '1-', ...all.map(({ id }) => id)])
                if (!place.startsWith('0-')) rest(place);
            });
            at(200_000, () => {
              for (const { id } of all) if (!id.startsWith('0-')) rest(id);
            });
          });
        }),
        { numRuns: 60 },
      );
    });

    it('takes a place inside a joined piece, or inside an entry', () => {
      virtually((cold) => {
        const log = memory();
        const slow = shared(slowed(log, () => 50));
        const all: string[] = [];
        slow.run('x', () => cold('(ab)-(cdE|)', events)).subscribe(({ id }) => all.push(id));
        at(1_000, () => {
          const rests = all.map((id) => reading(shared(log).follow('x', { after: id })).told);
          expect(rests).toEqual([['bcd', 'E', '|'], ['cd', 'E', '|'], ['d', 'E', '|'], ['E', '|'], ['|']]);
        });
      });
    });

    it('gives one who has more than was written nothing twice', () => {
      virtually((cold) => {
        const log = memory();
        const turns = shared(log);
        turns.run('x', () => cold('ab-c-(dE|)', events)).subscribe();
        at(10, () => {
          expect(reading(turns.follow('x', { after: '1-99' })).told).toEqual(['|']);
          // Of an epoch that this log has not reached: of another log. What there was is void.
          expect(reading(turns.follow('x', { after: '7-1' })).told).toEqual(['R', 'abcd', 'E', '|']);
        });
      });
    });

    it('knows no turn that nobody has run', () => {
      virtually(() => {
        const turns = shared(memory());
        for (const after of ['', '1-3', 'x']) {
          const { told, errors } = reading(turns.follow('x', { after }));
          expect(told).toEqual(['#']);
          expect(errors).toEqual([expect.objectContaining({ name: 'UnknownTurnError' })]);
        }
      });
    });

    it('gives the error of the turn as it is here, and as a RemoteTurnError elsewhere', () => {
      virtually((cold) => {
        const log = memory();
        const error = new UnexpectedStatusError({ status: 503, body: 'sk-secret said' });
        const source = cold('a--#', events, error);
        const here = reading(shared(log).run('x', () => source));
        const there = reading(shared(log).follow('x'));
        at(100, () => {
          expect(here.errors).toEqual([error]);
          expect(there.errors).toEqual([
            expect.objectContaining({
              name: 'RemoteTurnError',
              remoteName: 'UnexpectedStatusError',
              status: 503,
            }),
          ]);
        });
      });
    });
  });

  describe('leaving and stopping', () => {
    it('goes on whenever its readers leave, at every frame', () => {
      for (let frame = 0; frame < 9; frame += 1)
        virtually((cold) => {
          const log = memory();
          const { counts, turn } = counted(cold('-a-b-c-(dE|)', events));
          const run = reading(shared(slowed(log, () => 1)).run('x', turn));
          at(frame, () => run.subscription.unsubscribe());
          at(1, () => {
            const followed = reading(shared(log).follow('x'));
            at(frame, () => followed.subscription.unsubscribe());
          });
          at(50, () => {
            expect(counts).toEqual({ asked: 1, open: 0 });
            expect(reading(shared(log).follow('x')).told).toEqual(['abcd', 'E', '|']);
          });
        });
    });

    it('is stopped from another instance at once, for every reader', () => {
      for (let frame = 0; frame < 7; frame += 1)
        virtually((cold) => {
          const log = memory();
          const { counts, turn } = counted(cold('-a-b-c-(dE|)', events));
          const run = reading(shared(log).run('x', turn));
          const followed = reading(shared(log).follow('x'));
          at(frame, () => {
            const stop = reading(shared(log).stop('x'));
            expect(stop.told).toEqual(['|']);
            expect(reading(shared(log).stop('x')).told).toEqual(['|']);
            expect(counts).toEqual({ asked: 1, open: 0 });
            expect(run.told.slice(-2)).toEqual(['S', '|']);
            expect(followed.told.slice(-2)).toEqual(['S', '|']);
          });
        });
    });

    it('stops nothing that is over, and knows what is not there', () => {
      virtually((cold) => {
        const turns = shared(memory());
        turns.run('x', () => cold('a(E|)', events)).subscribe();
        at(10, () => {
          expect(reading(turns.stop('x')).told).toEqual(['|']);
          expect(reading(turns.follow('x')).told).toEqual(['a', 'E', '|']);
          expect(reading(turns.stop('y')).errors).toEqual([
            expect.objectContaining({ name: 'UnknownTurnError' }),
          ]);
        });
      });
    });

    it('ends a turn whose runner is dead, without asking again', () => {
      virtually((cold) => {
        const log = memory();
        const dying = seenBy(log);
        const { counts, turn } = counted(cold('a-b 60s c', events));
        shared(dying.view).run('x', turn).subscribe();
        at(5, () => {
          dying.die();
          const stop = reading(shared(log).stop('x'));
          const heir = reading(shared(log).run('x', turn));
          at(7_000, () => {
            expect(stop.told).toEqual(['|']);
            expect(heir.told).toEqual(['ab', 'S', '|']);
            expect(counts.asked).toBe(1);
          });
        });
      });
    });

    it.each([
      ['finish', 10_000, ['ab', 'E', '|']],
      ['abort', 1, ['a', 'S', '|']],
      [{ abortAfter: 3_000 }, 3_001, ['a', 'S', '|']],
    ] as const)('when the last reader has gone: %j', (whenLeft, over, words) => {
      virtually((cold) => {
        const log = memory();
        const { counts, turn } = counted(cold('a 9s b(E|)', events));
        const run = reading(shared(log, { whenLeft }).run('x', turn));
        at(1, () => run.subscription.unsubscribe());
        at(over, () => expect(counts.open).toBe(whenLeft === 'finish' ? 0 : 1));
        at(over + 1, () => expect(counts.open).toBe(0));
        at(20_000, () => expect(reading(shared(log).follow('x')).told).toEqual(words));
      });
    });

    it('is not left while somebody reads it on another instance', () => {
      virtually((cold) => {
        const log = memory();
        const { counts, turn } = counted(cold('a 99s b(E|)', events));
        const run = reading(shared(log, { whenLeft: 'abort' }).run('x', turn));
        const other = reading(shared(log, { whenLeft: 'abort' }).follow('x'));
        at(100, () => run.subscription.unsubscribe());
        at(40_000, () => {
          expect(counts.open).toBe(1);
          other.subscription.unsubscribe();
        });
        at(46_100, () => expect(counts.open).toBe(0));
      });
    });
  });

  describe('the death of its runner', () => {
    it.each([
      ['before content', '10s a', 5, ['ab', 'cd', 'E', '|']],
      ['in the middle', 'a-b 20s c', 5, ['ab', 'R', 'ab', 'cd', 'E', '|']],
    ])('%s: one of many takes over', (_, first, dies, expected) => {
      virtually((cold) => {
        const log = memory();
        const dying = seenBy(log);
        const { counts, turn } = counted(cold('(ab) 20s (cdE|)', events));
        shared(dying.view)
          .run('x', () => cold(first, events))
          .subscribe();
        const readers = [1, 2, 3].map(() => reading(shared(log).run('x', turn)));
        const follower = reading(shared(log).follow('x'));
        at(dies, dying.die);
        at(60_000, () => {
          expect(counts).toEqual({ asked: 1, open: 0 });
          for (const { told } of [...readers, follower]) expect(told.join('')).toBe(expected.join(''));
          // One who comes later has it joined.
          expect(reading(shared(log).follow('x')).told.join('')).toBe(expected.join(''));
        });
      });
    });

    it('after its last word: the end is written, and nothing asked', () => {
      virtually((cold) => {
        const log = memory();
        const dying = seenBy(log);
        const { counts, turn } = counted(cold('a(E|)', events));
        // The end does not come with the last word.
        shared(dying.view)
          .run('x', () => concat(cold('a(E|)', events), NEVER))
          .subscribe();
        const heir = reading(shared(log).run('x', turn));
        at(5, dying.die);
        at(20_000, () => {
          expect(heir.told).toEqual(['a', 'E', '|']);
          expect(counts.asked).toBe(0);
        });
      });
    });

    it('without an heir: followers get what there was', () => {
      virtually((cold) => {
        const log = memory();
        const dying = seenBy(log);
        shared(dying.view)
          .run('x', () => cold('a-b 60s c', events))
          .subscribe();
        const follower = reading(shared(log).follow('x'));
        at(5, dying.die);
        at(11_000, () => expect(follower.told).toEqual(['a', 'b']));
        at(14_000, () => {
          expect(follower.told).toEqual(['a', 'b', '#']);
          const [error] = follower.errors;
          expect(error).toBeInstanceOf(AbandonedTurnError);
          expect((error as AbandonedTurnError).run.steps[0]?.turn.text).toBe('ab');
          expect(JSON.stringify(error)).not.toContain('ab"');
        });
      });
    });

    it('was none: a slow runner aborts its own request, and its reader goes over to the other', () => {
      virtually((cold) => {
        const log = memory();
        let wait = 0;
        const slow = counted(cold('a-b-c 40s d', events));
        const fast = counted(cold('(ab) 20s (cdE|)', events));
        const local = reading(shared(slowed(log, () => wait)).run('x', slow.turn));
        let heir = { told: [] as string[] };
        at(1, () => (heir = reading(shared(log).run('x', fast.turn))));
        at(3, () => (wait = 9_000));
        at(12_000, () => {
          expect(slow.counts).toEqual({ asked: 1, open: 0 });
          expect(local.told.join('')).toBe('abcRab');
        });
        at(60_000, () => {
          expect(local.told.join('')).toBe('abcRabcdE|');
          expect(heir.told.join('')).toBe('abRabcdE|');
          expect(fast.counts).toEqual({ asked: 1, open: 0 });
        });
      });
    });

    it('makes what never reached the log void, for those who have it', () => {
      virtually((cold) => {
        const log = memory();
        const dying = seenBy(log);
        shared(dying.view)
          .run('x', () => cold('--a-b 60s c', events))
          .subscribe();
        at(1, dying.die);
        // It has 1-1 and 1-2, of which the log has nothing.
        const reader = reading(shared(log).run('x', () => cold('a(E|)', events), { after: '1-2' }));
        at(20_000, () => expect(reader.told).toEqual(['R', 'a', 'E', '|']));
      });
    });
  });

  describe('a log that is slow, or gone', () => {
    it('asks nothing before the claim, and holds nothing up after it', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const log = memory();
        const source = cold('                                   -a-b-(cE|)', events);
        const one = shared(slowed(log, () => 5));
        expectObservable(one.run('x', () => source).pipe(map(word))).toBe('------a-b-(cE|)');
        expectSubscriptions(source.subscriptions).toBe('   -----^----!');
      });
    });

    it('runs alone where the claim gets no answer, and a claim that arrives late makes no second runner', () => {
      virtually((cold) => {
        const log = memory();
        let wait = 9_000;
        const { counts, turn } = counted(cold('a-b 20s c(dE|)', events));
        const local = reading(shared(slowed(log, () => wait)).run('x', turn));
        at(999, () => expect(counts.asked).toBe(0));
        at(1_003, () => expect(local.told).toEqual(['a', 'b']));
        at(2_000, () => (wait = 1));
        at(9_500, () => {
          const heir = reading(shared(log).run('x', turn));
          at(30_000, () => {
            expect(local.told.join('')).toBe('abcdE|');
            expect(heir.told.join('')).toBe('abcdE|');
            expect(counts).toEqual({ asked: 1, open: 0 });
          });
        });
      });
    });

    it('goes over to the runner that claimed meanwhile, and what was said alone is void', () => {
      virtually((cold) => {
        const log = memory();
        const alone = counted(cold('a-b 20s c', events));
        const local = reading(shared(slowed(log, () => 9_000)).run('x', alone.turn));
        const other = reading(shared(log).run('x', () => cold('cd 30s (E|)', events)));
        at(40_000, () => {
          expect(local.told.join('')).toBe('abRcdE|');
          expect(other.told.join('')).toBe('cdE|');
          expect(alone.counts).toEqual({ asked: 1, open: 0 });
        });
      });
    });

    it.each(['claim', 'append', 'tell', 'told'] as const)('is unharmed where %s fails for good', (method) => {
      virtually((cold) => {
        const log: TurnLog = { ...memory(), [method]: () => throwError(() => new Error('gone')) };
        const run = reading(shared(log, { whenLeft: 'abort' }).run('x', () => cold('a-b(E|)', events)));
        at(2_000, () => expect(run.told.join('')).toBe('abE|'));
      });
    });

    it('knows its own claim, and its own words, whose replies were lost', () => {
      virtually((cold) => {
        const log = memory();
        const lossy = <T extends unknown[]>(call: (...given: T) => unknown) => {
          let calls = 0;
          return (...given: T) => {
            calls += 1;
            const reply = call(...given) as Observable<boolean>;
            return calls % 2 === 1 ? reply.pipe(concatMap(() => throwError(() => new Error('lost')))) : reply;
          };
        };
        const one = shared({
          ...log,
          claim: lossy((...given: Parameters<TurnLog['claim']>) => log.claim(...given)),
          append: lossy((...given: Parameters<TurnLog['append']>) => log.append(...given)),
        });
        const { counts, turn } = counted(cold('a-b-c-(dE|)', events));
        const run = reading(one.run('x', turn));
        at(3_000, () => {
          expect(run.told.join('')).toBe('abcdE|');
          expect(reading(shared(log).follow('x')).told.join('')).toBe('abcdE|');
          expect(counts.asked).toBe(1);
        });
      });
    });

    it('writes fewer and larger entries the slower it is', () => {
      virtually(() => {
        const entriesAt = (wait: number) => {
          const log = memory();
          let entries = 0;
          const slow = slowed(log, () => wait);
          const counting: TurnLog = {
            ...slow,
            append: (...given) => ((entries += 1), slow.append(...given)),
          };
          const source = new Observable<ResponseEvent>((subscriber) => {
            const ticks = Array.from({ length: 100 }, (__, tick) =>
              at(tick, () => {
                subscriber.next(text('word'));
                if (tick === 99) subscriber.complete();
              }),
            );
            return () => ticks.forEach((tick) => tick.unsubscribe());
          });
          shared(counting)
            .run('x', () => source)
            .subscribe();
          return () => entries;
        };
        const counts = [1, 10, 50].map(entriesAt);
        at(10_000, () => expect(counts.map((count) => count())).toEqual([100, 11, 3]));
      });
    });

    it('takes nobody for dead while it cannot be read', () => {
      virtually((cold) => {
        const log = memory();
        let isGone = false;
        const outage: TurnLog = {
          ...log,
          append: (...given) => (isGone ? throwError(() => new Error('gone')) : log.append(...given)),
          read: (...given) => log.read(...given).pipe(concatMap((list) => (isGone ? EMPTY : of(list)))),
        };
        const { counts, turn } = counted(cold('a 70s b(E|)', events));
        const run = reading(shared(outage).run('x', turn));
        const follower = reading(shared(outage).run('x', turn));
        at(1_000, () => (isGone = true));
        at(60_000, () => (isGone = false));
        at(80_000, () => {
          expect([run, follower].map(({ told }) => told.join(''))).toEqual(['abE|', 'abE|']);
          expect(counts.asked).toBe(1);
        });
      });
    });
  });

  describe('close()', () => {
    it('leaves its turns to others at once', () => {
      virtually((cold) => {
        const log = memory();
        const one = shared({ ...log, close: () => EMPTY });
        const first = counted(cold('a-b 60s c', events));
        const second = counted(cold('(abcdE|)', events));
        const here = reading(one.run('x', first.turn));
        const there = reading(shared(log).run('x', second.turn));
        at(5, () => {
          void one.close();
          expect(first.counts).toEqual({ asked: 1, open: 0 });
        });
        at(6, () => {
          expect(second.counts).toEqual({ asked: 1, open: 0 });
          expect(there.told.join('')).toBe('abRabcdE|');
          expect(here.told.slice(0, 2)).toEqual(['a', 'b']);
        });
      });
    });

    it('waits for a log that hangs for logTimeout, and ends its readers', async () => {
      const hanging: TurnLog = { ...memory(), append: () => NEVER };
      const turns = shared(hanging, { logTimeout: 10 });
      const run = reading(turns.run('x', () => concat(of(text('a')), NEVER)));
      await turns.close();
      expect(run.told).toEqual(['a', '#']);
      expect(run.errors[0]).toBeInstanceOf(StreamError);
      expect(reading(turns.follow('x')).errors[0]).toBeInstanceOf(StreamError);
    });
  });

  it('leaves nothing behind of 10,000 turns', () => {
    let open = 0;
    const timers: Subscription[] = [];
    const counting: SchedulerLike = {
      now: () => asyncScheduler.now(),
      schedule(...given: Parameters<SchedulerLike['schedule']>) {
        const action = asyncScheduler.schedule(...given);
        timers.push(action);
        return action;
      },
    };
    const log = memoryLog({ scheduler: counting });
    const watched: TurnLog = {
      ...log,
      told: (...given) =>
        new Observable((subscriber) => {
          open += 1;
          const subscription = log.told(...given).subscribe(subscriber);
          return () => {
            open -= 1;
            subscription.unsubscribe();
          };
        }),
    };
    const turns = sharedTurns(watched, { ttl: Infinity, whenLeft: 'abort', scheduler: counting });
    for (let turn = 0; turn < 10_000; turn += 1) turns.run(`${turn}`, () => of(text('a'), end)).subscribe();
    expect(open).toBe(0);
    expect(timers.length > 10_000).toBe(true);
    expect(timers.filter(({ closed }) => !closed).length).toBe(0);
  });
});

/** What a turn's events come to, pieces joined. */
const told = (all: readonly (ResponseEvent & { id?: string })[]) =>
  story(all.map(({ id: _id, ...event }) => event)).map((each) => JSON.stringify(each));
