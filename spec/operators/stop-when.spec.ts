import { concat, EMPTY, map, NEVER, Observable, of, range, Subject, take, throwError } from 'rxjs';
import type { ResponseEvent } from '../../src/turn/events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { aggregate } from '../../src/operators/aggregate.js';
import { restartOnBreak } from '../../src/compose/restart-on-break.js';
import { stopWhen } from '../../src/operators/stop-when.js';
import { restartingEvent } from '../../src/testing/index.js';
import { StreamError } from '../../src/turn/errors.js';
import { completed, text } from '../support/events.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';
import { inputAdded, runCompleted, toolEvents } from '../support/run-events.js';

const values = {
  a: text('Hel'),
  b: text('lo'),
  c: completed({ finishReason: 'stop' }),
  S: completed({ stopped: true }),
};

describe('stopWhen', () => {
  it('ends the turn with a stopped completed when the notifier emits', () => {
    testScheduler().run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b---c|', values);
      const stop = hot('                  -----x---');
      expectObservable(source.pipe(stopWhen(stop))).toBe('-a-b-(S|)', values);
      expectSubscriptions(source.subscriptions).toBe('    ^----!');
      expectSubscriptions(stop.subscriptions).toBe('      ^----!');
    });
  });

  it('stops a turn of which nothing has come', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('---a', values);
      expectObservable(source.pipe(stopWhen(cold('--x')))).toBe('--(S|)', values);
      expectSubscriptions(source.subscriptions).toBe('           ^-!');
    });
  });

  it('never subscribes to the source where the notifier emits at once', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('---a', values);
      expectObservable(source.pipe(stopWhen(of('stop')))).toBe('(S|)', values);
      expectSubscriptions(source.subscriptions).toBe([]);
    });
  });

  it('passes a turn on that is not stopped, and lets go of the notifier at its end', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const stop = cold('------x');
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(stopWhen(stop))).toBe('-a-b-(c|)', values);
      expectSubscriptions(stop.subscriptions).toBe('      ^----!');
    });
  });

  it('is stopped by no notifier that completes without a value', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b-(c|)', values);
      expectObservable(source.pipe(stopWhen(cold('--|')))).toBe('-a-b-(c|)', values);
      expectSubscriptions(source.subscriptions).toBe('           ^----!');
      expectObservable(cold<ResponseEvent>('-a|', values).pipe(stopWhen(EMPTY))).toBe('-a|', values);
    });
  });

  it("passes the notifier's error on, and ends the source", () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      expectObservable(source.pipe(stopWhen(cold('--#', undefined, 'broken')))).toBe('-a#', values, 'broken');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  it("passes the source's error on, and lets go of the notifier", () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const stop = cold('----x');
      const source = cold<ResponseEvent>('-a-#', values, 'broken');
      expectObservable(source.pipe(stopWhen(stop))).toBe('-a-#', values, 'broken');
      expectSubscriptions(stop.subscriptions).toBe('      ^--!');
    });
  });

  it('adds nothing to a source that ends without completed', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-|', values);
      expectObservable(source.pipe(stopWhen(cold('-----x')))).toBe('-a-|', values);
    });
  });

  it('adds nothing after completed, and ends a source that stays open', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-c------a', values);
      expectObservable(source.pipe(stopWhen(cold('-----x')))).toBe('-a-c-|', values);
      expectSubscriptions(source.subscriptions).toBe('              ^----!');
    });
  });

  it('stops the second turn of a source in its middle', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-c-b---c', values);
      expectObservable(source.pipe(stopWhen(cold('------x')))).toBe('-a-c-b(S|)', values);
    });
  });

  it('unsubscribes from the source and the notifier with its subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-b', values);
      const stop = cold('                 -----x');
      expectObservable(source.pipe(stopWhen(stop)), '^-!').toBe('-a-', values);
      expectSubscriptions(source.subscriptions).toBe('           ^-!');
      expectSubscriptions(stop.subscriptions).toBe('             ^-!');
    });
  });

  it('stops a turn that waits to restart, of which nothing is kept', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const error = new StreamError();
      const source = cold<ResponseEvent>('-a-#', values, error);
      const restarted = restartOnBreak({ initialDelay: 5, jitter: 0 });
      const stop = cold('-----x');
      const r = restartingEvent({ delay: 5, error });
      expectObservable(source.pipe(restarted, stopWhen(stop))).toBe('-a-r-(S|)', { ...values, r });
      expectSubscriptions(source.subscriptions).toBe('               ^--!');
      expectSubscriptions(stop.subscriptions).toBe('                 ^----!');
      const whole = cold<ResponseEvent>('-a-#', values, error).pipe(
        restarted,
        stopWhen(cold('-----x')),
        aggregate(),
      );
      expectObservable(whole).toBe('-----(S|)', values);
    });
  });

  it('has unsubscribed from the source before it emits the completed', () => {
    const log: string[] = [];
    const stop = new Subject<void>();
    const source = new Observable<ResponseEvent>((subscriber) => {
      subscriber.next(values.a);
      return () => log.push('aborted');
    });
    source.pipe(stopWhen(stop)).subscribe({
      next: (event) => log.push(event.type),
      complete: () => log.push('complete'),
    });
    stop.next();
    expect(log).toEqual(['output_item_done', 'aborted', 'completed', 'complete']);
  });

  it('can be stopped by whoever handles an event', () => {
    const stop = new Subject<void>();
    const seen: ResponseEvent[] = [];
    of<ResponseEvent[]>(values.a, values.b, values.c)
      .pipe(stopWhen(stop))
      .subscribe((event) => {
        seen.push(event);
        stop.next();
      });
    expect(seen).toEqual([values.a, values.S]);
  });

  it('adds nothing where the handler of completed stops it', () => {
    const stop = new Subject<void>();
    const log: unknown[] = [];
    concat(of<ResponseEvent[]>(values.a, values.c), NEVER)
      .pipe(stopWhen(stop))
      .subscribe({
        next: (event) => {
          log.push(event);
          if (event.type === 'completed') stop.next();
        },
        complete: () => log.push('complete'),
      });
    expect(log).toEqual([values.a, values.c, 'complete']);
  });

  it('gives a consumer that leaves at the stopped completed nothing after it', () => {
    const stop = new Subject<void>();
    const log: unknown[] = [];
    NEVER.pipe(stopWhen(stop), take(1)).subscribe({
      next: (event) => log.push(event),
      complete: () => log.push('complete'),
    });
    stop.next();
    stop.next();
    expect(log).toEqual([values.S, 'complete']);
    expect(stop.observed).toBe(false);
  });

  it('stops an endless synchronous source from inside', () => {
    const stop = new Subject<void>();
    const deltas = range(0, Infinity).pipe(
      map((count) => {
        if (count === 2) stop.next();
        return text('x');
      }),
    );
    expect(received(deltas.pipe(stopWhen(stop)))).toEqual([text('x'), text('x'), values.S]);
  });

  it('is anew for each subscription', () => {
    const stop = new Subject<void>();
    const turn = concat(of<ResponseEvent[]>(values.a), NEVER).pipe(stopWhen(stop));
    const seen: ResponseEvent[][] = [[], []];
    turn.subscribe((event) => seen[0]?.push(event));
    stop.next();
    turn.subscribe((event) => seen[1]?.push(event));
    expect(seen).toEqual([[values.a, values.S], [values.a]]);
  });

  it('takes a promise for a notifier', async () => {
    const events = await new Promise<readonly ResponseEvent[]>((resolve) => {
      const seen: ResponseEvent[] = [];
      NEVER.pipe(stopWhen(Promise.resolve())).subscribe({
        next: (event) => seen.push(event),
        complete: () => resolve(seen),
      });
    });
    expect(events).toEqual([values.S]);
  });

  it('fails with a notifier that fails at once', () => {
    expect(failureOf(of(values.a).pipe(stopWhen(throwError(() => 'broken'))))).toBe('broken');
  });

  it('lets aggregate() give the partial message', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold<ResponseEvent>('-a-b---c|', values);
      expectObservable(source.pipe(stopWhen(cold('----x')), aggregate())).toBe('----(mS|)', {
        m: text('Hello'),
        S: values.S,
      });
    });
  });
});

describe('stopWhen around a run', () => {
  const run: Record<string, RunEvent> = {
    ...values,
    q: toolEvents.requested,
    x: toolEvents.started,
    y: toolEvents.progress,
    z: toolEvents.finished,
    i: inputAdded,
    R: runCompleted,
  };

  it.each([
    ['in its first turn', '               -a-(cx)-z-b-(cR|)', '--!', '               -a(S|)'],
    ['while an approval is waited for', '-(acq)--x-z-b-(cR|)', ' -------!', '          -(acq)-(S|)'],
    ['while a tool is executed', '       -(acx)-y-z-b-(cR|)', '--------!', '          -(acx)-y(S|)'],
    ['between a tool and the next turn', '-(acx)-z--b-(cR|)', '  --------!', '          -(acx)-z(S|)'],
    ['after what was added to it', '     -(acx)-z-i-b-(cR|)', '----------!', '        -(acx)-z-i(S|)'],
    ['in a later turn', '                -(acx)-z-b--(cR|)', '----------!', '        -(acx)-z-b(S|)'],
    ['after a later turn', '             -(acx)-z-b-c--x-z-(cR|)', '-------------!', '-(acx)-z-b-c-(S|)'],
  ])('stopped %s, ends with a stopped completed', (_, events, end, expected) => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(events.trim(), run);
      const stop = cold(end.trim().replace('!', 'x'));
      expectObservable(source.pipe(stopWhen(stop))).toBe(expected.trim(), run);
      expectSubscriptions(source.subscriptions).toBe(`^${end.trim().slice(1)}`);
    });
  });

  it('adds nothing after run_completed', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-(acx)-z-b-(cR)---', run);
      expectObservable(source.pipe(stopWhen(cold('----------------x')))).toBe('-(acx)-z-b-(cR)-|', run);
      expectSubscriptions(source.subscriptions).toBe('                  ^---------------!');
    });
  });

  it('adds nothing between the completed of its first turn and its first tool: it may be a turn', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-c---x-z', run);
      expectObservable(source.pipe(stopWhen(cold('-----x')))).toBe('-a-c-|', run);
      expectSubscriptions(source.subscriptions).toBe('              ^----!');
    });
  });

  it('adds nothing after the completed of a turn that was stopped in the run', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const source = cold('-(acx)-z-b-S----', run);
      expectObservable(source.pipe(stopWhen(cold('-------------x')))).toBe('-(acx)-z-b-S-|', run);
    });
  });

  it('begins anew with each run of a source', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const first = '-(acx)-z-b-(cR)-a-c';
      expectObservable(cold(`${first}---x`, run).pipe(stopWhen(cold('--------------------x')))).toBe(
        `${first}-|`,
        run,
      );
      expectObservable(cold(`${first}-x---z`, run).pipe(stopWhen(cold('----------------------x')))).toBe(
        `${first}-x-(S|)`,
        run,
      );
    });
  });

  it('unsubscribes from the tools before it emits the completed', () => {
    const log: string[] = [];
    const stop = new Subject<void>();
    const source = new Observable<RunEvent>((subscriber) => {
      subscriber.next(toolEvents.started);
      return () => log.push('cancelled');
    });
    source.pipe(stopWhen(stop)).subscribe((event) => log.push(event.type));
    stop.next();
    expect(log).toEqual(['tool_started', 'cancelled', 'completed']);
  });
});
