import type { EventSourceMessage } from 'eventsource-parser';
import { concat, concatMap, config, map, NEVER, Observable, of, range, Subject, take, tap } from 'rxjs';
import type { ResponseEvent } from '../../src/events.js';
import { idleTimeout } from '../../src/response/idle-timeout.js';
import { responseEvents } from '../../src/response/response-events.js';
import { isDone, untilDone } from '../../src/response/until-done.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

type Batch = readonly EventSourceMessage[];

const message = (data: string): EventSourceMessage => ({ id: undefined, event: undefined, data });
const content = (text: string) => message(JSON.stringify({ choices: [{ delta: { content: text } }] }));
const done = message('[DONE]');

const batches: Record<string, Batch> = {
  a: [content('a')],
  b: [content('b'), content('c')],
  e: [],
  D: [done],
  E: [content('b'), content('c'), done, content('late')],
};
const values: Record<string, Batch | ResponseEvent> = {
  ...batches,
  x: text('a'),
  y: text('b'),
  z: text('c'),
  C: completed(),
};

describe('isDone', () => {
  it.each([
    ['[DONE]', true],
    [' [DONE] ', true],
    ['\n[DONE]\t', true],
    ['[done]', false],
    ['[DONE', false],
    ['[DONE] ?', false],
    ['{"content":"[DONE]"}', false],
    ['"[DONE]"', false],
    ['', false],
  ])('of %j is %s', (data, expected) => {
    expect(isDone(message(data))).toBe(expected);
  });
});

describe('untilDone', () => {
  it('completes at [DONE] and reads on until the source ends, dropping what comes', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-D-b-|', batches);
      expectObservable(source.pipe(untilDone())).toBe('-a-|', batches);
      expectSubscriptions(source.subscriptions).toBe(' ^------!');
    });
  });

  it('ends a source that never ends 1,000 ms after [DONE]', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-D', batches);
      expectObservable(source.pipe(untilDone())).toBe('-a-|', batches);
      expectSubscriptions(source.subscriptions).toBe(' ^-- 1s !');
    });
  });

  it('drops an error after [DONE]', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-D--#', batches);
      expectObservable(source.pipe(untilDone())).toBe('-a-|', batches);
      expectSubscriptions(source.subscriptions).toBe(' ^-----!');
    });
  });

  it('passes on what came before [DONE] in the same batch, and nothing after it', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-E-a-|', batches).pipe(untilDone())).toBe('-a-(b|)', batches);
    });
  });

  it('passes an end, an error and an empty batch without [DONE] on', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-e-|', batches);
      expectObservable(source.pipe(untilDone())).toBe('-a-e-|', batches);
      expectSubscriptions(source.subscriptions).toBe(' ^----!');
      const broken = cold('-a-#', batches);
      expectObservable(broken.pipe(untilDone())).toBe('-a-#', batches);
      expectSubscriptions(broken.subscriptions).toBe(' ^--!');
    });
  });

  it('ends the source at once where the subscriber leaves before [DONE]', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-D--|', batches);
      expectObservable(source.pipe(untilDone()), '^-!').toBe('-a-', batches);
      expectSubscriptions(source.subscriptions).toBe('       ^-!');
    });
  });

  it('leaves the source its grace where the subscriber leaves after [DONE]', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-D', batches);
      const longer = concat(source.pipe(untilDone()), NEVER);
      expectObservable(longer, '^----!').toBe('-a-', batches);
      expectSubscriptions(source.subscriptions).toBe('^-- 1s !');
    });
  });

  it('gives each subscription its own end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-D--|', batches);
      const result = source.pipe(untilDone());
      expectObservable(result).toBe('-|');
      expectObservable(result, '---^').toBe('----|');
      expectSubscriptions(source.subscriptions).toBe(['^---!', '---^---!']);
    });
  });

  it('lets the next turn begin while the connection is read on', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('-D--|', batches);
      const second = cold('-a-D|', batches);
      expectObservable(concat(first.pipe(untilDone()), second.pipe(untilDone()))).toBe('--a-|', batches);
      expectSubscriptions(first.subscriptions).toBe('^---!');
      expectSubscriptions(second.subscriptions).toBe('-^---!');
    });
  });

  it('sets no timer where the source has ended already', () => {
    const scheduler = testScheduler();
    const schedule = jest.spyOn(scheduler, 'schedule');
    expect(received(of<Batch[]>([content('a')], [done]).pipe(untilDone(scheduler)))).toEqual([batches['a']]);
    expect(schedule).not.toHaveBeenCalled();
  });

  it('clears its timer when the source ends within the grace', () => {
    jest.useFakeTimers();
    try {
      const source = new Subject<Batch>();
      source.pipe(untilDone()).subscribe();
      source.next([done]);
      expect(jest.getTimerCount()).toBe(1);
      source.complete();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('stops an endless synchronous source whose subscriber has left', () => {
    const endless = range(0, Infinity).pipe(map((): Batch => [content('x')]));
    expect(received(endless.pipe(untilDone(), take(2)))).toEqual([[content('x')], [content('x')]]);
  });

  it('asks nothing more of a synchronous source than its end once it is done', () => {
    const source = of<Batch[]>([content('a')], [done], [content('late')]);
    expect(received(source.pipe(untilDone(testScheduler())))).toEqual([[content('a')]]);
  });
});

describe('untilDone before responseEvents', () => {
  const turn = (source: Observable<Batch>) => source.pipe(untilDone(), idleTimeout(10), responseEvents());

  it('gives the connection its grace where the consumer leaves inside next(completed)', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-D', batches);
      expectObservable(turn(source).pipe(take(2))).toBe('-x-(C|)', values);
      expectSubscriptions(source.subscriptions).toBe('   ^-- 1s !');
    });
  });

  it('gives it too where completed comes with the last events of one batch', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('---E--|', batches);
      expectObservable(turn(source).pipe(take(3))).toBe('---(yzC|)', values);
      expectSubscriptions(source.subscriptions).toBe('   ^-----!');
    });
  });

  it('aborts at once where the consumer leaves inside an event of the batch that holds [DONE]', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      for (const count of [1, 2]) {
        const source = cold('---E--|', batches);
        expectObservable(turn(source).pipe(take(count))).toBe(count === 1 ? '---(y|)' : '---(yz|)', values);
        expectSubscriptions(source.subscriptions).toBe('   ^--!');
      }
    });
  });

  it('gives the grace where the consumer is one turn of a longer pipeline', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-D', batches);
      const longer = cold('--s', { s: 0 }).pipe(concatMap(() => turn(source)));
      expectObservable(longer, '^ 100ms !').toBe('---x-C', values);
      expectSubscriptions(source.subscriptions).toBe('--^-- 1s !');
    });
  });

  it('has no idle limit in the grace', () => {
    jest.useFakeTimers();
    try {
      const source = new Subject<Batch>();
      const events: unknown[] = [];
      turn(source).subscribe({
        next: (event) => events.push(event),
        error: (error: unknown) => events.push(error),
        complete: () => events.push('complete'),
      });
      expect(jest.getTimerCount()).toBe(1);
      source.next([done]);
      expect(jest.getTimerCount()).toBe(1);
      jest.advanceTimersByTime(999);
      expect(source.observed).toBe(true);
      jest.advanceTimersByTime(1);
      expect(source.observed).toBe(false);
      expect(jest.getTimerCount()).toBe(0);
      expect(events).toEqual([values['C'], 'complete']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('leaves no grace to a synchronous source, which nothing else could end', () => {
    let reads = 0;
    const endless = concat(
      of([content('a')], [done]),
      range(0, Infinity).pipe(
        map((): Batch => [content('late')]),
        tap(() => (reads += 1)),
      ),
    );
    expect(received(turn(endless))).toEqual([text('a'), completed()]);
    expect(reads).toBe(1);
  });

  it.each([
    ['an event', (source: Subject<Batch>) => source.next([content('late')])],
    ['another [DONE]', (source: Subject<Batch>) => source.next([done])],
    ['an error', (source: Subject<Batch>) => source.error('late')],
    ['the end', (source: Subject<Batch>) => source.complete()],
  ])('passes %s that comes in the grace to nobody, RxJS included', (_, say) => {
    const { onStoppedNotification } = config;
    const stopped = jest.fn();
    config.onStoppedNotification = stopped;
    jest.useFakeTimers();
    try {
      const source = new Subject<Batch>();
      const events: unknown[] = [];
      source.pipe(untilDone()).subscribe((event) => events.push(event));
      source.next([content('a'), done]);
      say(source);
      jest.runOnlyPendingTimers();
      expect(events).toEqual([[content('a')]]);
      expect(stopped).not.toHaveBeenCalled();
    } finally {
      jest.useRealTimers();
      config.onStoppedNotification = onStoppedNotification;
    }
  });

  it('stops an endless synchronous source', () => {
    const endless = range(0, Infinity).pipe(map((n): Batch => [content(`${n}`), content('never')]));
    expect(received(turn(endless).pipe(take(1)))).toEqual([text('0')]);
    expect(received(turn(endless).pipe(take(3)))).toEqual([text('0'), text('never'), text('1')]);
  });
});
