import { EMPTY, finalize, map, type Observable, of, tap, timer, VirtualTimeScheduler } from 'rxjs';
import { cutCalls, executeCalls } from '../../src/run/execute-calls.js';
import { tool, toolProgress } from '../../src/run/tool.js';
import { ToolError } from '../../src/turn/tool-error.js';
import { testScheduler } from '../support/marbles.js';
import {
  call,
  callOptions,
  failed,
  finished,
  outcomeOf,
  progressed,
  requested,
  started,
} from '../support/runs.js';

const [a, b] = [call('a'), call('b')];

describe('executeCalls', () => {
  it('executes calls together, and merges what they emit', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('-----1--(2|)', { 1: toolProgress(1), 2: 2 });
      const second = cold('----------(3|)', { 3: 3 });
      const tools = [tool({ name: 'a', execute: () => first }), tool({ name: 'b', execute: () => second })];
      expectObservable(executeCalls([a, b], callOptions(tools))).toBe('(AB)-1--2-(3|)', {
        A: started(a),
        B: started(b),
        1: progressed('a', 1),
        2: finished('a', '2', 8),
        3: finished('b', '3', 10),
      });
      expectSubscriptions(first.subscriptions).toBe(' ^-------!');
      expectSubscriptions(second.subscriptions).toBe('^---------!');
    });
  });

  it('asks for every approval at once, and gives none of them a place', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const executed = cold('---------(1|)', { 1: 1 });
      const decision = cold('------y', { y: true });
      const later = cold('   ---------------y', { y: true });
      const tools = [
        tool({ name: 'a', approve: true, execute: () => executed }),
        tool({ name: 'b', approve: true, execute: () => 2 }),
      ];
      const approve = ({ name }: { name: string }): Observable<boolean> => (name === 'a' ? decision : later);
      const events = executeCalls([a, b], callOptions(tools, { approve, concurrency: 1 }));
      expectObservable(events).toBe('(RS)--A--------(FBG|)', {
        R: requested(a),
        S: requested(b),
        A: started(a),
        F: finished('a', '1', 9),
        B: started(b),
        G: finished('b', '2'),
      });
      expectSubscriptions(decision.subscriptions).toBe('^-----!');
      expectSubscriptions(later.subscriptions).toBe('   ^--------------!');
      expectSubscriptions(executed.subscriptions).toBe('------^--------!');
    });
  });

  it('executes 1,000 calls four at a time, each once and in their order', () => {
    const scheduler = new VirtualTimeScheduler();
    let running = 0;
    let most = 0;
    const execute = (_: unknown, { callId }: { readonly callId: string }) =>
      timer(Number(callId) % 7, scheduler).pipe(
        tap({ subscribe: () => (most = Math.max(most, (running += 1))) }),
        map(() => callId),
        finalize(() => (running -= 1)),
      );
    const calls = Array.from({ length: 1_000 }, (_, index) => call('a', '{}', String(index)));
    const tools = [tool({ name: 'a', execute })];
    const { events } = outcomeOf(executeCalls(calls, callOptions(tools, { scheduler, concurrency: 4 })));
    scheduler.flush();
    expect([most, running]).toEqual([4, 0]);
    const startedIds = events.flatMap((event) => (event.type === 'tool_started' ? [event.call.call_id] : []));
    expect(startedIds).toEqual(calls.map(({ call_id }) => call_id));
    expect(events).toHaveLength(2_000);
  });

  it('executes 4,000 calls that give their output at once, after four that do not', () => {
    const scheduler = new VirtualTimeScheduler();
    let executions = 0;
    const execute = () => ((executions += 1) <= 4 ? timer(1, scheduler) : executions);
    const calls = Array.from({ length: 4_000 }, (_, index) => call('a', '{}', String(index)));
    const options = callOptions([tool({ name: 'a', execute })], { scheduler, concurrency: 4 });
    const outcome = outcomeOf(executeCalls(calls, options));
    expect(executions).toBe(4);
    scheduler.flush();
    expect([executions, outcome.events.length, outcome.end]).toEqual([4_000, 8_000, 'complete']);
  });

  it("leaves alone what is the application's own", () => {
    const options = callOptions([tool({ name: 'a', execute: () => 1 })], { ownTools: new Set(['b']) });
    expect(outcomeOf(executeCalls([b], options))).toEqual({ events: [], end: 'complete' });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'takes %s for a name like any other',
    (name) => {
      const item = call(name);
      const scheduler = new VirtualTimeScheduler();
      const unknown = outcomeOf(executeCalls([item], callOptions([], { scheduler })));
      const told = 'There is no tool of this name. Available: none.';
      expect(unknown).toEqual({ events: [failed(item, 'unknown_tool', told)], end: 'complete' });
      const tools = [tool({ name, execute: () => 1 })];
      const known = outcomeOf(executeCalls([item], callOptions(tools, { scheduler })));
      expect(known.events).toEqual([started(item), finished(name, '1')]);
    },
  );

  it('names the tools that there are, the application’s own included, where one is called that there is not', () => {
    const options = callOptions([tool({ name: 'a', execute: () => 1 })], { ownTools: new Set(['b']) });
    const item = call('wether');
    expect(outcomeOf(executeCalls([item], options)).events).toEqual([
      failed(item, 'unknown_tool', 'There is no tool of this name. Available: a, b.'),
    ]);
  });

  it('stops the others where one fails and failures end the run', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const theirs = new Error('theirs');
      const failing = cold('------#', undefined, theirs);
      const other = cold('-----------(1|)');
      const signals: AbortSignal[] = [];
      const execute = (_: unknown, { signal }: { readonly signal: AbortSignal }) => {
        signals.push(signal);
        return other;
      };
      const tools = [tool({ name: 'a', execute: () => failing }), tool({ name: 'b', execute })];
      const events = executeCalls([a, b], callOptions(tools, { toolError: 'fail' })).pipe(
        finalize(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true])),
      );
      const error = new ToolError('failed', a, { cause: theirs });
      expectObservable(events).toBe('(AB)--#', { A: started(a), B: started(b) }, error);
      expectSubscriptions(other.subscriptions).toBe('^-----!');
    });
  });
});

describe('cutCalls', () => {
  it('tells of each, in order, or fails with the first', () => {
    const told =
      'The call was cut off before its arguments were complete, so it was not executed. Repeat it, with shorter arguments if they were long.';
    expect(outcomeOf(cutCalls([a, b], callOptions([]))).events).toEqual([
      failed(a, 'incomplete_arguments', told),
      failed(b, 'incomplete_arguments', told),
    ]);
    expect(outcomeOf(cutCalls([a, b], callOptions([], { toolError: 'fail' })))).toMatchObject({
      events: [],
      end: { name: 'ToolError', code: 'incomplete_arguments', callId: 'a' },
    });
    expect(outcomeOf(cutCalls([], callOptions([])))).toEqual(outcomeOf(EMPTY));
    expect(outcomeOf(of()).end).toBe('complete');
  });
});
