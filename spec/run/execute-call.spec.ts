import { NEVER, type Observable, of, type SchedulerLike, tap, throwError, VirtualTimeScheduler } from 'rxjs';
import { executeCall } from '../../src/run/execute-call.js';
import { tool, type ToolContext, toolProgress } from '../../src/run/tool.js';
import type { ToolEvent } from '../../src/turn/run-events.js';
import { ToolError } from '../../src/turn/tool-error.js';
import { testScheduler } from '../support/marbles.js';
import { call, callOptions, failed, finished, outcomeOf, progressed, started } from '../support/runs.js';

const a = call('a');

const cycle: { self?: unknown } = {};
cycle.self = cycle;

interface Given {
  readonly scheduler?: SchedulerLike;
  readonly timeout?: number;
  readonly toolTimeout?: number;
  readonly toolError?: 'fail';
  readonly changed?: unknown;
  readonly args?: unknown;
}

const executing = (
  execute: (args: unknown, context: ToolContext) => unknown,
  { timeout, changed, args = {}, ...options }: Given = {},
): Observable<ToolEvent> =>
  executeCall(
    { call: a, tool: tool({ name: 'a', execute, timeout }), args, changed },
    callOptions([], options),
  );

/** The events of an execution in which no time passes. */
const eventsOf = (execute: (args: unknown, context: ToolContext) => unknown, given: Given = {}) => {
  const scheduler = new VirtualTimeScheduler();
  return outcomeOf(executing(execute, { ...given, scheduler })).events;
};

const told = (cause: unknown, text: string) => failed(a, 'failed', text, 0, { cause });

describe('executeCall', () => {
  it('takes the last value for the output, and tells those before it as progress', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--1--2--3-|');
      expectObservable(executing(() => source)).toBe('S----p--q-(f|)', {
        S: started(a),
        p: progressed('a', '1'),
        q: progressed('a', '2'),
        f: finished('a', '3', 10),
      });
      expectSubscriptions(source.subscriptions).toBe('^---------!');
    });
  });

  it('tells what is marked as progress at once, and never takes it for the output', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const values = { x: toolProgress('Loading'), y: toolProgress('Done'), 1: 'whole' };
      expectObservable(executing(() => cold('--x--1--y-|', values))).toBe('S-p-----q-(f|)', {
        S: started(a),
        p: progressed('a', 'Loading'),
        q: progressed('a', 'Done'),
        f: finished('a', 'whole', 10),
      });
    });
  });

  it('gives the tool its arguments, the id of the call and a signal', () => {
    const given: unknown[] = [];
    eventsOf((...parameters) => void given.push(...parameters), { args: { city: 'Rome' } });
    expect(given).toEqual([{ city: 'Rome' }, { callId: 'a', signal: expect.any(AbortSignal) as unknown }]);
  });

  it('tells an empty text where a tool gives nothing', () => {
    expect(eventsOf(() => undefined)).toEqual([started(a), finished('a', '')]);
    expect(eventsOf(() => of())).toEqual([started(a), finished('a', '')]);
    expect(eventsOf(() => of(toolProgress(1)))).toEqual([started(a), progressed('a', 1), finished('a', '')]);
  });

  describe('of a tool that fails', () => {
    const error = new RangeError('no such city');
    it.each<[string, () => unknown, string]>([
      [
        'and throws',
        () => {
          throw error;
        },
        'The tool failed: no such city',
      ],
      ['and errors', () => throwError(() => error), 'The tool failed: no such city'],
    ])('(%s) tells the model the message', (_, execute, text) => {
      expect(eventsOf(execute)).toEqual([started(a), told(error, text)]);
    });

    it('tells progress, and not the value before the error', () => {
      const events = eventsOf(function* () {
        yield 1;
        yield 2;
        throw error;
      });
      expect(events).toEqual([started(a), progressed('a', 1), told(error, 'The tool failed: no such city')]);
      expect(events[2]).toHaveProperty('error.cause', error);
    });

    it.each<[unknown, string]>([
      ['a text', 'The tool failed.'],
      [undefined, 'The tool failed.'],
      [new Error(''), 'The tool failed.'],
      [{ message: 'not an Error' }, 'The tool failed: not an Error'],
      [new Error('x'.repeat(5_000)), `The tool failed: ${'x'.repeat(2_000)}`],
    ])('(with %p) tells what there is to tell', (thrown, text) => {
      expect(eventsOf(() => throwError(() => thrown))[1]).toMatchObject({ output: text });
    });

    it('tells the failure of a run inside the tool as that of this call', () => {
      const inner = new ToolError('timeout', call('inner'));
      expect(eventsOf(() => throwError(() => inner))[1]).toEqual(
        told(inner, 'The tool failed: A tool took too long.'),
      );
      expect(eventsOf(() => throwError(() => inner))[1]).toHaveProperty('error.callId', 'a');
    });

    it.each<[string, unknown]>([
      ['a cycle', cycle],
      ['a BigInt', 1n],
      ['a function', () => 1],
    ])('because its output is %s tells so', (_, output) => {
      expect(eventsOf(() => of(output))[1]).toMatchObject({
        output: 'The tool failed: Its output cannot be written as JSON.',
        error: { code: 'failed' },
      });
    });

    it("ends with the error with toolError: 'fail'", () => {
      const { events, end } = outcomeOf(executing(() => throwError(() => error), { toolError: 'fail' }));
      expect(events).toEqual([started(a)]);
      expect(end).toEqual(told(error, '').error);
      expect(end).toHaveProperty('cause', error);
    });
  });

  describe('of a tool that takes too long', () => {
    it.each<[string, Given]>([
      ['by its own limit', { timeout: 5, toolTimeout: 2 }],
      ['by that of the run', { toolTimeout: 5 }],
    ])('(%s) aborts it, then tells', (_, given) => {
      testScheduler().run(({ cold, flush, expectObservable, expectSubscriptions }) => {
        const source = cold('--1--2--3-|');
        const aborts: unknown[] = [];
        const execute = (_args: unknown, { signal }: ToolContext) => {
          signal.addEventListener('abort', () => aborts.push('aborted'));
          return source;
        };
        const text = 'The tool did not finish within 5 ms.';
        const abortsWhenTold: number[] = [];
        const events = executing(execute, given).pipe(
          tap(({ type }) => type === 'tool_finished' && abortsWhenTold.push(aborts.length)),
        );
        expectObservable(events).toBe('S----(f|)', { S: started(a), f: failed(a, 'timeout', text, 5) });
        expectSubscriptions(source.subscriptions).toBe('^----!');
        flush();
        expect(abortsWhenTold).toEqual([1]);
      });
    });

    it('waits for ever where there is no limit', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const never = cold('-');
        expectObservable(
          executing(() => never),
          '^ 100000ms !',
        ).toBe('S', { S: started(a) });
        expectSubscriptions(never.subscriptions).toBe('^ 100000ms !');
      });
    });

    it("ends with a ToolError with toolError: 'fail'", () => {
      testScheduler().run(({ expectObservable }) => {
        const events = executing(() => NEVER, { timeout: 3, toolError: 'fail' });
        expectObservable(events).toBe('S--#', { S: started(a) }, new ToolError('timeout', a));
      });
    });
  });

  it('aborts the signal where it is unsubscribed, and not where it is over', () => {
    for (const [frames, isAborted] of [
      ['---!', true],
      ['---------!', false],
    ] as const) {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const signals: AbortSignal[] = [];
        const source = cold('-----(1|)');
        const execute = (_: unknown, { signal }: ToolContext) => {
          signals.push(signal);
          return source;
        };
        expectObservable(executing(execute), frames).toBe(isAborted ? 'S' : 'S----(f|)', {
          S: started(a),
          f: finished('a', '1', 5),
        });
        expectSubscriptions(source.subscriptions).toBe(isAborted ? '^--!' : '^----!');
        flush();
        expect(signals.map(({ aborted }) => aborted)).toEqual([isAborted]);
      });
    }
  });

  describe('with arguments that an approval changed', () => {
    it('tells them with the output, since the call stays as the model wrote it', () => {
      const changed = { city: 'Bern' };
      const notice = 'The user changed the arguments of this call to {"city":"Bern"}. Its output:';
      expect(eventsOf(() => 'rain', { changed })).toEqual([
        started(a, changed),
        finished('a', `${notice}\nrain`),
      ]);
      const part = { type: 'input_text', text: 'rain' } as const;
      expect(eventsOf(() => [part], { changed })[1]).toEqual(
        finished('a', [{ type: 'input_text', text: notice }, part]),
      );
    });

    it('tells the output even where they cannot be written as JSON', () => {
      expect(eventsOf(() => 'rain', { changed: { id: 1n } })[1]).toEqual(
        finished('a', 'The user changed the arguments of this call to others. Its output:\nrain'),
      );
    });
  });
});
