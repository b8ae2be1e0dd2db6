import type { EventSourceMessage } from 'eventsource-parser';
import {
  concat,
  concatMap,
  config,
  map,
  NEVER,
  type OperatorFunction,
  of,
  pipe,
  range,
  type SchedulerLike,
  Subject,
  take,
  tap,
  VirtualTimeScheduler,
  identity,
  type Observable,
  throwError,
} from 'rxjs';
import { readAnswer, type ReadAnswerOptions } from '../../src/response/read-answer.js';
import { diagnose } from '../../src/turn/diagnostics.js';
import { IdleTimeoutError, ProviderStreamError, StreamError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import type { AnswerReader } from '../../src/response/body-reader.js';
import type { ChunkDecoderOptions } from '../../src/response/chunks/chunk-decoder.js';
import { idleTimeout } from '../../src/response/idle-timeout.js';
import { readEvents, type ReadEventsOptions } from '../../src/response/read-events.js';
import { toResponseEvents } from '../../src/response/to-response-events.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

type Batch = readonly EventSourceMessage[];

const message = (data: string): EventSourceMessage => ({ id: undefined, event: undefined, data });
const content = (text: string, rest: object = {}) =>
  message(JSON.stringify({ choices: [{ delta: { content: text } }], ...rest }));
const done = message('[DONE]');
const failure = message('{"error":{"message":"the key sk-1 is worn out","code":"overloaded"}}');

const batches: Record<string, Batch> = {
  a: [content('a')],
  b: [content('b'), content('c')],
  e: [],
  D: [done],
  E: [content('b'), content('c'), done, content('late')],
  F: [content('b'), failure, content('c')],
};
const values: Record<string, ResponseEvent> = {
  x: text('a'),
  y: text('b'),
  z: text('c'),
  C: completed(),
  E: completed({ endedBy: 'eof' }),
};

/** Each part holds its events already. */
const reader: AnswerReader<Batch> = { push: (batch) => [...batch], end: () => [] };

interface StageOptions extends ReadEventsOptions, ChunkDecoderOptions {
  readonly idleTimeout?: number;
  readonly idleClock?: SchedulerLike;
}

/** The three stages of `readAnswer`, over answers that are drawn. */
const stages = (
  readerOf: () => AnswerReader<Batch>,
  options: StageOptions = {},
): OperatorFunction<Batch, ResponseEvent> =>
  pipe(
    readEvents(readerOf, options),
    idleTimeout(options.idleTimeout ?? Infinity, options.idleClock ?? options.scheduler),
    toResponseEvents(options),
  );

const answer = (options?: StageOptions) => stages(() => reader, options);

describe('the three stages of readAnswer', () => {
  it('gives the events of each part at once, and completed where the parts end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-e-b---|', batches);
      expectObservable(source.pipe(answer())).toBe('-x---(yz)(E|)', values);
      expectSubscriptions(source.subscriptions).toBe('^--------!');
    });
  });

  it('gives completed alone for an answer without events', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<Batch>('--|').pipe(answer())).toBe('--(E|)', values);
    });
  });

  it("passes the source's error on, without completed", () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-#', batches);
      expectObservable(source.pipe(answer())).toBe('-x-#', values);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('gives what the end of the answer completes, before completed', () => {
    const atEnd = (batch: Batch) => stages(() => ({ ...reader, end: () => [...batch] }));
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold('-a-|', batches).pipe(atEnd([content('b'), content('c')]))).toBe(
        '-x-(yzE|)',
        values,
      );
      expectObservable(cold('-a-|', batches).pipe(atEnd([content('b'), done, content('c')]))).toBe(
        '-x-(yC|)',
        values,
      );
      expectObservable(cold('-a-|', batches).pipe(atEnd([failure]))).toBe(
        '-x-#',
        values,
        new ProviderStreamError({ code: 'overloaded' }),
      );
    });
    expect(received(of<Batch>([content('a')]).pipe(atEnd([content('b'), content('c')]), take(2)))).toEqual([
      text('a'),
      text('b'),
    ]);
  });

  it('errors with what its reader throws, and ends the source', () => {
    const error = new StreamError();
    const broken = (at: keyof AnswerReader<Batch>) =>
      stages(() => ({
        ...reader,
        [at]: () => {
          throw error;
        },
      }));
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b', batches);
      expectObservable(source.pipe(broken('push'))).toBe('-#', undefined, error);
      expectSubscriptions(source.subscriptions).toBe('^!');
      expectObservable(cold('-a-|', batches).pipe(broken('end'))).toBe('-x-#', values, error);
    });
  });

  it("errors inside a part that holds an error of the provider's, and ends the source", () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-F-b|', batches);
      const error = new ProviderStreamError({ code: 'overloaded' });
      expectObservable(source.pipe(answer())).toBe('-x-(y#)', values, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('gives the words of the provider without the secrets', () => {
    const redact = (text: string) => text.replace('sk-1', '***');
    const error = failureOf(of([failure]).pipe(answer({ redact })));
    expect(error).toBeInstanceOf(ProviderStreamError);
    expect((error as ProviderStreamError).providerMessage).toBe('the key *** is worn out');
    expect((error as ProviderStreamError).code).toBe('overloaded');
  });

  it('skips data that is no JSON object and tells its place', () => {
    const malformed: unknown[] = [];
    const source = of<Batch[]>([content('a'), message('{"choices"')], [message('7'), content('b')]);
    const onMalformed = (event: object) => malformed.push(event);
    expect(received(source.pipe(answer({ onMalformed })))).toEqual([values['x'], values['y'], values['E']]);
    expect(malformed).toEqual([
      { length: 10, position: 1 },
      { length: 1, position: 2 },
    ]);
  });

  it('unsubscribes from the source with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-D--|', batches);
      expectObservable(source.pipe(answer()), '^-!').toBe('-x-', values);
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  it('decodes nothing more once its subscriber has left inside a part', () => {
    const malformed: unknown[] = [];
    const onMalformed = (event: object) => malformed.push(event);
    const source = of<Batch>([content('a'), message('no JSON')]);
    expect(received(source.pipe(answer({ onMalformed }), take(1)))).toEqual([values['x']]);
    expect(malformed).toEqual([]);
  });

  it('keeps the state of each subscription by itself', () => {
    const turn = of<Batch>([content('a', { id: 'r1', model: 'm' })]).pipe(answer());
    const expected = [values['x'], completed({ responseId: 'r1', model: 'm', endedBy: 'eof' })];
    expect(received(turn)).toEqual(expected);
    expect(received(turn)).toEqual(expected);
  });

  it('tells how many events have come, and that [DONE] has, before they are given', () => {
    const told: unknown[] = [];
    const options = { onEvents: (count: number) => told.push(count), onDone: () => told.push('done') };
    const listen = (source: Batch[]) =>
      of(...source)
        .pipe(answer(options))
        .subscribe({ next: ({ type }) => told.push(type), error: () => told.push('error') });
    listen([[content('a'), message('no JSON')], [content('b'), done, content('late')], [content('late')]]);
    expect(told.splice(0)).toEqual([
      ...[2, 'output_item_done'],
      ...['done', 1, 'output_item_done', 'completed'],
    ]);
    listen([[content('a')]]);
    expect(told.splice(0)).toEqual([1, 'output_item_done', 0, 'completed']);
    listen([[failure]]);
    expect(told).toEqual([1, 'error']);
  });

  describe('at [DONE]', () => {
    it('completes and reads on until the source ends, dropping what comes', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-a-D-b-|', batches);
        expectObservable(source.pipe(answer())).toBe('-x-(C|)', values);
        expectSubscriptions(source.subscriptions).toBe('^------!');
      });
    });

    it('ends a source that never ends after 1,000 ms', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-a-D', batches);
        expectObservable(source.pipe(answer())).toBe('-x-(C|)', values);
        expectSubscriptions(source.subscriptions).toBe('^-- 1s !');
      });
    });

    it('errors with what its listener throws, and ends the source', () => {
      const error = new Error('of the listener');
      const onDone = () => {
        throw error;
      };
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-a-D', batches);
        expectObservable(source.pipe(answer({ onDone }))).toBe('-x-#', values, error);
        expectSubscriptions(source.subscriptions).toBe('^--!');
      });
    });

    it('drops an error', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-a-D-b#', batches);
        expectObservable(source.pipe(answer())).toBe('-x-(C|)', values);
        expectSubscriptions(source.subscriptions).toBe('^-----!');
      });
    });

    it('still ends a source that its reader refuses to read on', () => {
      const push = (batch: Batch) => {
        if (batch.length === 0) throw new StreamError();
        return [...batch];
      };
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-a-D-b-e--', batches);
        expectObservable(source.pipe(stages(() => ({ ...reader, push })))).toBe('-x-(C|)', values);
        expectSubscriptions(source.subscriptions).toBe('^------!');
      });
    });

    it('reads a synchronous source on through what holds no event', () => {
      let ended = false;
      const source = of<Batch[]>([content('a'), done], [], []).pipe(tap({ complete: () => (ended = true) }));
      expect(received(source.pipe(answer()))).toEqual([text('a'), completed()]);
      expect(ended).toBe(true);
    });

    it('gives what came before it in the same part, and nothing after it', () => {
      testScheduler().run(({ cold, expectObservable }) => {
        expectObservable(cold('-a-E-a-|', batches).pipe(answer())).toBe('-x-(yzC|)', values);
      });
    });

    it('leaves the source its grace where the subscriber leaves after it', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-a-D', batches);
        const longer = concat(source.pipe(answer()), NEVER);
        expectObservable(longer, '^----!').toBe('-x-C-', values);
        expectSubscriptions(source.subscriptions).toBe('^-- 1s !');
      });
    });

    it('gives each subscription its own end', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-D--|', batches);
        const result = source.pipe(answer());
        expectObservable(result).toBe('-(C|)', values);
        expectObservable(result, '---^').toBe('----(C|)', values);
        expectSubscriptions(source.subscriptions).toBe(['^---!', '---^---!']);
      });
    });

    it('lets the next turn begin while the connection is read on', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const first = cold('-D------|', batches);
        const second = cold('-a---D|', batches);
        expectObservable(concat(first.pipe(answer()), second.pipe(answer()))).toBe('-Cx---(C|)', values);
        expectSubscriptions(first.subscriptions).toBe('^-------!');
        expectSubscriptions(second.subscriptions).toBe('-^-----!');
      });
    });

    it('sets no timer where the source has ended already', () => {
      const scheduler = testScheduler();
      const schedule = jest.spyOn(scheduler, 'schedule');
      const source = of<Batch[]>([content('a')], [done]);
      expect(received(source.pipe(answer({ scheduler })))).toEqual([values['x'], values['C']]);
      expect(schedule).not.toHaveBeenCalled();
    });

    it('clears its timer when the source ends within the grace', () => {
      jest.useFakeTimers();
      try {
        const source = new Subject<Batch>();
        source.pipe(answer()).subscribe();
        source.next([done]);
        expect(jest.getTimerCount()).toBe(1);
        source.complete();
        expect(jest.getTimerCount()).toBe(0);
      } finally {
        jest.useRealTimers();
      }
    });

    it('asks nothing more of a synchronous source than its end', () => {
      const source = of<Batch[]>([content('a')], [done], [content('late')]);
      expect(received(source.pipe(answer({ scheduler: testScheduler() })))).toEqual([
        values['x'],
        values['C'],
      ]);
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
      expect(received(endless.pipe(answer()))).toEqual([text('a'), completed()]);
      expect(reads).toBe(1);
    });

    it('gives the connection its grace where the consumer leaves inside next(completed)', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-a-D', batches);
        expectObservable(source.pipe(answer(), take(2))).toBe('-x-(C|)', values);
        expectSubscriptions(source.subscriptions).toBe('^-- 1s !');
      });
    });

    it('gives it too where completed comes with the last events of one part', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('---E--|', batches);
        expectObservable(source.pipe(answer(), take(3))).toBe('---(yzC|)', values);
        expectSubscriptions(source.subscriptions).toBe('^-----!');
      });
    });

    it('ends the source at once where the consumer leaves inside an event of that part', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        for (const count of [1, 2]) {
          const source = cold('---E--|', batches);
          expectObservable(source.pipe(answer(), take(count))).toBe(
            count === 1 ? '---(y|)' : '---(yz|)',
            values,
          );
          expectSubscriptions(source.subscriptions).toBe('^--!');
        }
      });
    });

    it('gives the grace where the consumer is one turn of a longer pipeline', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-a-D', batches);
        const longer = cold('--s', { s: 0 }).pipe(concatMap(() => source.pipe(answer())));
        expectObservable(longer, '^ 100ms !').toBe('---x-C', values);
        expectSubscriptions(source.subscriptions).toBe('--^-- 1s !');
      });
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
        source.pipe(answer()).subscribe((event) => events.push(event));
        source.next([content('a'), done]);
        say(source);
        jest.runOnlyPendingTimers();
        expect(events).toEqual([text('a'), completed()]);
        expect(stopped).not.toHaveBeenCalled();
      } finally {
        jest.useRealTimers();
        config.onStoppedNotification = onStoppedNotification;
      }
    });
  });

  describe('with an idle limit', () => {
    const error = new IdleTimeoutError(6);

    it('errors after so long without an event, from the beginning and anew from each, and ends the source', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const silent = cold<Batch>('---');
        expectObservable(silent.pipe(answer({ idleTimeout: 6 }))).toBe('------#', undefined, error);
        expectSubscriptions(silent.subscriptions).toBe('^-----!');
        const source = cold('-----a----b-e--a', batches);
        expectObservable(source.pipe(answer({ idleTimeout: 6 }))).toBe(
          '-----x----(yz)-x-----#',
          values,
          error,
        );
        expectSubscriptions(source.subscriptions).toBe('^--------------------!');
      });
    });

    it('counts a part without an event for nothing, unless any byte counts', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('---e---e---|', batches);
        expectObservable(source.pipe(answer({ idleTimeout: 6, pass: 'events' }))).toBe(
          '------#',
          undefined,
          error,
        );
        expectObservable(source.pipe(answer({ idleTimeout: 6, pass: 'bytes' }))).toBe(
          '-----------(E|)',
          values,
        );
        expectSubscriptions(source.subscriptions).toBe(['^-----!', '^----------!']);
      });
    });

    it('counts on a clock of its own', () => {
      const idleClock = testScheduler();
      const schedule = jest.spyOn(idleClock, 'schedule');
      const scheduler = testScheduler();
      const others = jest.spyOn(scheduler, 'schedule');
      const source = new Subject<Batch>();
      source.pipe(answer({ idleTimeout: 6, idleClock, scheduler })).subscribe();
      expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([6]);
      source.next([done]);
      expect(others.mock.calls.map(([, delay]) => delay)).toEqual([1_000]);
    });

    it.each([
      ['at [DONE]', (source: Subject<Batch>) => source.next([done])],
      ['at the end', (source: Subject<Batch>) => source.complete()],
    ])('has none %s, however long the consumer takes', (_, end) => {
      const scheduler = new VirtualTimeScheduler();
      const source = new Subject<Batch>();
      const seen: unknown[] = [];
      source.pipe(answer({ idleTimeout: 10, scheduler })).subscribe({
        next: ({ type }) => {
          seen.push(type);
          scheduler.flush();
        },
        error: (error: unknown) => seen.push(error),
        complete: () => seen.push('complete'),
      });
      end(source);
      expect(seen).toEqual(['completed', 'complete']);
    });

    it('has none in the grace', () => {
      jest.useFakeTimers();
      try {
        const source = new Subject<Batch>();
        const events: unknown[] = [];
        source.pipe(answer({ idleTimeout: 10 })).subscribe({
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
  });

  it('stops an endless synchronous source whose subscriber has left', () => {
    const endless = range(0, Infinity).pipe(map((n): Batch => [content(`${n}`), content('never')]));
    expect(received(endless.pipe(answer(), take(1)))).toEqual([text('0')]);
    expect(received(endless.pipe(answer({ idleTimeout: 10 }), take(3)))).toEqual([
      text('0'),
      text('never'),
      text('1'),
    ]);
  });

  it('stops an endless synchronous source that reports an error', () => {
    const endless = range(0, Infinity).pipe(map((): Batch => [failure]));
    expect(failureOf(endless.pipe(answer()))).toBeInstanceOf(ProviderStreamError);
  });
});

describe('readAnswer', () => {
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const read = (
    body: Observable<Uint8Array>,
    more: Partial<ReadAnswerOptions> = {},
    type = 'text/event-stream',
  ) =>
    readAnswer({
      options: {},
      provider: { name: 'local' },
      choiceCount: 1,
      idleTimeout: Infinity,
      scheduler: testScheduler(),
      demand: undefined,
      log: diagnose(undefined),
      ...more,
    })({
      response: { status: 200, headers: { get: (name) => (name === 'content-type' ? type : null) }, body },
      redact: identity,
    });

  it('names the type of an answer that is neither stream nor completion', () => {
    expect(failureOf(read(of(utf8('<html>')), {}, 'text/html'))).toMatchObject({ contentType: 'text/html' });
  });

  it('gives a break of the transport’s the type that stands for its place, and tells its cause', () => {
    const cause = Object.assign(new RangeError('reset'), { code: 'ECONNRESET', config: 'private' });
    const error = failureOf(read(throwError(() => cause))) as StreamError;
    expect(error).toBeInstanceOf(StreamError);
    expect(error.cause).toMatchObject({ name: 'RangeError', message: 'reset', code: 'ECONNRESET' });
    expect(error.cause).not.toHaveProperty('config');
  });

  it('needs no demand', () => {
    expect(received(read(of(utf8('data: [DONE]\n\n'))))).toEqual([completed()]);
  });

  it('tells the demand of [DONE], and counts silence on its clock', () => {
    const end = jest.fn();
    const clock = testScheduler();
    const schedule = jest.spyOn(clock, 'schedule');
    const demand = { clock, end };
    const body = concat(of(utf8('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n')), NEVER);
    read(body, { demand, idleTimeout: 60_000 }).subscribe();
    expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([10_000, 60_000]);
    expect(end).not.toHaveBeenCalled();
    received(read(of(utf8('data: [DONE]\n\n')), { demand }));
    expect(end).toHaveBeenCalledTimes(1);
  });
});
