import { concatMap, NEVER, Observable, throwError } from 'rxjs';
import type { TurnLog } from '../../src/shared/index.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { completed, text } from '../support/events.js';
import {
  after,
  at,
  counted,
  events,
  memory,
  now,
  reading,
  shared,
  virtually,
} from '../support/shared-turns.js';

/** A log whose appends get no answer until it comes back. */
function gone(log: TurnLog) {
  let isGone = false;
  let offered = 0;
  const view: TurnLog = {
    ...log,
    append: (...given) => {
      offered += 1;
      return isGone ? throwError(() => new Error('gone')) : log.append(...given);
    },
  };
  return { view, set: (now: boolean) => (isGone = now), offered: () => offered };
}

describe('what waits for a log', () => {
  it('is at most maxWaiting characters: exactly so many are written, one more ends the writing', () => {
    // A hundred characters each, with the letter before it.
    const word = 'w'.repeat(99);
    const written = (...last: readonly string[]) => {
      const told: string[][] = [];
      virtually((cold) => {
        const log = memory();
        const outage = gone(log);
        const turns = shared(outage.view, { maxWaiting: 1_000, heartbeat: 1_000_000 });
        const source = new Observable<ResponseEvent>((subscriber) => {
          outage.set(true);
          // One is being written, and waits no more.
          subscriber.next(text('first'));
          for (const each of [...Array.from({ length: 10 }, () => word), ...last])
            subscriber.next(text(each));
          return cold('5s a 5s (E|)', events).subscribe(subscriber);
        });
        const run = reading(turns.run('x', () => source));
        at(3_000, () => outage.set(false));
        at(20_000, () => {
          told.push(run.told);
          const follower = reading(shared(log, { heartbeat: 1_000_000 }).follow('x'));
          told.push(follower.told);
        });
      });
      return told;
    };
    const lengths = (told: readonly string[]) => told.map(({ length }) => length);
    const ten = Array.from({ length: 10 }, () => 99);
    expect(written().map(lengths)).toEqual([
      [5, ...ten, 1, 1, 1],
      [996, 1, 1],
    ]);
    // The letter alone. What was to be written is dropped, and the end never comes.
    expect(written('').map(lengths)).toEqual([[5, ...ten, 0, 1, 1, 1], []]);
  });

  it('holds no more than that, whatever the turn says and however long the log is gone', () => {
    virtually(() => {
      const outage = gone(memory());
      const source = new Observable<ResponseEvent>((subscriber) => {
        outage.set(true);
        for (let place = 0; place < 1_000; place += 1) subscriber.next(text('word'));
        subscriber.next(completed({ finishReason: 'stop' }));
        subscriber.complete();
      });
      const run = reading(shared(outage.view, { maxWaiting: 100 }).run('x', () => source));
      expect(run.told).toHaveLength(1_002);
      let before = 0;
      at(10_000, () => (before = outage.offered()));
      // Nothing is offered any more: it was all dropped.
      at(50_000, () => expect(outage.offered()).toBe(before));
    });
  });

  it.each([
    [59_000, ['ab', 'E', '|']],
    [61_000, []],
  ])('is offered for a minute after the end: the log comes back after %i ms', (back, expected) => {
    virtually((cold) => {
      const log = memory();
      const outage = gone(log);
      outage.set(true);
      const run = reading(shared(outage.view).run('x', () => cold('(abE|)', events)));
      expect(run.told).toEqual([]);
      at(1, () => expect(run.told).toEqual(['a', 'b', 'E', '|']));
      at(back, () => outage.set(false));
      at(64_000, () => expect(reading(shared(log).follow('x')).told).toEqual(expected));
    });
  });

  it('is asked again where the log never answers: after 10 s, in growing intervals of up to 2 s', () => {
    virtually((cold) => {
      const asked: number[] = [];
      const log = memory();
      const silent: TurnLog = { ...log, append: () => (asked.push(now()), NEVER) };
      shared(silent)
        .run('x', () => cold('a 100s E', events))
        .subscribe();
      at(60_000, () => expect(asked).toEqual([0, 10_050, 20_150, 30_350, 40_750, 51_550]));
    });
  });
});

describe('a claim', () => {
  it('that arrives after logTimeout, on two instances, leaves one turn: the other is aborted', () => {
    virtually((cold) => {
      const log = memory();
      const late = (milliseconds: number): TurnLog => ({
        ...log,
        claim: (...given) => after(milliseconds).pipe(concatMap(() => log.claim(...given))),
      });
      const one = counted(cold('(ab) 20s (cdE|)', events));
      const two = counted(cold('(cd) 20s (abE|)', events));
      const first = reading(shared(late(3_000)).run('x', one.turn));
      const second = reading(shared(late(4_000)).run('x', two.turn));
      at(2_000, () => expect([one.counts.open, two.counts.open]).toEqual([1, 1]));
      at(4_001, () => expect([one.counts.open, two.counts.open]).toEqual([1, 0]));
      at(40_000, () => {
        expect([one.counts.asked, two.counts.asked]).toEqual([1, 1]);
        expect(first.told.join('')).toBe('abcdE|');
        // What it was told alone is void.
        expect(second.told.join('')).toBe('cdRabcdE|');
      });
    });
  });

  it('that is lost is made again, and refused where another has claimed meanwhile', () => {
    virtually((cold) => {
      const log = memory();
      let claims = 0;
      const losing: TurnLog = {
        ...log,
        claim: (...given) => {
          claims += 1;
          return claims === 1 ? NEVER : log.claim(...given);
        },
      };
      const one = counted(cold('(ab) 60s (cE|)', events));
      const two = counted(cold('(cd) 20s (E|)', events));
      const first = reading(shared(losing).run('x', one.turn));
      at(5_000, () => {
        const second = reading(shared(log).run('x', two.turn));
        at(30_000, () => expect(second.told.join('')).toBe('cdE|'));
      });
      at(12_000, () => {
        expect(claims).toBe(2);
        expect([one.counts.open, two.counts.open]).toEqual([0, 1]);
      });
      at(40_000, () => expect(first.told.join('')).toBe('abRcdE|'));
    });
  });

  it('of a log that can be reached comes before the request, of however many instances', () => {
    virtually((cold) => {
      const log = memory();
      const turns = Array.from({ length: 20 }, () => counted(cold('(ab) 5s (cE|)', events)));
      const readers = turns.map(({ turn }, place) =>
        reading(
          shared({
            ...log,
            claim: (...given) => after((place * 7) % 20).pipe(concatMap(() => log.claim(...given))),
          }).run('x', turn),
        ),
      );
      at(20_000, () => {
        expect(turns.map(({ counts }) => counts.asked)).toEqual([1, ...Array.from({ length: 19 }, () => 0)]);
        for (const { told } of readers) expect(told.join('')).toBe('abcE|');
      });
    });
  });
});
