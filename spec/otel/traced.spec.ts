import { context, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import {
  concat,
  delay,
  lastValueFrom,
  NEVER,
  of,
  take,
  tap,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import {
  type ChatOptions,
  type Diagnostic,
  fetchTransport,
  streamChatCompletions,
  streamChatRequest,
  userMessage,
} from '../../src/index.js';
import { startMockProvider } from '../../src/mock-provider/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { traced, type TraceOptions } from '../../src/otel/index.js';
import { type ScriptedAnswer, scriptedTransport } from '../../src/testing/index.js';
import { tick } from '../request/transport-contract.js';
import { provider } from '../support/events.js';
import { chunk, done, finishChunk, textChunk } from '../support/wire.js';
import { eventsOf, recordedSpans, secondsOf, withContexts } from './recorded-spans.js';

withContexts();

const said = { id: 'chatcmpl-1', model: 'm-2026' };
const usage = chunk({
  ...said,
  choices: [],
  usage: {
    prompt_tokens: 12,
    completion_tokens: 5,
    total_tokens: 17,
    prompt_tokens_details: { cached_tokens: 8 },
    completion_tokens_details: { reasoning_tokens: 2 },
  },
});

const identity = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'test',
  'gen_ai.request.model': 'm',
  'server.address': 'provider.test',
  'server.port': 80,
};

/** An answer in virtual time: its headers after 500 ms, its first text after another 1,000, its end after 500 more. */
function paced(scheduler: VirtualTimeScheduler, ...end: readonly string[]): ScriptedAnswer {
  return {
    after: timer(500, scheduler),
    body: concat(
      of(chunk({ ...said, choices: [{ index: 0, delta: { role: 'assistant' } }] })),
      of(textChunk('Hel', said)).pipe(delay(1000, scheduler)),
      of([...end].join('')).pipe(delay(500, scheduler)),
    ),
  };
}

/** A turn in virtual time, traced. */
function run(
  answersOf: (scheduler: VirtualTimeScheduler) => readonly (ScriptedAnswer | Error)[],
  given: Partial<ChatOptions> = {},
  config: Partial<TraceOptions> = {},
) {
  const scheduler = new VirtualTimeScheduler();
  const sdk = recordedSpans();
  const transport = scriptedTransport(...answersOf(scheduler));
  const options = traced(
    { model: 'm', provider, transport, scheduler, ...given, retry: { jitter: 0, ...given.retry } },
    { tracer: sdk.tracer, meter: sdk.meter, ...config },
  );
  const turn = streamChatCompletions('Why?', options);
  return { ...sdk, scheduler, transport, options, turn };
}

describe('traced', () => {
  it('makes one span of a turn, with what was asked for and what came', () => {
    const { turn, scheduler, spans } = run(
      (clock) => [paced(clock, finishChunk('stop', said), usage, done)],
      {
        params: { temperature: 0.5, max_completion_tokens: 100, seed: 7, n: 1, stop: ['private'] },
        responseFormat: { type: 'json_object' },
      },
    );
    turn.subscribe();
    scheduler.flush();
    expect(spans()).toHaveLength(1);
    const [span] = spans();
    expect(span).toMatchObject({
      name: 'chat m',
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.UNSET },
    });
    expect(secondsOf(span!)).toBe(2);
    expect(span!.events).toEqual([]);
    expect(span!.attributes).toEqual({
      ...identity,
      'gen_ai.output.type': 'json',
      'gen_ai.request.stream': true,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.max_tokens': 100,
      'gen_ai.request.seed': 7,
      'gen_ai.response.id': 'chatcmpl-1',
      'gen_ai.response.model': 'm-2026',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.response.time_to_first_chunk': 1.5,
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 5,
      'gen_ai.usage.cache_read.input_tokens': 8,
      'gen_ai.usage.reasoning.output_tokens': 2,
      'rxjs_chat_completions.outcome': 'completed',
    });
  });

  it('makes an event of each retry, in the one span over all attempts', () => {
    const { turn, scheduler, spans } = run((clock) => [
      { status: 429, headers: { 'retry-after': '2' } },
      new Error('refused'),
      paced(clock, finishChunk(), done),
    ]);
    turn.subscribe();
    scheduler.flush();
    const [span, ...others] = spans();
    expect(others).toEqual([]);
    expect(eventsOf(span!)).toEqual([
      {
        name: 'rxjs_chat_completions.retry',
        at: 0,
        attributes: {
          'rxjs_chat_completions.attempt': 1,
          'rxjs_chat_completions.delay': 2,
          'error.type': 'UnexpectedStatusError',
          'http.response.status_code': 429,
        },
      },
      {
        name: 'rxjs_chat_completions.retry',
        at: 2,
        attributes: {
          'rxjs_chat_completions.attempt': 2,
          'rxjs_chat_completions.delay': 0.4,
          'error.type': 'TransportError',
        },
      },
    ]);
    expect(secondsOf(span!)).toBeCloseTo(4.4, 6);
    expect(span!.status.code).toBe(SpanStatusCode.UNSET);
    expect(span!.attributes['gen_ai.response.time_to_first_chunk']).toBeCloseTo(3.9, 6);
  });

  it.each([
    ['of a status', [{ status: 401, body: 'private' }], 'UnexpectedStatusError'],
    ['of the stream', [{ body: throwError(() => new Error('private')) }], 'StreamError'],
    ['before anything was sent', [], 'MissingApiKeyError'],
  ] as const)('says which error ended it: one %s', (_, answers, name) => {
    const { turn, scheduler, spans } = run(
      () => answers,
      name === 'MissingApiKeyError'
        ? { provider: { name: 'test', baseUrl: provider.baseUrl, envKey: 'NO_SUCH_KEY_IS_SET' } }
        : {},
    );
    turn.subscribe({ error: () => undefined });
    scheduler.flush();
    expect(spans()).toHaveLength(1);
    const [span] = spans();
    expect(span!.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span!.events).toEqual([]);
    expect(span!.attributes).toEqual({
      ...identity,
      'gen_ai.request.stream': true,
      'gen_ai.response.finish_reasons': ['error'],
      'error.type': name,
      'rxjs_chat_completions.outcome': 'error',
    });
  });

  it('ends where the turn is unsubscribed, which is no error', () => {
    const { turn, scheduler, spans } = run((clock) => [paced(clock, done)]);
    turn.pipe(take(1)).subscribe();
    scheduler.flush();
    const [span] = spans();
    expect(secondsOf(span!)).toBe(1.5);
    expect(span!.status).toEqual({ code: SpanStatusCode.UNSET });
    expect(span!.attributes).toEqual({
      ...identity,
      'gen_ai.request.stream': true,
      'gen_ai.response.finish_reasons': ['error'],
      'gen_ai.response.time_to_first_chunk': 1.5,
      'rxjs_chat_completions.outcome': 'unsubscribed',
    });
  });

  it('counts the wait for admission', () => {
    const clock = new VirtualTimeScheduler();
    const { turn, spans } = run(() => [paced(clock, done)], {
      scheduler: clock,
      admission: () => timer(3000, clock),
    });
    turn.subscribe();
    clock.flush();
    expect(secondsOf(spans()[0]!)).toBe(5);
  });

  it('makes each subscription a span of its own, also of two that run at a time', () => {
    const { turn, scheduler, spans } = run((clock) => [
      paced(clock, finishChunk('stop'), done),
      paced(clock, finishChunk('length'), done),
    ]);
    turn.subscribe();
    scheduler.schedule(() => turn.subscribe(), 700);
    scheduler.flush();
    expect(
      spans().map((span) => [span.attributes['gen_ai.response.finish_reasons'], secondsOf(span)]),
    ).toEqual([
      [['stop'], 2],
      [['length'], 2],
    ]);
  });

  it('takes the model and the parameters of a body that was written already', () => {
    const scheduler = new VirtualTimeScheduler();
    const sdk = recordedSpans();
    const turnOptions = traced(
      { provider, scheduler, transport: scriptedTransport(paced(scheduler, done)) },
      { tracer: sdk.tracer },
    );
    streamChatRequest({ model: 'm-2', messages: [], top_p: 0.9 }, turnOptions).subscribe();
    scheduler.flush();
    expect(sdk.spans()[0]).toMatchObject({
      name: 'chat m-2',
      attributes: { 'gen_ai.request.model': 'm-2', 'gen_ai.request.top_p': 0.9 },
    });
  });

  describe('keeps to what the caller has set', () => {
    it('calls the diagnostics of the options, whatever they throw', () => {
      const told: Diagnostic['type'][] = [];
      const { turn, scheduler, spans } = run((clock) => [paced(clock, finishChunk(), done)], {
        diagnostics: ({ type }) => {
          told.push(type);
          throw new Error('a listener that fails');
        },
      });
      turn.subscribe();
      scheduler.flush();
      expect(told).toEqual(['start', 'request', 'response', 'content', 'end']);
      expect(spans()).toHaveLength(1);
    });

    it('sends with the transport of the options, and says what is wrong with it', () => {
      const { turn, scheduler, spans } = run(() => [], { transport: (() => undefined) as never });
      const errors: unknown[] = [];
      turn.subscribe({ error: (error: unknown) => errors.push(error) });
      scheduler.flush();
      expect(errors).toEqual([
        new TypeError('options.transport must return an Observable. Did you mean fetchTransport()?'),
      ]);
      expect(spans()[0]!.attributes['error.type']).toBe('TypeError');
    });

    it('leaves what is wrong with the options to the turn', () => {
      const options = traced({ model: 'm' } as ChatOptions, { tracer: recordedSpans().tracer });
      expect(() => streamChatCompletions('Hi', options)).toThrow(
        'options.provider must be an object with a baseUrl',
      );
    });

    it('refuses to go without a tracer', () => {
      expect(() => traced({ model: 'm', provider }, {} as TraceOptions)).toThrow(
        new TypeError("tracer must be a Tracer, such as trace.getTracer('my-app')."),
      );
    });
  });

  describe('content', () => {
    const words = [
      'prompt-words',
      'system-words',
      'answer-words',
      'thought-words',
      'call-words',
      'stop-words',
    ];
    const body = [
      chunk({ choices: [{ index: 0, delta: { reasoning_content: 'thought-words' } }] }),
      textChunk('answer-words of sk-test-key'),
      chunk({
        choices: [
          {
            index: 0,
            delta: {
              tool_calls: [{ index: 0, id: 'c1', function: { name: 'f', arguments: '{"a":"call-words"}' } }],
            },
          },
        ],
      }),
      finishChunk('tool_calls'),
      done,
    ];
    const tools = [
      { type: 'function', name: 'f', description: 'tool-words', parameters: { type: 'object' } },
    ] as const;

    function ask(config: Partial<TraceOptions>, answers: readonly ScriptedAnswer[]) {
      const sdk = recordedSpans();
      const scheduler = new VirtualTimeScheduler();
      const options = traced<ChatOptions>(
        {
          model: 'm',
          provider: { ...provider, apiKey: 'sk-test-key' },
          params: { stop: ['stop-words'] },
          scheduler,
          retry: { maxRetries: 1 },
          transport: scriptedTransport(...answers),
        },
        { tracer: sdk.tracer, ...config },
      );
      const prompt = { instructions: 'system-words', input: [userMessage('prompt-words')], tools };
      streamChatCompletions(prompt, options).subscribe({ error: () => undefined });
      scheduler.flush();
      const { name, attributes, events, status } = sdk.spans()[0]!;
      return {
        attributes: attributes as Record<string, string>,
        all: JSON.stringify({ name, attributes, events, status }),
      };
    }

    it.each([
      ['of an answer', [{ body }]],
      [
        'of an answer that broke',
        [
          {
            body: concat(
              of(...body.slice(0, 3)),
              throwError(() => new Error('answer-words')),
            ),
          },
        ],
      ],
      ['of an error', [{ status: 400, body: '{"error":{"message":"prompt-words","code":"answer-words"}}' }]],
      [
        'of failed attempts',
        [
          { status: 503, body: 'answer-words' },
          { status: 503, body: 'answer-words' },
        ],
      ],
    ] as const)('is not told by default: %s', (_, answers) => {
      const { all } = ask({}, answers);
      for (const word of [...words, 'tool-words', 'sk-test-key']) expect(all).not.toContain(word);
    });

    it('is told where it is asked for, as the conventions write it, and without the key', () => {
      const { attributes, all } = ask({ content: 'all' }, [{ body }]);
      expect(JSON.parse(attributes['gen_ai.input.messages']!)).toEqual([
        { role: 'system', parts: [{ type: 'text', content: 'system-words' }] },
        { role: 'user', parts: [{ type: 'text', content: 'prompt-words' }] },
      ]);
      expect(JSON.parse(attributes['gen_ai.output.messages']!)).toEqual([
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', content: 'thought-words' },
            { type: 'text', content: 'answer-words of ***' },
            { type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 'call-words' } },
          ],
          finish_reason: 'tool_calls',
        },
      ]);
      expect(attributes['gen_ai.tool.definitions']).toContain('tool-words');
      expect(attributes['gen_ai.request.stop_sequences']).toEqual(['stop-words']);
      expect(all).not.toContain('sk-test-key');
    });

    it('is told of an answer that broke, as far as it came', () => {
      const { attributes } = ask({ content: 'all' }, [
        {
          body: concat(
            of(textChunk('answer-words')),
            throwError(() => new Error('broken')),
          ),
        },
      ]);
      expect(JSON.parse(attributes['gen_ai.output.messages']!)).toEqual([
        { role: 'assistant', parts: [{ type: 'text', content: 'answer-words' }], finish_reason: 'error' },
      ]);
    });

    it('is told of an answer that is JSON', () => {
      const { attributes } = ask({ content: 'all' }, [
        {
          headers: { 'content-type': 'application/json' },
          body: '{"choices":[{"message":{"content":"answer-words"},"finish_reason":"stop"}]}',
        },
      ]);
      expect(JSON.parse(attributes['gen_ai.output.messages']!)).toEqual([
        { role: 'assistant', parts: [{ type: 'text', content: 'answer-words' }], finish_reason: 'stop' },
      ]);
    });
  });

  describe('never touches the turn', () => {
    const fail = () => {
      throw new Error('the tracer is broken');
    };
    const brokenSpan = {
      spanContext: () => trace.wrapSpanContext({ traceId: '0', spanId: '0', traceFlags: 0 }).spanContext(),
      setAttribute: fail,
      setAttributes: fail,
      addEvent: fail,
      setStatus: fail,
      updateName: fail,
      end: fail,
    };

    it.each([
      ['a tracer', { startSpan: fail } as never],
      ['a span', { startSpan: () => brokenSpan } as never],
    ] as const)('with %s that throws', (_, tracer: Tracer) => {
      const meter = { createHistogram: fail, createCounter: fail } as never;
      const { turn, scheduler } = run(
        (clock) => [{ status: 503 }, paced(clock, finishChunk(), done)],
        {},
        { tracer, meter, content: 'all' },
      );
      const types: string[] = [];
      turn.subscribe(({ type }) => types.push(type));
      scheduler.flush();
      expect(types).toEqual(['output_item_done', 'completed']);
    });

    it('with a metric that throws', () => {
      const sdk = recordedSpans();
      const broken = { record: fail, add: fail };
      const meter = { createHistogram: () => broken, createCounter: () => broken } as never;
      const { turn, scheduler } = run((clock) => [paced(clock, done)], {}, { tracer: sdk.tracer, meter });
      let isComplete = false;
      turn.subscribe({ complete: () => (isComplete = true) });
      scheduler.flush();
      expect(isComplete).toBe(true);
      expect(sdk.spans()).toHaveLength(1);
    });
  });

  describe('metrics', () => {
    it('are those of the conventions, by model, provider and server', async () => {
      const { turn, scheduler, metrics } = run((clock) => [
        paced(clock, finishChunk('stop', said), usage, done),
        { status: 400 },
      ]);
      turn.subscribe();
      turn.subscribe({ error: () => undefined });
      scheduler.flush();
      const recorded = await metrics();
      const points = (name: string) =>
        recorded.get(name)?.dataPoints.map(({ attributes, value }) => ({
          attributes,
          value: typeof value === 'object' && 'sum' in value ? [value.count, value.sum] : value,
        }));
      const answered = { ...identity, 'gen_ai.response.model': 'm-2026' };
      const text = { 'gen_ai.token.modality': 'unknown' };
      expect(points('gen_ai.client.inference.duration')).toEqual([
        { attributes: { ...identity, 'error.type': 'UnexpectedStatusError' }, value: [1, 0] },
        { attributes: answered, value: [1, 2] },
      ]);
      expect(points('gen_ai.client.inference.time_to_first_chunk')).toEqual([
        { attributes: answered, value: [1, 1.5] },
      ]);
      expect(points('gen_ai.client.inference.usage.input_tokens')).toEqual([
        { attributes: { ...identity, ...text }, value: 0 },
        { attributes: { ...answered, ...text }, value: 12 },
      ]);
      expect(points('gen_ai.client.inference.usage.output_tokens')).toEqual([
        { attributes: { ...identity, ...text }, value: 0 },
        { attributes: { ...answered, ...text }, value: 5 },
      ]);
      expect(points('gen_ai.client.inference.usage.cache_read.input_tokens')).toEqual([
        { attributes: { ...answered, ...text }, value: 8 },
      ]);
      expect(points('gen_ai.client.inference.usage.reasoning.output_tokens')).toEqual([
        { attributes: { ...answered, ...text }, value: 2 },
      ]);
      expect([...recorded.values()].map(({ descriptor }) => descriptor.unit)).toEqual([
        's',
        's',
        '{token}',
        '{token}',
        '{token}',
        '{token}',
      ]);
    });

    it('leave the duration of an unsubscribed turn out', async () => {
      const { turn, scheduler, metrics } = run(() => [{ body: NEVER }]);
      const subscription = turn.subscribe();
      scheduler.schedule(() => subscription.unsubscribe(), 100);
      scheduler.flush();
      const recorded = [...(await metrics())].filter(([, { dataPoints }]) => dataPoints.length > 0);
      expect(recorded.map(([name]) => name)).toEqual([
        'gen_ai.client.inference.usage.input_tokens',
        'gen_ai.client.inference.usage.output_tokens',
      ]);
    });
  });

  describe('over a socket', () => {
    it('is the child of the span around it and the parent of the HTTP client’s spans', async () => {
      const sdk = recordedSpans();
      const instrumentation = new UndiciInstrumentation();
      instrumentation.setTracerProvider(sdk.provider);
      const mock = await startMockProvider({ pace: 0, answers: [{ status: 503 }, { content: 'Hi' }] });
      try {
        const around = sdk.tracer.startSpan('around');
        const options = traced(
          { model: 'm', provider: { name: 'mock', baseUrl: mock.baseUrl }, retry: { initialDelay: 1 } },
          { tracer: sdk.tracer },
        );
        await context.with(trace.setSpan(context.active(), around), () =>
          lastValueFrom(streamChatCompletions('Hi', options)),
        );
        // The HTTP client's last span ends once the connection has done so.
        while (sdk.spans().length < 3) await tick();
        const inference = sdk.spans().find(({ name }) => name === 'chat m')!;
        expect(inference.parentSpanContext).toEqual(around.spanContext());
        const requests = sdk.spans().filter((span) => span !== inference);
        expect(requests.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([503, 200]);
        for (const { parentSpanContext } of requests)
          expect(parentSpanContext).toEqual(inference.spanContext());
      } finally {
        instrumentation.disable();
        await mock.close();
      }
    });

    it.each([
      ['fetchTransport', fetchTransport],
      ['nodeTransport', nodeTransport],
    ] as const)(
      'over %s, what the application does with the answer is no part of the span',
      async (_, transport) => {
        const sdk = recordedSpans();
        const mock = await startMockProvider({ pace: 0, answers: [{ content: ['Hel', 'lo'] }] });
        try {
          const around = sdk.tracer.startSpan('around');
          const options = traced(
            { model: 'm', provider: { name: 'mock', baseUrl: mock.baseUrl }, transport: transport() },
            { tracer: sdk.tracer },
          );
          const active: unknown[] = [];
          await context.with(trace.setSpan(context.active(), around), () =>
            lastValueFrom(
              streamChatCompletions('Hi', options).pipe(
                tap({
                  next: () => active.push(trace.getActiveSpan()),
                  complete: () => active.push(trace.getActiveSpan()),
                }),
              ),
            ),
          );
          expect(active).toEqual([around, around, around, around]);
        } finally {
          await mock.close();
        }
      },
    );
  });
});
