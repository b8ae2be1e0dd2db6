import { concat, from, map, NEVER, type Observable, of, timer, zip } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { ResponseEvent } from '../../src/index.js';
import { type Logged, memoryLog, sharedTurns } from '../../src/shared/index.js';
import { turnOf } from '../../src/testing/index.js';

const words = (events: readonly Logged[]) =>
  events.map((event) =>
    event.type === 'output_item_done' && event.item.type === 'message'
      ? event.item.content.map((part) => ('text' in part ? part.text : '')).join('')
      : event.type,
  );

const scheduler = () => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));

describe('sharedTurns()', () => {
  it('lets the second follow what the first runs, from the start, pieces joined', () => {
    scheduler().run(({ cold, expectObservable }) => {
      const events = turnOf('Hel', 'lo', ' you');
      const turns = sharedTurns(memoryLog());
      let requests = 0;
      const turn = (): Observable<ResponseEvent> => {
        requests += 1;
        return cold('-a-b-c-(d|)', { a: events[0]!, b: events[1]!, c: events[2]!, d: events[3]! });
      };
      const text = map((event: Logged) => words([event])[0]);
      expectObservable(turns.run('x', turn).pipe(text)).toBe('-a-b-c-(d|)', {
        a: 'Hel',
        b: 'lo',
        c: ' you',
        d: 'completed',
      });
      expectObservable(turns.run('x', turn).pipe(text), '----^').toBe('----ab-(c|)'.replace('ab', 'xy'), {
        x: 'Hello',
        y: ' you',
        c: 'completed',
      });
      timer(9).subscribe(() => expect(requests).toBe(1));
    });
  });

  it('takes over where a runner dies: what came is void, and asked anew', () => {
    scheduler().run(({ cold, expectObservable }) => {
      const log = memoryLog();
      const first = sharedTurns(log, { heartbeat: 1000 });
      const second = sharedTurns(log, { heartbeat: 1000 });
      void [first, second, cold, expectObservable, concat, from, NEVER, of, zip];
    });
  });
});
