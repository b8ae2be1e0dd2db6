import type { EventSourceMessage } from 'eventsource-parser';
import { filter, map, NEVER, of, range, startWith, Subject, take } from 'rxjs';
import { toResponseEvents } from '../../src/response/to-response-events.js';
import { IdleTimeoutError, ProviderStreamError, StreamError } from '../../src/turn/errors.js';
import { completed, text } from '../support/events.js';
import { received, testScheduler } from '../support/marbles.js';

const message = (data: string): EventSourceMessage => ({ id: undefined, event: undefined, data });
const content = (words: string) => message(JSON.stringify({ choices: [{ delta: { content: words } }] }));
const finish = (reason = 'stop') =>
  message(JSON.stringify({ choices: [{ delta: {}, finish_reason: reason }] }));
const usage = message('{"choices":[],"usage":{"total_tokens":7}}');
const failure = message('{"error":{"code":"overloaded"}}');

/** Made anew for each: arrays are emptied as they are read. */
const batches = () => ({
  a: [content('a')],
  b: [content('b'), content('c')],
  e: [],
  F: [content('b'), failure, content('c')],
  f: [finish()],
  g: [content('a'), finish(), message('[DONE]')],
  l: [finish('length')],
  u: [usage],
});
const events = { x: text('a'), y: text('b'), z: text('c'), C: completed({ endedBy: 'eof' }) };
const ends = {
  ...events,
  S: completed({ finishReason: 'stop', endedBy: 'finish_reason' }),
  L: completed({ finishReason: 'length', endedBy: 'finish_reason' }),
  D: completed({ finishReason: 'stop' }),
  U: completed({
    finishReason: 'stop',
    endedBy: 'finish_reason',
    usage: {
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      reasoningOutputTokens: 0,
      totalTokens: 7,
    },
  }),
};

describe('toResponseEvents', () => {
  it('errors at the end where the arguments of a call hold more than maxEventValues, put together', () => {
    const piece = (text: string) =>
      message(
        JSON.stringify({
          choices: [{ delta: { tool_calls: [{ function: { name: 'f', arguments: text } }] } }],
        }),
      );
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<EventSourceMessage[]>('-a-b-|', {
        a: [piece(`[${'0,'.repeat(20)}`)],
        b: [piece(`${'0,'.repeat(20)}0]`)],
      });
      const result = source.pipe(
        toResponseEvents({ maxEventValues: 30 }),
        filter(({ type }) => type !== 'function_call_arguments_delta'),
      );
      const error = new StreamError({
        message: 'An event or a JSON response contains more than 30 values (maxEventValues).',
        retryable: false,
      });
      expectObservable(result).toBe('-----#', undefined, error);
    });
  });

  it('gives the events of each array at once, and completed where they end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<EventSourceMessage[]>('-a-e-b---|', batches());
      expectObservable(source.pipe(toResponseEvents())).toBe('-x---(yz)(C|)', events);
      expectSubscriptions(source.subscriptions).toBe('^--------!');
    });
  });

  it('passes an error on, without completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      expectObservable(cold<EventSourceMessage[]>('-a-#', batches()).pipe(toResponseEvents())).toBe(
        '-x-#',
        events,
      );
    });
  });

  it('errors where the provider reports one, after what came before it, and ends the source', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<EventSourceMessage[]>('-a-F-b', batches());
      const error = new ProviderStreamError({ code: 'overloaded' });
      expectObservable(source.pipe(toResponseEvents())).toBe('-x-(y#)', events, error);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('unsubscribes with its subscriber, inside an array too', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<EventSourceMessage[]>('-a-b-a', batches());
      expectObservable(source.pipe(toResponseEvents(), take(2))).toBe('-x-(y|)', events);
      expectSubscriptions(source.subscriptions).toBe('^--!');
      const left = cold<EventSourceMessage[]>('-a-b-a', batches());
      expectObservable(left.pipe(toResponseEvents()), '^-!').toBe('-x-', events);
      expectSubscriptions(left.subscriptions).toBe('^-!');
    });
  });

  it('empties each array that it has read', () => {
    const all = [[content('a')], [content('b'), content('c')]];
    received(
      range(0, 2).pipe(
        map((index) => all[index] ?? []),
        toResponseEvents(),
      ),
    );
    expect(all).toEqual([[], []]);
  });

  it('stops an endless synchronous source', () => {
    const endless = range(0, Infinity).pipe(map((n) => [content(`${n}`)]));
    expect(received(endless.pipe(toResponseEvents(), take(2)))).toEqual([text('0'), text('1')]);
  });

  describe('once each choice has its finish reason', () => {
    type Options = Parameters<typeof toResponseEvents>[0];
    const read = (options?: Options) => toResponseEvents({ finishTimeout: 6, ...options });

    it('completes after so long without an event, and ends the source', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<EventSourceMessage[]>('-a-f', batches());
        expectObservable(source.pipe(read())).toBe('-x-------(S|)', ends);
        expectSubscriptions(source.subscriptions).toBe('^--------!');
        const slow = cold<EventSourceMessage[]>('-a-f', batches());
        expectObservable(slow.pipe(toResponseEvents())).toBe('-x- 10s (S|)', ends);
      });
    });

    it('reads what comes meanwhile, and counts anew from it', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<EventSourceMessage[]>('-a-f----u---l', batches());
        expectObservable(source.pipe(read()), '^------------------').toBe('-x----------------(V|)', {
          ...ends,
          V: { ...ends.U, finishReason: 'length' },
        });
        expectSubscriptions(source.subscriptions).toBe('^-----------------!');
      });
    });

    it('takes a part without an event for no sign of life', () => {
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<EventSourceMessage[]>('-a-f-e-e-e-e-e', batches());
        expectObservable(source.pipe(read())).toBe('-x-------(S|)', ends);
      });
    });

    it('waits as long as the source is open where the time is Infinity', () => {
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<EventSourceMessage[]>('-a-f 30s u-|', batches());
        expectObservable(source.pipe(read({ finishTimeout: Infinity }))).toBe('-x-- 30s --(U|)', ends);
      });
    });

    it('sets no timer where the time is Infinity', () => {
      const scheduler = testScheduler();
      const schedule = jest.spyOn(scheduler, 'schedule');
      of(batches().f)
        .pipe(read({ finishTimeout: Infinity, scheduler }))
        .subscribe();
      expect(schedule).not.toHaveBeenCalled();
    });

    it('waits no longer than a timer can', () => {
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<EventSourceMessage[]>('-f-|', batches());
        expectObservable(source.pipe(read({ finishTimeout: 1e12 }))).toBe('---(S|)', ends);
      });
    });

    it('completes where the source does, and has no timer then', () => {
      jest.useFakeTimers();
      try {
        const source = new Subject<EventSourceMessage[]>();
        const seen: unknown[] = [];
        source.pipe(read()).subscribe((event) => seen.push(event));
        expect(jest.getTimerCount()).toBe(0);
        source.next(batches().f);
        expect(jest.getTimerCount()).toBe(1);
        source.next(batches().g.slice(2));
        source.complete();
        expect(jest.getTimerCount()).toBe(0);
        expect(seen).toEqual([ends.D]);
      } finally {
        jest.useRealTimers();
      }
    });

    it('has no timer once its subscriber has left', () => {
      jest.useFakeTimers();
      try {
        const open = NEVER.pipe(startWith(batches().f), read()).subscribe();
        expect(jest.getTimerCount()).toBe(1);
        open.unsubscribe();
        expect(jest.getTimerCount()).toBe(0);
      } finally {
        jest.useRealTimers();
      }
    });

    it('sets no timer where [DONE] has come', () => {
      const scheduler = testScheduler();
      const schedule = jest.spyOn(scheduler, 'schedule');
      received(of(batches().g).pipe(read({ scheduler })));
      expect(schedule).not.toHaveBeenCalled();
    });

    it('waits for the other choices', () => {
      const two = message(JSON.stringify({ choices: [{ index: 1, delta: { content: 'b' } }] }));
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<EventSourceMessage[]>('-o-f 20s |', { ...batches(), o: [two] });
        expectObservable(source.pipe(read())).toBe('-o-- 20s (E|)', {
          o: { ...text('b'), choice: 1 },
          E: completed({
            finishReason: 'stop',
            endedBy: 'eof',
            choices: [{ choice: 1, finishReason: null }],
          }),
        });
      });
    });

    it('completes where the source breaks, and tells of it', () => {
      const onBreak = jest.fn();
      const error = new StreamError();
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<EventSourceMessage[]>('-a-f-#', batches(), error);
        expectObservable(source.pipe(read({ onBreak }))).toBe('-x---(S|)', ends);
      });
      expect(onBreak.mock.calls).toEqual([[error]]);
    });

    it('completes where the source was silent for its own limit, of which it tells nothing', () => {
      const onBreak = jest.fn();
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<EventSourceMessage[]>('-a-f-#', batches(), new IdleTimeoutError(2));
        expectObservable(source.pipe(read({ onBreak }))).toBe('-x---(S|)', ends);
      });
      expect(onBreak).not.toHaveBeenCalled();
    });

    it('errors all the same where the provider reports an error', () => {
      const error = new ProviderStreamError({ code: 'overloaded' });
      testScheduler().run(({ cold, expectObservable }) => {
        const source = cold<EventSourceMessage[]>('-a-f-F', batches());
        expectObservable(source.pipe(read())).toBe('-x---(y#)', ends, error);
      });
    });
  });
});
