import {
  concat,
  defer,
  EMPTY,
  finalize,
  from,
  map,
  NEVER,
  type Observable,
  type ObservableInput,
  of,
  Subject,
  takeUntil,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { restartOnBreak } from '../../src/compose/restart-on-break.js';
import { stopWhen, stoppedEvent } from '../../src/operators/stop-when.js';
import { type Prompt, userMessage } from '../../src/prompt/prompt.js';
import { type Run, runTools, type RunToolsOptions, type Step } from '../../src/index.js';
import { accumulateRun } from '../../src/run/accumulate-run.js';
import { emptyRun, reduceRun } from '../../src/run/run.js';
import { runItems } from '../../src/run/run-items.js';
import { tool, toolProgress } from '../../src/run/tool.js';
import { StreamError } from '../../src/turn/errors.js';
import type { FunctionCallItem, ResponseEvent, ResponseItem, TokenUsage } from '../../src/turn/events.js';
import type { RunCompletedEvent, RunEvent } from '../../src/turn/run-events.js';
import { completed, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import {
  asked,
  call,
  called,
  ended,
  failed,
  finished,
  objectionsTo,
  outcomeOf,
  outputOf,
  progressed,
  requested,
  started,
  turnCalling,
} from '../support/runs.js';

const a = call('a');
const b = call('b');
const answer = [text('72'), completed({ finishReason: 'stop' })];
const said: ResponseItem = {
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text: '72' }],
};
const question = userMessage('Hi');

/** Turns in the order of the requests, and the prompts that they were given. */
function turnsOf(...turns: readonly ObservableInput<ResponseEvent>[]) {
  const prompts: Prompt[] = [];
  const turn = (prompt: Prompt, step: number): ObservableInput<ResponseEvent> => {
    prompts.push(prompt);
    return turns[step - 1] ?? throwError(() => new Error(`There is no turn ${step}.`));
  };
  return { turn, prompts };
}

const simple = (name: string, output: unknown = name.toUpperCase()) => tool({ name, execute: () => output });

/** A run in whose tools no time passes. */
const runStill = (prompt: Prompt | string, options: RunToolsOptions): Observable<RunEvent> =>
  runTools(prompt, { scheduler: new VirtualTimeScheduler(), ...options });

const endOf = (events: readonly RunEvent[]): RunCompletedEvent | undefined =>
  events.find((event): event is RunCompletedEvent => event.type === 'run_completed');

describe('runTools', () => {
  it('emits a turn, executes its calls together once it is complete, then asks with their outputs', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const events = {
        t: text('Let me see.'),
        a: called(a),
        b: called(b),
        c: asked(),
        u: text('72'),
        d: completed({ finishReason: 'stop' }),
      };
      const values = {
        ...events,
        s: started(a),
        r: started(b),
        p: progressed('a', 'half'),
        f: finished('a', 'whole', 20),
        g: finished('b', '72', 15),
        R: ended({
          turns: 2,
          items: [
            { ...said, content: [{ type: 'output_text', text: 'Let me see.' }] },
            a,
            b,
            outputOf('a', 'whole'),
            outputOf('b', '72'),
            said,
          ],
        }),
      };
      const turn1 = cold<ResponseEvent>('-t-(abc|)', events);
      const slow = cold('                10ms h 9ms (w|)', { h: toolProgress('half'), w: 'whole' });
      const fast = cold('                15ms (n|)', { n: 72 });
      const turn2 = cold<ResponseEvent>('-u-(d|)', events);
      const { turn } = turnsOf(turn1, turn2);
      const tools = [tool({ name: 'a', execute: () => slow }), tool({ name: 'b', execute: () => fast })];
      const run = runTools('Hi', { turn, tools });
      expectObservable(run).toBe('-t-(abcsr) 3ms p 4ms g 4ms f u-(dR|)', values);
      expectSubscriptions(turn1.subscriptions).toBe('^--!');
      expectSubscriptions(slow.subscriptions).toBe('---^-------------------!');
      expectSubscriptions(fast.subscriptions).toBe('---^--------------!');
      expectSubscriptions(turn2.subscriptions).toBe('-----------------------^--!');
    });
  });

  it('sends outputs back in the order of the calls, with the tools and whatever the provider wants back', () => {
    const signed: FunctionCallItem = {
      ...a,
      extras: { extra_content: { signature: 's' } },
      provider: 'gemini',
    };
    const { turn, prompts } = turnsOf(turnCalling(signed, b), answer);
    const first = new Subject<string>();
    const tools = [tool({ name: 'a', execute: () => first }), simple('b')];
    const { events } = outcomeOf(runStill({ instructions: 'Be brief.', input: [question] }, { turn, tools }));
    first.next('late');
    first.complete();
    expect(prompts).toEqual([
      { instructions: 'Be brief.', input: [question], tools: tools.map(({ definition }) => definition) },
      {
        instructions: 'Be brief.',
        input: [question, signed, b, outputOf('a', 'late'), outputOf('b', 'B')],
        tools: tools.map(({ definition }) => definition),
      },
    ]);
    expect(endOf(events)).toMatchObject({ reason: 'answered', turns: 2 });
  });

  it('does nothing before it is subscribed to, and each subscription is a run', () => {
    let asks = 0;
    const turn = () => defer(() => ((asks += 1) % 2 === 1 ? turnCalling(a) : answer));
    const run = runStill('Hi', { turn, tools: [simple('a')] });
    expect(asks).toBe(0);
    const [first, second] = [outcomeOf(run), outcomeOf(run)];
    expect(asks).toBe(4);
    expect(second).toEqual(first);
    expect(endOf(first.events)?.items).toEqual([a, outputOf('a', 'A'), said]);
  });

  describe('unsubscribed at any time', () => {
    /** A run of two turns with two tools, a slow approval and a boundary that takes its time. */
    const frames = 35;
    it.each(Array.from({ length: frames }, (_, frame) => frame))('(%i) leaves nothing behind', (at) => {
      testScheduler().run(({ cold, flush, expectSubscriptions }) => {
        const turn1 = cold<ResponseEvent>('--t-(abc|)', {
          t: text(''),
          a: called(a),
          b: called(b),
          c: asked(),
        });
        const turn2 = cold<ResponseEvent>('--t--(d|)', { t: text('72'), d: completed() });
        const boundary1 = cold<Prompt>('---|');
        const boundary2 = cold<Prompt>('-----|');
        const toolA = cold('--1--2---(3|)');
        const toolB = cold('-----(1|)');
        const decision = cold<boolean>('----------(y|)', { y: true });
        const signals: AbortSignal[] = [];
        const executing = (source: Observable<unknown>) => (_: unknown, context: { signal: AbortSignal }) => {
          signals.push(context.signal);
          return source;
        };
        const { turn } = turnsOf(turn1, turn2);
        const run = runTools('Hi', {
          turn,
          tools: [
            tool({ name: 'a', execute: executing(toolA) }),
            tool({ name: 'b', approve: true, execute: executing(toolB) }),
          ],
          approve: () => decision,
          beforeTurn: ({ step }) => (step === 1 ? boundary1 : boundary2),
        });
        // When each begins, and ends by itself.
        const lives: readonly (readonly [typeof turn1.subscriptions, number, number])[] = [
          [boundary1.subscriptions, 0, 3],
          [turn1.subscriptions, 3, 7],
          [toolA.subscriptions, 7, 16],
          [decision.subscriptions, 7, 17],
          [toolB.subscriptions, 17, 22],
          [boundary2.subscriptions, 22, 27],
          [turn2.subscriptions, 27, 32],
        ];
        const subscription = run.subscribe();
        cold('-'.repeat(at) + 'x').subscribe(() => subscription.unsubscribe());
        for (const [log, from, to] of lives) {
          const end = Math.min(to, at);
          // What begins in the very frame in which the run is left is begun before, or never.
          if (from < at) expectSubscriptions(log).toBe(`${'-'.repeat(from)}^${'-'.repeat(end - from - 1)}!`);
          else if (from > at) expectSubscriptions(log).toBe([]);
        }
        flush();
        const ends = [16, 22];
        expect(signals.map(({ aborted }) => aborted)).toEqual(signals.map((_, index) => ends[index]! >= at));
      });
    });
  });

  it('unsubscribed in the very event by which tools would start starts none', () => {
    for (const type of ['completed', 'tool_started'] as const) {
      let executed = 0;
      const { turn, prompts } = turnsOf(turnCalling(a, b), answer);
      const tools = ['a', 'b'].map((name) => tool({ name, execute: () => (executed += 1) }));
      const stop = new Subject<void>();
      const events: RunEvent[] = [];
      runStill('Hi', { turn, tools })
        .pipe(takeUntil(stop))
        .subscribe((event) => {
          events.push(event);
          if (event.type === type) stop.next();
        });
      expect(executed).toBe(0);
      expect(prompts).toHaveLength(1);
      expect(events.at(-1)!.type).toBe(type);
    }
  });

  it('never runs a tool twice because of a restart in the turn, and passes retrying and restarting', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new StreamError();
      const events = { a: called(a), c: asked(), d: completed() };
      const values = {
        ...events,
        r: { type: 'restarting', attempt: 1, delay: 5, error } as const,
        s: started(a),
        f: finished('a', '1'),
        R: ended({ turns: 2, items: [a, outputOf('a', '1')] }),
      };
      const broken = cold<ResponseEvent>('-a#', events, error);
      const whole = cold<ResponseEvent>(' -(ac|)', events);
      let attempts = 0;
      let executed = 0;
      const turn = (_: Prompt, step: number) =>
        step === 1
          ? defer(() => (++attempts === 1 ? broken : whole)).pipe(
              restartOnBreak({ initialDelay: 5, jitter: 0 }),
            )
          : cold<ResponseEvent>('------(d|)', events);
      const run = runTools('Hi', { turn, tools: [tool({ name: 'a', execute: () => ++executed })] });
      expectObservable(run).toBe('-ar-----(acsf)(dR|)', values);
    });
  });

  it('ends with the error of a turn, of the function that makes it, and of its first boundary', () => {
    const error = new StreamError();
    const throwing = () => {
      throw error;
    };
    const failing: readonly Partial<RunToolsOptions>[] = [
      {
        turn: () =>
          concat(
            [text('72')],
            throwError(() => error),
          ),
      },
      { turn: throwing },
      { beforeTurn: throwing },
      { beforeTurn: () => throwError(() => error) },
    ];
    for (const options of failing) {
      const { end } = outcomeOf(runStill('Hi', { turn: () => answer, tools: [], ...options }));
      expect(end).toBe(error);
    }
  });

  it('takes a source of events that goes on after completed as one that is over', () => {
    const { turn } = turnsOf(concat(answer, NEVER));
    expect(outcomeOf(runStill('Hi', { turn, tools: [] }))).toEqual({
      events: [...answer, ended({ items: [said] })],
      end: 'complete',
    });
  });

  describe('ends', () => {
    it('at once where beforeTurn says so before the first turn', () => {
      const { turn, prompts } = turnsOf(answer);
      const stop: NonNullable<RunToolsOptions['beforeTurn']> = () => of('stop');
      expect(outcomeOf(runStill('Hi', { turn, tools: [], beforeTurn: stop })).events).toEqual([
        ended({ reason: 'stopped', turns: 0 }),
      ]);
      expect(prompts).toEqual([]);
    });

    it('between turns where beforeTurn says so, with an output for each call', () => {
      const { turn } = turnsOf(turnCalling(a));
      const run = runStill('Hi', {
        turn,
        tools: [simple('a')],
        beforeTurn: ({ run }) => (run.steps.length > 0 ? 'stop' : undefined),
      });
      expect(outcomeOf(run).events.at(-1)).toEqual(
        ended({ reason: 'stopped', items: [a, outputOf('a', 'A')] }),
      );
    });

    it('after maxTurns, once the tools of the last one are done', () => {
      const { turn } = turnsOf(turnCalling(a), turnCalling(b));
      const run = runStill('Hi', { turn, tools: [simple('a'), simple('b')], maxTurns: 2 });
      const { events, end } = outcomeOf(run);
      const items = [a, outputOf('a', 'A'), b, outputOf('b', 'B')];
      expect(events.at(-1)).toEqual(ended({ reason: 'max_turns', turns: 2, items }));
      expect(end).toBe('complete');
    });

    it('after eight turns by default', () => {
      const turn = (_: Prompt, step: number) => turnCalling(call('a', '{}', `a${step}`));
      expect(endOf(outcomeOf(runStill('Hi', { turn, tools: [simple('a')] })).events)).toMatchObject({
        reason: 'max_turns',
        turns: 8,
      });
    });

    it('as answered in the last turn that maxTurns allows, where that calls nothing', () => {
      const { turn } = turnsOf(turnCalling(a), answer);
      const run = runStill('Hi', { turn, tools: [simple('a')], maxTurns: 2 });
      expect(endOf(outcomeOf(run).events)).toMatchObject({ reason: 'answered', turns: 2 });
    });

    it('as stopped where somebody stops the turn, with an output for each call that had come', () => {
      const turns: readonly ObservableInput<ResponseEvent>[] = [
        [text('72'), called(a), stoppedEvent],
        [text('72'), called(a)],
      ];
      for (const events of turns) {
        const { turn, prompts } = turnsOf(events);
        const outcome = outcomeOf(runStill('Hi', { turn, tools: [simple('a')] }));
        const cancelled = outputOf('a', 'The call was cancelled before it was complete.');
        expect(outcome.events.at(-1)).toEqual(ended({ reason: 'stopped', items: [said, a, cancelled] }));
        expect(prompts).toHaveLength(1);
      }
    });

    it('as stopped where a later turn ends without a word', () => {
      const { turn } = turnsOf(turnCalling(a), EMPTY);
      expect(outcomeOf(runStill('Hi', { turn, tools: [simple('a')] })).events.at(-1)).toEqual(
        ended({ reason: 'stopped', turns: 2, items: [a, outputOf('a', 'A')] }),
      );
    });

    it('with the sum of the usage that turns told, and null where none did', () => {
      const usage = (factor: number): TokenUsage => ({
        inputTokens: 10 * factor,
        cachedInputTokens: factor,
        outputTokens: 3 * factor,
        reasoningOutputTokens: 2 * factor,
        totalTokens: 13 * factor,
      });
      const { turn } = turnsOf([called(a), asked({ usage: usage(1) })], turnCalling(a), [
        completed({ usage: usage(10) }),
      ]);
      const tools = [simple('a')];
      expect(endOf(outcomeOf(runStill('Hi', { turn, tools })).events)?.usage).toEqual(usage(11));
      expect(endOf(outcomeOf(runStill('Hi', { turn: () => answer, tools })).events)?.usage).toBeNull();
    });
  });

  describe('calls that were cut', () => {
    const cut: readonly ResponseEvent[] = [
      { type: 'function_call_arguments_delta', callId: 'a', name: 'a', index: 0, delta: '{"x":' },
      called(b),
      completed({ finishReason: 'length', incompleteCalls: 1 }),
    ];
    const told =
      'The call was cut off before its arguments were complete, so it was not executed. Repeat it, with shorter arguments if they were long.';

    it('are told to the model as such, beside the outputs of those that are whole', () => {
      const { turn, prompts } = turnsOf(cut, answer);
      const { events } = outcomeOf(runStill('Hi', { turn, tools: [simple('a'), simple('b')] }));
      const asWritten = { ...a, arguments: '{"x":' };
      expect(events.filter(({ type }) => type === 'tool_finished')).toEqual([
        failed(a, 'incomplete_arguments', told),
        finished('b', 'B'),
      ]);
      expect(prompts[1]!.input.slice(1)).toEqual([b, asWritten, outputOf('b', 'B'), outputOf('a', told)]);
      expect(objectionsTo(prompts[1]!.input)).toEqual([]);
      expect(endOf(events)?.items).toEqual([...prompts[1]!.input.slice(1), said]);
    });

    it("end the run with toolError: 'fail'", () => {
      const { turn } = turnsOf(cut);
      const { end } = outcomeOf(runStill('Hi', { turn, tools: [simple('b')], toolError: 'fail' }));
      expect(end).toMatchObject({ name: 'ToolError', code: 'incomplete_arguments', callId: 'a' });
    });
  });

  describe('pending', () => {
    const tools = [
      tool({ name: 'a', approve: true, execute: () => 'A' }),
      tool({ name: 'b', execute: () => 'B' }),
      tool({ name: 'c', approve: true, execute: () => 'C' }),
    ];
    const c = call('c');

    it('is the end where calls wait for a decision; the others have their outputs', () => {
      const { turn, prompts } = turnsOf(turnCalling(a, b, c));
      const run = runStill('Hi', { turn, tools, approve: ({ name }) => (name === 'a' ? true : EMPTY) });
      const { events, end } = outcomeOf(run);
      expect(events.slice(4)).toEqual([
        requested(a),
        started(a),
        finished('a', 'A'),
        started(b),
        finished('b', 'B'),
        requested(c),
        ended({ reason: 'pending', items: [a, b, c, outputOf('a', 'A'), outputOf('b', 'B')] }),
      ]);
      expect(end).toBe('complete');
      expect(prompts).toHaveLength(1);
    });

    it('is the end of a run without approve', () => {
      const { turn } = turnsOf(turnCalling(a));
      expect(outcomeOf(runStill('Hi', { turn, tools })).events.at(-1)).toEqual(
        ended({ reason: 'pending', items: [a] }),
      );
    });

    it("is the end where the model calls one of the prompt's own tools, in either format", () => {
      const nested = { type: 'function', function: { name: 'b' } } as never;
      for (const own of [{ type: 'function', name: 'b', parameters: {} } as const, nested]) {
        const { turn } = turnsOf(turnCalling(b, a));
        const prompt: Prompt = { input: [question], tools: [own] };
        const { events } = outcomeOf(runStill(prompt, { turn, tools: [simple('a')] }));
        expect(events.slice(3)).toEqual([
          started(a),
          finished('a', 'A'),
          ended({ reason: 'pending', items: [b, a, outputOf('a', 'A')] }),
        ]);
      }
    });

    it('goes on in another process, from items that were stored as JSON, in the order of the calls', () => {
      const first = turnsOf(turnCalling(c, b, a));
      const pending = endOf(outcomeOf(runStill('Hi', { turn: first.turn, tools })).events)!;
      const stored = JSON.parse(JSON.stringify([question, ...pending.items])) as ResponseItem[];
      const { turn, prompts } = turnsOf(answer);
      const { events } = outcomeOf(runStill({ input: stored }, { turn, tools, approve: () => true }));
      expect(events).toEqual([
        { type: 'run_resumed', calls: [c, a] },
        requested(c),
        started(c),
        finished('c', 'C'),
        requested(a),
        started(a),
        finished('a', 'A'),
        ...answer,
        ended({ items: [outputOf('c', 'C'), outputOf('a', 'A'), said] }),
      ]);
      expect(objectionsTo(prompts[0]!.input)).toEqual([]);
      expect(objectionsTo([...stored, ...endOf(events)!.items, question])).toEqual([]);
    });

    it('is the end again, with no request, where nothing was decided', () => {
      const { turn, prompts } = turnsOf();
      const { events } = outcomeOf(runStill({ input: [question, a] }, { turn, tools, approve: () => EMPTY }));
      expect(events).toEqual([
        { type: 'run_resumed', calls: [a] },
        requested(a),
        ended({ reason: 'pending', turns: 0 }),
      ]);
      expect(prompts).toEqual([]);
    });
  });

  describe('beforeTurn', () => {
    it('is told the number, the prompt and the run so far, and goes on without a value', () => {
      const steps: Step[] = [];
      const { turn, prompts } = turnsOf(turnCalling(a), answer);
      const values = [EMPTY, undefined];
      const beforeTurn = (step: Step) => {
        steps.push(step);
        return values[step.step - 1] as Observable<Prompt>;
      };
      const { events } = outcomeOf(runStill('Hi', { turn, tools: [simple('a')], beforeTurn }));
      expect(steps.map(({ step }) => step)).toEqual([1, 2]);
      expect(steps.map(({ prompt }) => prompt)).toEqual(prompts);
      const runs: readonly Run[] = [emptyRun, events.slice(0, 4).reduce(reduceRun, emptyRun)];
      expect(steps.map(({ run }) => run)).toEqual(runs);
    });

    it('adds what was written meanwhile, which the run tells and its items contain', () => {
      const more = userMessage('In Celsius.');
      const { turn, prompts } = turnsOf(turnCalling(a), answer);
      const run = runStill('Hi', {
        turn,
        tools: [simple('a')],
        beforeTurn: ({ step, prompt }) =>
          step === 2
            ? of({ ...prompt, input: [...prompt.input, { role: 'user', content: 'In Celsius.' }] })
            : EMPTY,
      });
      const { events } = outcomeOf(run);
      expect(events[4]).toEqual({ type: 'input_added', items: [more] });
      const items = [a, outputOf('a', 'A'), more, said];
      expect(endOf(events)?.items).toEqual(items);
      expect(runItems(events.reduce(reduceRun, emptyRun))).toEqual(items);
      expect(prompts[1]!.input).toHaveLength(4);
    });

    it('replaces the conversation, for this turn and those after it', () => {
      const summary = userMessage('In short: Hi.');
      const { turn, prompts } = turnsOf(turnCalling(a), turnCalling(b), answer);
      const run = runStill('Hi', {
        turn,
        tools: [simple('a'), simple('b')],
        beforeTurn: ({ step, prompt }) => (step === 2 ? { ...prompt, input: [summary] } : undefined),
      });
      const { events } = outcomeOf(run);
      expect(prompts.map(({ input }) => input)).toEqual([
        [question],
        [summary],
        [summary, b, outputOf('b', 'B')],
      ]);
      expect(events.some(({ type }) => type === 'input_added')).toBe(false);
    });

    it('is waited for', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const values = { t: text('72'), d: completed(), R: ended({ items: [said] }) };
        const turn1 = cold<ResponseEvent>('    -t(d|)', { t: values.t, d: values.d });
        const before = cold<Prompt>('---(p-)', { p: { input: [] } });
        const run = runTools('Hi', { turn: () => turn1, tools: [], beforeTurn: () => before });
        expectObservable(run).toBe('    ----t(dR|)', values);
        expectSubscriptions(before.subscriptions).toBe('^--!');
        expectSubscriptions(turn1.subscriptions).toBe(' ---^-!');
      });
    });

    it('is given as a list, as RxJS takes one', () => {
      const summary = userMessage('In short: Hi.');
      const { turn, prompts } = turnsOf(turnCalling(a));
      const steps: readonly (readonly (Prompt | 'stop')[])[] = [[{ input: [summary] }], ['stop']];
      const run = runStill('Hi', { turn, tools: [simple('a')], beforeTurn: ({ step }) => steps[step - 1]! });
      expect(endOf(outcomeOf(run).events)?.reason).toBe('stopped');
      expect(prompts.map(({ input }) => input)).toEqual([[summary]]);
    });

    it.each<unknown>([null, 'continue', {}, { input: 'Hi' }, 5, [[]]])(
      'ends the run with a TypeError that says what it may give, for %j',
      (given) => {
        const run = runStill('Hi', { turn: () => answer, tools: [], beforeTurn: () => of(given) as never });
        expect(outcomeOf(run).end).toEqual(
          new TypeError(
            "options.beforeTurn must return 'stop', nothing, or a prompt whose input is an array of items.",
          ),
        );
      },
    );

    it('tells apart what the prompt that it gives has tools for', () => {
      const { turn } = turnsOf(turnCalling(b));
      const own = { type: 'function', name: 'b', parameters: {} } as const;
      const run = runStill('Hi', {
        turn,
        tools: [simple('a')],
        beforeTurn: ({ prompt }) => ({ ...prompt, tools: [...(prompt.tools ?? []), own] }),
      });
      expect(endOf(outcomeOf(run).events)?.reason).toBe('pending');
    });
  });

  it('gives each turn its number, so that another model can answer it', () => {
    const numbers: number[] = [];
    const turn = (_: Prompt, step: number) => {
      numbers.push(step);
      return step < 3 ? turnCalling(a) : answer;
    };
    outcomeOf(runStill('Hi', { turn, tools: [simple('a')] }));
    expect(numbers).toEqual([1, 2, 3]);
  });

  it('is stopped from around, at any time, with items that a provider accepts', () => {
    for (let at = 0; at < 40; at += 1) {
      testScheduler().run(({ cold, flush }) => {
        const turn1 = cold<ResponseEvent>('--t-(abc|)', {
          t: text('x'),
          a: called(a),
          b: called(b),
          c: asked(),
        });
        const turn2 = cold<ResponseEvent>('--t--(d|)', { t: text('72'), d: completed() });
        const { turn } = turnsOf(turn1, turn2);
        const tools = [
          tool({ name: 'a', execute: () => cold('--1--2---(3|)') }),
          tool({ name: 'b', approve: true, execute: () => cold('-----(1|)') }),
        ];
        let run = emptyRun;
        runTools('Hi', { turn, tools, approve: () => cold('------(y|)', { y: true }) })
          .pipe(stopWhen(cold('-'.repeat(at) + 'x')), accumulateRun())
          .subscribe((so) => (run = so));
        flush();
        expect([at, objectionsTo([question, ...runItems(run), question])]).toEqual([at, []]);
        expect([at, run.status]).toEqual([at, at <= 20 ? 'stopped' : 'completed']);
        expect([at, run.steps.flatMap(({ tools }) => tools.map(({ status }) => status))]).toEqual([
          at,
          at <= 4 ? [] : [at <= 13 ? 'cancelled' : 'finished', at <= 15 ? 'cancelled' : 'finished'],
        ]);
      });
    }
  });

  it('is not told to be stopped once it has ended', () => {
    const stop = new Subject<void>();
    const events: RunEvent[] = [];
    runStill('Hi', { turn: () => answer, tools: [] })
      .pipe(stopWhen(stop))
      .subscribe((event) => {
        events.push(event);
        if (event.type === 'run_completed') stop.next();
      });
    expect(events.map(({ type }) => type)).toEqual(['output_item_done', 'completed', 'run_completed']);
  });

  it('runs 5,000 turns that end synchronously, and 5,000 tools that do', () => {
    const turn = (_: Prompt, step: number) =>
      from(step < 5_000 ? turnCalling(call('a', '{}', `a${step}`)) : answer);
    const turns = outcomeOf(
      runStill('Hi', { turn, tools: [simple('a')], maxTurns: Infinity }).pipe(
        map((event) => (event.type === 'run_completed' ? event.turns : event.type)),
      ),
    );
    expect(turns.end).toBe('complete');
    expect(turns.events.at(-1)).toBe(5_000);
  });

  it('has one turn at a time, and no timer of a tool that is done', () => {
    let open = 0;
    let most = 0;
    const turn = (_: Prompt, step: number) =>
      defer(() => {
        most = Math.max(most, (open += 1));
        return from(step < 100 ? turnCalling(a) : answer).pipe(finalize(() => (open -= 1)));
      });
    const scheduler = new VirtualTimeScheduler();
    const options = { turn, tools: [simple('a')], maxTurns: Infinity, toolTimeout: 1_000, scheduler };
    expect(endOf(outcomeOf(runStill('Hi', options)).events)?.turns).toBe(100);
    expect([open, most]).toEqual([0, 1]);
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'no function for the turn',
      () => runStill('Hi', { tools: [] } as never),
      /options\.turn must be a function/,
    ],
    [
      'tools that are no list',
      () => runStill('Hi', { turn: () => [], tools: {} as never }),
      /options\.tools must be an array/,
    ],
    [
      'something else than a tool',
      () => runStill('Hi', { turn: () => [], tools: [{ name: 'a' } as never] }),
      /must hold what tool\(\) returns/,
    ],
    [
      'two tools of one name',
      () => runStill('Hi', { turn: () => [], tools: [simple('a'), simple('a')] }),
      /two tools named "a"/,
    ],
    [
      "a tool that is also the prompt's own",
      () =>
        runStill({ input: [], tools: [simple('a').definition] }, { turn: () => [], tools: [simple('a')] }),
      /both have a tool named "a"/,
    ],
    ['no input', () => runStill({} as Prompt, { turn: () => [], tools: [] }), /The prompt must be a string/],
    ['maxTurns: 0', () => runStill('Hi', { turn: () => [], tools: [], maxTurns: 0 }), /options\.maxTurns/],
    [
      'concurrency: 0',
      () => runStill('Hi', { turn: () => [], tools: [], concurrency: 0 }),
      /options\.concurrency/,
    ],
    [
      'an approve that is no function',
      () => runStill('Hi', { turn: () => [], tools: [], approve: true as never }),
      /options\.approve must be a function/,
    ],
    [
      'a beforeTurn that is no function',
      () => runStill('Hi', { turn: () => [], tools: [], beforeTurn: 'stop' as never }),
      /options\.beforeTurn must be a function/,
    ],
    [
      'a toolError that is not known',
      () => runStill('Hi', { turn: () => [], tools: [], toolError: 'throw' as never }),
      /options\.toolError must be 'tell' or 'fail'/,
    ],
    [
      'toolTimeout: 0',
      () => runStill('Hi', { turn: () => [], tools: [], toolTimeout: 0 }),
      /options\.toolTimeout/,
    ],
  ])('throws a TypeError for %s', (_, calling, message) => {
    expect(calling).toThrow(TypeError);
    expect(calling).toThrow(message);
  });
});
