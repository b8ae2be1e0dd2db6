import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { delay, EMPTY, first, map, NEVER, of, type SchedulerLike, timer, VirtualTimeScheduler } from 'rxjs';
import {
  type ChatOptions,
  type Prompt,
  type ResponseEvent,
  restartOnBreak,
  type RunEvent,
  runTools,
  type RunToolsOptions,
  streamChatCompletions,
  type Tool,
  tool,
} from '../../src/index.js';
import { traced, type TracedRun, traceRun, type TraceRunOptions, traceTurn } from '../../src/otel/index.js';
import { scriptedTransport, type ToolCall, toolCallEvents, turnOf, wireOf } from '../../src/testing/index.js';
import { testScheduler } from '../support/marbles.js';
import { eventsOf, recordedSpans, secondsOf, withContexts } from './recorded-spans.js';

const city = { type: 'object', properties: { city: { type: 'string' } } };

/** A tool that is done after so many milliseconds. */
const slow = (clock: SchedulerLike, milliseconds: number, more: object = {}): Tool =>
  tool({
    name: 'weather',
    input: city,
    execute: () => of('24 °C').pipe(delay(milliseconds, clock)),
    ...more,
  });

/** A tool that fails after two seconds. */
const broken = (clock: SchedulerLike): Tool =>
  tool({
    name: 'broken',
    execute: () =>
      timer(2000, clock).pipe(
        map(() => {
          throw new Error('private');
        }),
      ),
  });

const call: ToolCall = { name: 'weather', callId: 'c1', arguments: { city: 'Rome' } };

/** Turns of a second each: the model calls these, and answers then. */
const turnsOf =
  (clock: SchedulerLike, ...calls: readonly ToolCall[]): RunToolsOptions['turn'] =>
  (_prompt: Prompt, step: number) =>
    of(...(step === 1 ? turnOf(toolCallEvents(calls)) : turnOf('Sunny.'))).pipe(delay(1000, clock));

function run(
  optionsOf: (clock: VirtualTimeScheduler) => Partial<RunToolsOptions>,
  config: Partial<TraceRunOptions> = {},
  calls: readonly ToolCall[] = [call],
) {
  const scheduler = new VirtualTimeScheduler();
  const sdk = recordedSpans();
  const options = { turn: turnsOf(scheduler, ...calls), tools: [], scheduler, ...optionsOf(scheduler) };
  const traced = traceRun({ tracer: sdk.tracer, scheduler, ...config }, (tracedRun) =>
    runTools('How is the weather in Rome?', tracedRun(options)),
  );
  const summary = () =>
    sdk.spans().map((span) => ({
      name: span.name,
      outcome: span.attributes['rxjs_chat_completions.outcome'],
      error: span.attributes['error.type'],
      seconds: secondsOf(span),
    }));
  const named = (name: string) => sdk.spans().find((span) => span.name.startsWith(name))!;
  return { ...sdk, scheduler, traced, summary, named };
}

const ignored = { error: () => undefined };

describe('traceRun', () => {
  it('makes a span of the run and of each tool that executes', () => {
    const { traced, scheduler, spans, named, summary } = run(
      (clock) => ({ tools: [slow(clock, 3000)] }),
      { agentName: 'weather-desk' },
      [call, { ...call, callId: 'c2' }],
    );
    traced.subscribe();
    scheduler.flush();
    expect(summary()).toEqual([
      { name: 'execute_tool weather', outcome: 'completed', error: undefined, seconds: 3 },
      { name: 'execute_tool weather', outcome: 'completed', error: undefined, seconds: 3 },
      { name: 'invoke_agent weather-desk', outcome: 'completed', error: undefined, seconds: 5 },
    ]);
    expect(spans().map(({ kind, status }) => [kind, status.code])).toEqual(
      Array.from({ length: 3 }, () => [SpanKind.INTERNAL, SpanStatusCode.UNSET]),
    );
    expect(named('execute_tool').attributes).toEqual({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'weather',
      'gen_ai.tool.call.id': 'c1',
      'gen_ai.tool.type': 'function',
      'rxjs_chat_completions.outcome': 'completed',
    });
    expect(named('invoke_agent').attributes).toEqual({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'weather-desk',
      'rxjs_chat_completions.run.reason': 'answered',
      'rxjs_chat_completions.run.turns': 2,
      'rxjs_chat_completions.outcome': 'completed',
    });
    const root = named('invoke_agent').spanContext();
    expect(spans().map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
      root.spanId,
      root.spanId,
      undefined,
    ]);
  });

  it('changes nothing of the run, and unsubscribes from it at every frame', () => {
    const event = { type: 'tool_progress', callId: 'c', value: 1 } as const;
    for (let frame = 0; frame <= 7; frame += 1) {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<RunEvent>('--a--b|', { a: event, b: event });
        const { tracer } = recordedSpans();
        const left = `${'-'.repeat(frame)}!`;
        expectObservable(
          traceRun({ tracer }, () => source),
          left,
        ).toBe('--a--b|'.slice(0, Math.max(1, frame)), { a: event, b: event });
        const end = Math.min(frame, 6);
        expectSubscriptions(source.subscriptions).toBe(end === 0 ? '(^!)' : `^${'-'.repeat(end - 1)}!`);
      });
    }
  });

  it('tells why a tool failed, and that the run did not', () => {
    const { traced, scheduler, named, summary } = run((clock) => ({
      tools: [slow(clock, 9000, { timeout: 2000 })],
    }));
    traced.subscribe();
    scheduler.flush();
    expect(summary()).toEqual([
      { name: 'execute_tool weather', outcome: 'error', error: 'timeout', seconds: 2 },
      { name: 'invoke_agent', outcome: 'completed', error: undefined, seconds: 4 },
    ]);
    expect(named('execute_tool').status).toEqual({ code: SpanStatusCode.ERROR });
  });

  it('ends with the tool that ends the run; those that were left with it did not fail', () => {
    const { traced, scheduler, spans, summary } = run(
      (clock) => ({
        tools: [slow(clock, 9000), broken(clock)],
        toolError: 'fail',
      }),
      {},
      [call, { name: 'broken', callId: 'c2' }],
    );
    traced.subscribe(ignored);
    scheduler.flush();
    expect(summary()).toEqual([
      { name: 'execute_tool weather', outcome: 'unsubscribed', error: undefined, seconds: 2 },
      { name: 'execute_tool broken', outcome: 'error', error: 'failed', seconds: 2 },
      { name: 'invoke_agent', outcome: 'error', error: 'failed', seconds: 3 },
    ]);
    expect(JSON.stringify(spans().map(({ attributes, events }) => [attributes, events]))).not.toContain(
      'private',
    );
  });

  it('ends with the error of a turn', () => {
    const { traced, scheduler, summary, named } = run((clock) => ({
      turn: () =>
        timer(1000, clock).pipe(
          map((): ResponseEvent => {
            throw new TypeError('private');
          }),
        ),
    }));
    traced.subscribe(ignored);
    scheduler.flush();
    expect(summary()).toEqual([{ name: 'invoke_agent', outcome: 'error', error: 'TypeError', seconds: 1 }]);
    expect(named('invoke_agent').status).toEqual({ code: SpanStatusCode.ERROR });
  });

  it('ends every span where the run is left, which is no error', () => {
    const { traced, scheduler, spans, summary } = run((clock) => ({ tools: [slow(clock, 9000)] }));
    const subscription = traced.subscribe();
    scheduler.schedule(() => subscription.unsubscribe(), 4000);
    scheduler.flush();
    expect(summary()).toEqual([
      { name: 'execute_tool weather', outcome: 'unsubscribed', error: undefined, seconds: 3 },
      { name: 'invoke_agent', outcome: 'unsubscribed', error: undefined, seconds: 4 },
    ]);
    expect(spans().every(({ status }) => status.code === SpanStatusCode.UNSET)).toBe(true);
  });

  it('takes leaving at the last event for its end', () => {
    const { traced, scheduler, summary } = run((clock) => ({ tools: [slow(clock, 1000)] }));
    traced.pipe(first(({ type }) => type === 'run_completed')).subscribe();
    scheduler.flush();
    expect(summary().at(-1)).toMatchObject({ name: 'invoke_agent', outcome: 'completed' });
  });

  it('tells of decisions as events of the run, with what they took', () => {
    const { traced, scheduler, named } = run(
      (clock) => ({
        tools: [slow(clock, 1000, { approve: true })],
        approve: ({ call_id }) => of(call_id === 'c1').pipe(delay(call_id === 'c1' ? 5000 : 2000, clock)),
      }),
      {},
      [call, { ...call, callId: 'c2' }],
    );
    traced.subscribe();
    scheduler.flush();
    const identity = (id: string) => ({ 'gen_ai.tool.name': 'weather', 'gen_ai.tool.call.id': id });
    expect(eventsOf(named('invoke_agent'))).toEqual([
      { name: 'rxjs_chat_completions.approval_requested', attributes: identity('c1'), at: 1 },
      { name: 'rxjs_chat_completions.approval_requested', attributes: identity('c2'), at: 1 },
      {
        name: 'rxjs_chat_completions.approval_decided',
        attributes: {
          ...identity('c2'),
          'rxjs_chat_completions.approved': false,
          'rxjs_chat_completions.wait': 2,
        },
        at: 3,
      },
      {
        name: 'rxjs_chat_completions.call_refused',
        attributes: { 'gen_ai.tool.call.id': 'c2', 'error.type': 'rejected' },
        at: 3,
      },
      {
        name: 'rxjs_chat_completions.approval_decided',
        attributes: {
          ...identity('c1'),
          'rxjs_chat_completions.approved': true,
          'rxjs_chat_completions.wait': 5,
        },
        at: 6,
      },
    ]);
  });

  it('tells of a run that waits for a decision', () => {
    const { traced, scheduler, named } = run((clock) => ({ tools: [slow(clock, 1000, { approve: true })] }));
    traced.subscribe();
    scheduler.flush();
    expect(named('invoke_agent').attributes).toMatchObject({
      'rxjs_chat_completions.run.reason': 'pending',
      'rxjs_chat_completions.outcome': 'completed',
    });
  });

  it('tells of a call that no tool executed, and not the name that the model made up', () => {
    const { traced, scheduler, spans, named } = run(() => ({}), {}, [{ ...call, name: 'secret_name' }]);
    traced.subscribe();
    scheduler.flush();
    expect(eventsOf(named('invoke_agent'))).toEqual([
      {
        name: 'rxjs_chat_completions.call_refused',
        attributes: { 'gen_ai.tool.call.id': 'c1', 'error.type': 'unknown_tool' },
        at: 1,
      },
    ]);
    expect(spans()).toHaveLength(1);
    expect(JSON.stringify(named('invoke_agent').attributes)).not.toContain('secret_name');
  });

  it('tells apart two calls of one id', () => {
    const { traced, scheduler, summary } = run((clock) => ({ tools: [slow(clock, 2000)] }), {}, [call, call]);
    traced.subscribe();
    scheduler.flush();
    expect(summary().every(({ outcome }) => outcome === 'completed')).toBe(true);
    expect(summary().at(-1)!.name).toBe('invoke_agent');
  });

  describe('with content', () => {
    it('holds arguments and output only where it is asked for', () => {
      const contentOf = (content: TraceRunOptions['content']) => {
        const { traced, scheduler, named } = run((clock) => ({ tools: [slow(clock, 1)] }), { content });
        traced.subscribe();
        scheduler.flush();
        const { attributes } = named('execute_tool');
        return [attributes['gen_ai.tool.call.arguments'], attributes['gen_ai.tool.call.result']];
      };
      expect(contentOf('all')).toEqual(['{"city":"Rome"}', '24 °C']);
      expect(contentOf('none')).toEqual([undefined, undefined]);
      expect(contentOf(undefined)).toEqual([undefined, undefined]);
    });

    it('holds the arguments that an approval has changed, those of custom tools, and no data of images', () => {
      const picture = tool({
        name: 'weather',
        input: city,
        approve: true,
        execute: () => [
          { type: 'input_text', text: 'Rome' },
          { type: 'input_image', image_url: 'data:image/png;base64,iVBO' },
        ],
      });
      const shell = tool({ name: 'shell', input: 'text', execute: () => 'ok' });
      const { traced, scheduler, spans } = run(
        () => ({
          tools: [picture, shell],
          approve: () => of({ approved: true, arguments: { city: 'Bern' } }),
        }),
        { content: 'all' },
        [call, { name: 'shell', callId: 'c2', input: 'ls' }],
      );
      traced.subscribe();
      scheduler.flush();
      const content = spans()
        .slice(0, 2)
        .map(({ attributes }) => [
          attributes['gen_ai.tool.call.arguments'],
          attributes['gen_ai.tool.call.result'],
        ]);
      expect(content[0]![0]).toBe('{"city":"Bern"}');
      expect(content[0]![1]).toContain('{"type":"input_text","text":"Rome"},{"type":"input_image"}]');
      expect(content[1]).toEqual(['ls', 'ok']);
    });
  });

  it('begins anew with each subscription', () => {
    const { traced, scheduler, summary } = run((clock) => ({ tools: [slow(clock, 1000)] }));
    traced.subscribe();
    scheduler.schedule(() => traced.subscribe(), 500);
    scheduler.flush();
    expect(summary().map(({ name, seconds }) => [name, seconds])).toEqual([
      ['execute_tool weather', 1],
      ['execute_tool weather', 1],
      ['invoke_agent', 3],
      ['invoke_agent', 3],
    ]);
  });

  it('traces a run whose options it was not given, without children', () => {
    const sdk = recordedSpans();
    const event = { type: 'tool_finished', callId: 'x', output: '', duration: 0 } as const;
    traceRun<RunEvent>({ tracer: sdk.tracer }, () => of(event)).subscribe();
    expect(sdk.spans().map(({ name }) => name)).toEqual(['invoke_agent']);
  });

  it('is no matter of the run’s where the tracer throws', () => {
    const tracer = {
      startSpan() {
        throw new Error('of the tracer');
      },
    } as unknown as Tracer;
    const events: string[] = [];
    const { traced, scheduler } = run((clock) => ({ tools: [slow(clock, 1000)] }), { tracer });
    traced.subscribe(({ type }) => events.push(type));
    scheduler.flush();
    expect(events.at(-1)).toBe('run_completed');
    expect(events).toContain('tool_finished');
  });

  it('fails where its function does, and ends the span', () => {
    const sdk = recordedSpans();
    const error = new RangeError('of the function');
    const errors: unknown[] = [];
    traceRun<RunEvent>({ tracer: sdk.tracer }, () => {
      throw error;
    }).subscribe({ error: (each: unknown) => errors.push(each) });
    expect(errors).toEqual([error]);
    expect(sdk.spans()[0]!.attributes['error.type']).toBe('RangeError');
  });

  it('refuses to go without a tracer, at once', () => {
    expect(() => traceRun({} as TraceRunOptions, () => EMPTY)).toThrow(TypeError);
  });

  it('leaves what is wrong with the options to the run', () => {
    const sdk = recordedSpans();
    const failed = (options: unknown) => {
      let failure: unknown;
      traceRun({ tracer: sdk.tracer }, (tracedRun: TracedRun) =>
        runTools('Hi', tracedRun(options as RunToolsOptions)),
      ).subscribe({ error: (error: unknown) => (failure = error) });
      return failure;
    };
    expect(failed({ tools: [] })).toEqual(new TypeError('options.turn must be a function.'));
    expect(failed({ turn: () => EMPTY, tools: 'none' })).toBeInstanceOf(TypeError);
    expect(failed({ turn: () => EMPTY, tools: [{ name: 'a' }, null] })).toBeInstanceOf(TypeError);
  });
});

/** Whose child each span is, by their names. */
function family(sdk: ReturnType<typeof recordedSpans>) {
  const spans = sdk.spans();
  const nameOf = (id: string | undefined) => spans.find((span) => span.spanContext().spanId === id)?.name;
  return spans.map(({ name, parentSpanContext }) => [name, nameOf(parentSpanContext?.spanId)]);
}

describe.each([
  ['with a context manager', true],
  ['without one, as in browsers', false],
])('the turns and tools of traceRun, %s', (_how, hasManager) => {
  if (hasManager) withContexts();

  const provider = { name: 'p', baseUrl: 'https://p.test' };

  function nested() {
    const sdk = recordedSpans();
    const { tracer } = sdk;
    const answers = (...events: readonly (readonly ResponseEvent[])[]): ChatOptions => ({
      model: 'm',
      provider,
      transport: scriptedTransport(...events.map((each) => ({ body: wireOf(each) }))),
    });
    const inner = answers(turnOf('Sunny.'));
    const agent = tool({
      name: 'weather',
      input: city,
      execute: () =>
        traceRun({ tracer, agentName: 'inner' }, (tracedRun) =>
          runTools(
            'Rome?',
            tracedRun({
              tools: [],
              turn: (prompt) => streamChatCompletions(prompt, traced(inner, { tracer })),
            }),
          ),
        ),
    });
    const fetched = tool({
      name: 'later',
      execute: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return 'ok';
      },
    });
    const outer = answers(turnOf(toolCallEvents([call, { name: 'later', callId: 'c2' }])), turnOf('Sunny.'));
    const run = traceRun({ tracer, agentName: 'outer' }, (tracedRun) =>
      runTools(
        'How is the weather in Rome?',
        tracedRun({
          tools: [agent, fetched],
          turn: (prompt) =>
            traceTurn({ tracer }, (tracedTurn) =>
              streamChatCompletions(prompt, tracedTurn(outer)).pipe(restartOnBreak()),
            ),
        }),
      ),
    );
    return { sdk, run };
  }

  it('are children of its span, and what a tool makes of the tool’s', async () => {
    const { sdk, run } = nested();
    const contexts: unknown[] = [];
    await new Promise<void>((resolve) => {
      run.subscribe({ next: () => contexts.push(trace.getSpan(context.active())), complete: resolve });
    });
    expect(family(sdk).sort()).toEqual(
      [
        ['chat m', 'invoke_agent outer'],
        ['chat m', 'invoke_agent outer'],
        ['chat m', 'invoke_agent inner'],
        ['execute_tool later', 'invoke_agent outer'],
        ['execute_tool weather', 'invoke_agent outer'],
        ['invoke_agent inner', 'execute_tool weather'],
        ['invoke_agent outer', undefined],
      ].sort(),
    );
    // What the application does with an event is no part of the run.
    expect(new Set(contexts)).toEqual(new Set([undefined]));
  });
});

describe('the parent of traceRun', () => {
  withContexts();

  it('is the span around its subscription', () => {
    const sdk = recordedSpans();
    const around = sdk.tracer.startSpan('around');
    context.with(trace.setSpan(ROOT_CONTEXT, around), () =>
      traceRun<RunEvent>({ tracer: sdk.tracer }, () => NEVER)
        .subscribe()
        .unsubscribe(),
    );
    expect(sdk.spans()[0]!.parentSpanContext).toEqual(around.spanContext());
  });
});
