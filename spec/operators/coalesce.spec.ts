import fc from 'fast-check';
import {
  animationFrames,
  asyncScheduler,
  concat,
  EMPTY,
  from,
  map,
  of,
  range,
  Subject,
  take,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import type { OutputItemDoneEvent, ResponseEvent } from '../../src/turn/events.js';
import { coalesce } from '../../src/operators/coalesce.js';
import { userMessage } from '../../src/prompt/prompt.js';
import { emptyTurn, reduceTurn } from '../../src/turn/turn.js';
import { restartingEvent } from '../../src/testing/index.js';
import { completed, text, thought } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';
import { played, story, timedEvents } from '../support/random-events.js';
import { inputAdded, runCompleted, toolEvents } from '../support/run-events.js';

const refusal = (said: string): OutputItemDoneEvent => ({
  type: 'output_item_done',
  item: { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: said }] },
});

const args = (delta: string, callId = 'call_1', name = 'f'): ResponseEvent => ({
  type: 'function_call_arguments_delta',
  callId,
  name,
  index: 0,
  delta,
});

const call: ResponseEvent = {
  type: 'output_item_done',
  item: { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
};

const values = {
  a: text('a'),
  b: text('b'),
  d: text('d'),
  e: text('e'),
  B: text('bd'),
  D: text('de'),
  A: text('ab'),
  X: text('abd'),
  f: call,
  c: completed(),
  r: restartingEvent(),
};

/** What is joined of events that come in one task. */
const joined = (...events: readonly ResponseEvent[]) =>
  received(of(...events, completed()).pipe(coalesce(() => new Subject())));

describe('coalesce', () => {
  it('passes the first delta at once, then what was collected, its events at least so far apart', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('      -abd---e-----(c|)', values);
      expectObservable(source.pipe(coalesce(5))).toBe('-a----B----e-(c|)', values);
      expectSubscriptions(source.subscriptions).toBe('  ^------------!');
    });
  });

  it('drops what was collected at restarting, which passes at once', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('      -ab-rd---(c|)', values);
      expectObservable(source.pipe(coalesce(5))).toBe('-a--r-d--(c|)', values);
      expectSubscriptions(source.subscriptions).toBe('  ^--------!');
      const due = cold('----x');
      const left = cold<ResponseEvent>('-ab-r--d', values);
      expectObservable(left.pipe(coalesce(() => due)), '   ^--------!').toBe('----r----', values);
      expectSubscriptions(due.subscriptions).toBe(['-^--!', '-------^-!']);
    });
  });

  it('has no timer after restarting', () => {
    const clock = new VirtualTimeScheduler();
    const source = new Subject<ResponseEvent>();
    source.pipe(coalesce(5, clock)).subscribe();
    for (const event of [values.a, values.b]) source.next(event);
    expect(clock.actions.filter(({ closed }) => !closed)).toHaveLength(1);
    source.next(values.r);
    expect(clock.actions.filter(({ closed }) => !closed)).toEqual([]);
  });

  it('keeps the order where its consumer makes the source emit at an event', () => {
    const source = new Subject<ResponseEvent>();
    const events: ResponseEvent[] = [];
    source.pipe(coalesce(Infinity)).subscribe((event) => {
      events.push(event);
      if (event === values.a) [values.r, values.b, values.d].forEach((next) => source.next(next));
      if (event === values.r) [values.e, values.r].forEach((next) => events.length < 3 && source.next(next));
    });
    for (const event of [values.a, values.c]) source.next(event);
    expect(events).toEqual([values.a, values.r, values.r, values.B, values.c]);
  });

  it('passes a delta that comes after a silence at once', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('      -a------b-----(c|)', values);
      expectObservable(source.pipe(coalesce(5))).toBe('-a------b-----(c|)', values);
    });
  });

  it('passes what was collected, then completed, at once', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('      -ab-(c|)', values);
      expectObservable(source.pipe(coalesce(9))).toBe('-a--(bc|)', values);
    });
  });

  it('passes what was collected where the source ends without completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<ResponseEvent>('-ab-|', values).pipe(coalesce(9))).toBe('-a--(b|)', values);
    });
  });

  it('passes what was collected, then the error, at once', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('      -abd-#', values, 'broken');
      expectObservable(source.pipe(coalesce(9))).toBe('-a---(B#)', values, 'broken');
      expectSubscriptions(source.subscriptions).toBe('  ^----!');
    });
  });

  it('passes what was collected, then a whole call, at once', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('      -abdf-e----(c|)', values);
      expectObservable(source.pipe(coalesce(5))).toBe('-a--(Bf)-e-(c|)', values);
    });
  });

  it('unsubscribes from the source and its timer with its subscriber', () => {
    testScheduler().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-abd---e-', values);
      const frame = hot('                -----x', values);
      expectObservable(source.pipe(coalesce(() => frame)), '^--!').toBe('---', values);
      expectSubscriptions(source.subscriptions).toBe('             ^--!');
      expectSubscriptions(frame.subscriptions).toBe('              -^-!');
    });
  });

  it('waits for the next value of what a function returns, and asks it while something is collected alone', () => {
    testScheduler().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-ab------d-e--f-(c|)', values);
      const frame = hot('                x---x---x---x---x---', values);
      expectObservable(source.pipe(coalesce(() => frame))).toBe('----A-------D-f-(c|)', values);
      expectSubscriptions(frame.subscriptions).toBe(['             -^--!', '---------^--!']);
    });
  });

  it('gives one event a frame with animationFrames', () => {
    testScheduler().run(({ animate, cold, expectObservable }) => {
      animate('                          ---x---x---x---x');
      const source = cold<ResponseEvent>('-ab-d------(e|)', values);
      expectObservable(source.pipe(coalesce(animationFrames))).toBe('---A---d---(e|)', values);
    });
  });

  it('collects until the turn ends where no frame comes', () => {
    testScheduler().run(({ animate, cold, expectObservable }) => {
      animate('                          -');
      const source = cold<ResponseEvent>('-ab-d------(c|)', values);
      expectObservable(source.pipe(coalesce(animationFrames))).toBe('-----------(Xc|)', values);
    });
  });

  it('takes the end of what a function returns for a value', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-ab--d-(c|)', values);
      expectObservable(source.pipe(coalesce(() => cold('--|')))).toBe('---A---(dc|)', values);
      expectObservable(source.pipe(coalesce(() => EMPTY))).toBe('-ab--d-(c|)', values);
    });
  });

  it('passes what was collected before an error of what a function returns', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-ab--d-(c|)', values);
      expectObservable(source.pipe(coalesce(() => cold('--#', {}, 'no frame')))).toBe(
        '---(A#)',
        values,
        'no frame',
      );
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
    const thrown = new Error('no frames here');
    const failing = () => {
      throw thrown;
    };
    const events: unknown[] = [];
    of(text('a'), text('b'))
      .pipe(coalesce(failing))
      .subscribe({ next: (event) => events.push(event), error: (error: unknown) => events.push(error) });
    expect(events).toEqual([text('a'), thrown]);
  });

  it('collects for no longer than the interval where the clock is set back', () => {
    const clock = new VirtualTimeScheduler();
    let now = 10_000;
    const delays: (number | undefined)[] = [];
    const source = new Subject<ResponseEvent>();
    const scheduler = {
      now: () => now,
      schedule: ((work, delay, state) => {
        delays.push(delay);
        return clock.schedule(work, delay, state);
      }) as typeof clock.schedule,
    };
    const events: ResponseEvent[] = [];
    source.pipe(coalesce(50, scheduler)).subscribe((event) => events.push(event));
    source.next(text('a'));
    now = 0;
    source.next(text('b'));
    expect(delays).toEqual([50]);
    clock.flush();
    expect(events).toEqual([text('a'), text('b')]);
  });

  it('joins what comes in one task where the interval is 0', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('      -(abd)-e-|', values);
      expectObservable(source.pipe(coalesce(0))).toBe('-(aB)--e-|', values);
    });
  });

  it('waits for another event alone where the interval is Infinity', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('             -ab 43200m d(c|)', values);
      expectObservable(source.pipe(coalesce(Infinity))).toBe('-a- 43200m -(Bc|)', values);
    });
  });

  it('sets no timer while nothing is collected', () => {
    const source = new Subject<ResponseEvent>();
    const clock = new VirtualTimeScheduler();
    source.pipe(coalesce(50, clock)).subscribe();
    const timers = () => clock.actions.filter(({ closed }) => !closed).length;
    source.next(text('a'));
    expect(timers()).toBe(0);
    source.next(text('b'));
    source.next(text('c'));
    expect(timers()).toBe(1);
    source.next(call);
    expect(timers()).toBe(0);
    source.next(text('d'));
    expect(timers()).toBe(1);
    source.next(completed());
    expect(timers()).toBe(0);
  });

  it('joins pieces of text, reasoning, a refusal and the arguments of a call, each with its kind', () => {
    expect(
      joined(
        thought('Let '),
        thought('me see.'),
        text('He'),
        text('llo'),
        refusal('I '),
        refusal('won’t.'),
        args('{"a"'),
        args(':1}'),
        args('{', 'call_2'),
        args('}', 'call_2'),
      ),
    ).toEqual([
      thought('Let me see.'),
      text('Hello'),
      refusal('I won’t.'),
      args('{"a":1}'),
      args('{}', 'call_2'),
      completed(),
    ]);
  });

  it('keeps the order where kinds alternate', () => {
    expect(joined(text('a'), thought('b'), text('c'), text('d'), thought('e'))).toEqual([
      text('a'),
      thought('b'),
      text('cd'),
      thought('e'),
      completed(),
    ]);
  });

  it('joins nothing of different choices', () => {
    const other = { ...text('b'), choice: 1 };
    expect(joined(text('a'), other, other, text('c'))).toEqual([
      text('a'),
      { ...text('bb'), choice: 1 },
      text('c'),
      completed(),
    ]);
  });

  it('keeps every entry of the details of reasoning', () => {
    const details = [
      { type: 'reasoning.text', text: 'Hm' },
      { type: 'reasoning.text', signature: 's' },
    ];
    expect(joined(thought('H'), thought('m', details[0]), thought('', details[1]))).toEqual([
      thought('Hm', ...details),
      completed(),
    ]);
    expect(joined(thought('', details[0]), thought('', details[1]))).toEqual([
      thought('', ...details),
      completed(),
    ]);
  });

  it('keeps what has to go back beside reasoning, and who said it', () => {
    const signed = (said: string, thinking: string, signature: string | null): ResponseEvent => ({
      type: 'output_item_done',
      item: {
        type: 'reasoning',
        content: said === '' ? [] : [{ type: 'reasoning_text', text: said }],
        extras: { thinking_blocks: [{ type: 'thinking', thinking, signature }] },
        provider: 'p',
      },
    });
    expect(joined(signed('H', 'H', null), thought('m'), signed('', 'm', 's'))).toEqual([
      signed('Hm', 'Hm', 's'),
      completed(),
    ]);
    expect(joined(thought('H'), signed('m', 'Hm', 's'))).toEqual([signed('Hm', 'Hm', 's'), completed()]);
  });

  it('gives arguments the name that their call has by then', () => {
    expect(joined(args('{', 'call_1', ''), args('}'))).toEqual([args('{}'), completed()]);
  });

  it('passes an event that nothing was joined to as it came', () => {
    const events = [
      text('a'),
      call,
      { type: 'chunk', chunk: {} } as const,
      args('{}'),
      { type: 'output_item_done', item: userMessage('b') } as const,
      {
        type: 'output_item_done',
        item: {
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'a' },
            { type: 'refusal', refusal: 'b' },
          ],
        },
      } as const,
    ];
    const passed = joined(...events);
    expect(passed).toHaveLength(events.length + 1);
    events.forEach((event, index) => expect(passed[index]).toBe(event));
  });

  it('leaves the events that it joins as they were', () => {
    const first = thought('a', { type: 'x' });
    joined(first, thought('b', { type: 'y' }));
    expect(first).toEqual(thought('a', { type: 'x' }));
  });

  it('stops an endless synchronous source', () => {
    let asked = 0;
    const deltas = range(0, Infinity).pipe(map(() => ((asked += 1), call)));
    expect(received(deltas.pipe(coalesce(50), take(2)))).toEqual([call, call]);
    expect(asked).toBeLessThanOrEqual(3);
  });

  it('keeps the order where its consumer makes the source emit', () => {
    const source = new Subject<ResponseEvent>();
    const events: ResponseEvent[] = [];
    source.pipe(coalesce(() => new Subject())).subscribe((event) => {
      events.push(event);
      if (events.length === 1) {
        source.next(thought('c'));
        source.next(call);
        source.next(text('d'));
      }
    });
    source.next(text('a'));
    source.next(thought('b'));
    source.next(completed());
    expect(events).toEqual([text('a'), thought('bc'), call, text('d'), completed()]);
  });

  it('loses nothing that its consumer makes the source add to what it was just given', () => {
    const source = new Subject<ResponseEvent>();
    const events: ResponseEvent[] = [];
    source.pipe(coalesce(() => new Subject())).subscribe((event) => {
      events.push(event);
      if (events.length === 1) source.next(text('b'));
    });
    source.next(text('a'));
    source.next(completed());
    expect(events).toEqual([text('a'), text('b'), completed()]);
  });

  it('collects for each subscription by itself', () => {
    const turn = of<ResponseEvent[]>(text('a'), text('b'), text('c'), completed()).pipe(coalesce(50));
    expect(received(turn)).toEqual([text('a'), text('bc'), completed()]);
    expect(received(turn)).toEqual([text('a'), text('bc'), completed()]);
  });

  it('stands on asyncScheduler by default', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-abd---|', values);
      expectObservable(source.pipe(coalesce(5, asyncScheduler))).toBe('-a----B|', values);
      expectObservable(source.pipe(coalesce(5))).toBe('-a----B|', values);
    });
  });

  describe('whatever comes at whatever time', () => {
    it('loses nothing, keeps the order and ends in the same turn', () => {
      fc.assert(
        fc.property(
          timedEvents,
          fc.constantFrom(0, 1, 16, 50, Infinity),
          fc.boolean(),
          (timed, due, fails) => {
            const clock = new VirtualTimeScheduler();
            const source = fails
              ? concat(
                  played(timed, clock),
                  throwError(() => 'broken'),
                )
              : played(timed, clock);
            const events: ResponseEvent[] = [];
            let end: unknown = 'none';
            source.pipe(coalesce(due, clock)).subscribe({
              next: (event) => events.push(event),
              error: (error: unknown) => (end = error),
              complete: () => (end = 'complete'),
            });
            clock.flush();
            const plain = timed.map(({ event }) => event);
            expect(end).toBe(fails ? 'broken' : 'complete');
            expect(story(events)).toEqual(story(plain));
            expect(events.reduce(reduceTurn, emptyTurn)).toEqual(plain.reduce(reduceTurn, emptyTurn));
          },
        ),
        { numRuns: 200 },
      );
    });

    it('gives one event for each run of the same thing that is not cut by time', () => {
      fc.assert(
        fc.property(timedEvents, (timed) => {
          const plain = timed.map(({ event }) => event);
          const events = received(from(plain).pipe(coalesce(() => new Subject())));
          expect(events).toHaveLength(story(plain).length);
        }),
      );
    });
  });
});

describe('coalesce of a run', () => {
  it.each([...Object.values(toolEvents), inputAdded, runCompleted])(
    'gives what was collected before $type',
    (event) => {
      testScheduler().run(({ cold, expectObservable }) => {
        const run = { ...values, x: event };
        const source = cold('-a-b-d-x-a-(bx|)', run);
        expectObservable(source.pipe(coalesce(Infinity))).toBe('-a-----(Bx)(Ax|)', run);
      });
    },
  );
});
