import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  asyncScheduler,
  concat,
  delay,
  mergeMap,
  type Observable,
  of,
  retry,
  type SchedulerLike,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import {
  type ChatOptions,
  fallbackWith,
  hedgeWith,
  requireFinish,
  type ResponseEvent,
  restartOnBreak,
  streamChatCompletions,
  textDeltas,
} from '../../src/index.js';
import { traced as tracedAlone, type Traced, type TraceOptions, traceTurn } from '../../src/otel/index.js';
import { type ScriptedAnswer, scriptedTransport } from '../../src/testing/index.js';
import { done, finishChunk, textChunk } from '../support/wire.js';
import { eventsOf, recordedSpans, secondsOf, withContexts } from './recorded-spans.js';

withContexts();

/** Text after a second, and a break after another. */
const broken = (clock: SchedulerLike): ScriptedAnswer => ({
  body: concat(
    of(textChunk('On')).pipe(delay(1000, clock)),
    timer(1000, clock).pipe(mergeMap(() => throwError(() => new Error('cut')))),
  ),
});

/** A whole answer after two seconds. */
const whole = (clock: SchedulerLike): ScriptedAnswer => ({
  body: of(`${textChunk('Once')}${finishChunk()}${done}`).pipe(delay(2000, clock)),
});

/** An answer that ends after a second, with neither a finish reason nor `[DONE]`. */
const cutOff = (clock: SchedulerLike): ScriptedAnswer => ({
  body: of(textChunk('On')).pipe(delay(1000, clock)),
});

const down: ScriptedAnswer = { status: 503 };

function run<T>(
  project: (
    traced: Traced,
    ask: (name: string, ...answers: readonly ScriptedAnswer[]) => ChatOptions,
    clock: VirtualTimeScheduler,
  ) => Observable<T>,
) {
  const scheduler = new VirtualTimeScheduler();
  const sdk = recordedSpans();
  const optionsOf = (name: string, ...answers: readonly ScriptedAnswer[]): ChatOptions => ({
    model: `${name}-1`,
    provider: { name, baseUrl: `https://${name}.test/v1` },
    transport: scriptedTransport(...answers),
    scheduler,
    retry: { maxRetries: 0 },
  });
  const turn = traceTurn({ tracer: sdk.tracer }, (traced) => project(traced, optionsOf, scheduler));
  const summary = () =>
    sdk.spans().map((span) => ({
      name: span.name,
      provider: span.attributes['gen_ai.provider.name'],
      outcome: span.attributes['rxjs_chat_completions.outcome'],
      error: span.attributes['error.type'],
      seconds: secondsOf(span),
      events: eventsOf(span).map(({ name, at }) => `${name.split('.').at(-1)} ${at}`),
    }));
  return { ...sdk, scheduler, turn, summary };
}

const events = (options: ChatOptions): Observable<ResponseEvent> => streamChatCompletions('Hi', options);
const ignored = { error: () => undefined };

describe('traceTurn', () => {
  it('makes one span of a turn that is restarted, and an event of the restart', () => {
    const { turn, scheduler, spans, summary } = run((traced, options, clock) =>
      events(traced(options('a', broken(clock), whole(clock)))).pipe(
        restartOnBreak({ initialDelay: 3000, jitter: 0, scheduler: clock }),
      ),
    );
    turn.subscribe();
    scheduler.flush();
    expect(summary()).toEqual([
      {
        name: 'chat a-1',
        provider: 'a',
        outcome: 'completed',
        error: undefined,
        seconds: 7,
        events: ['restart 2'],
      },
    ]);
    const [span] = spans();
    expect(span!.events[0]!.attributes).toEqual({
      'rxjs_chat_completions.attempt': 1,
      'rxjs_chat_completions.delay': 3,
      'error.type': 'StreamError',
    });
    expect(span!.status.code).toBe(SpanStatusCode.UNSET);
    expect(span!.attributes['gen_ai.response.finish_reasons']).toEqual(['stop']);
    expect(span!.attributes['gen_ai.response.time_to_first_chunk']).toBe(1);
  });

  it('ends a span as of the failure where no restart follows', () => {
    const { turn, scheduler, spans, summary } = run((traced, options, clock) =>
      events(traced(options('a', broken(clock), broken(clock)))).pipe(
        restartOnBreak({ initialDelay: 3000, jitter: 0, maxRetries: 1, scheduler: clock }),
      ),
    );
    turn.subscribe(ignored);
    scheduler.flush();
    expect(summary()).toEqual([
      {
        name: 'chat a-1',
        provider: 'a',
        outcome: 'error',
        error: 'StreamError',
        seconds: 7,
        events: ['restart 2'],
      },
    ]);
    expect(spans()[0]!.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('counts a stream that ended too early as a failure where it is asked for anew', () => {
    const { turn, scheduler, spans, summary } = run((traced, options, clock) =>
      events(traced(options('a', cutOff(clock), whole(clock)))).pipe(
        requireFinish(),
        restartOnBreak({ initialDelay: 3000, jitter: 0, scheduler: clock }),
      ),
    );
    turn.subscribe();
    scheduler.flush();
    expect(summary()).toMatchObject([{ outcome: 'completed', seconds: 6, events: ['restart 1'] }]);
    expect(spans()[0]!.events[0]!.attributes!['error.type']).toBe('IncompleteStreamError');
  });

  it('makes a span of each provider of a fallback, the second linked to the one that failed', () => {
    const { turn, scheduler, spans, summary } = run((traced, options, clock) =>
      events(traced(options('a', down))).pipe(fallbackWith(events(traced(options('b', whole(clock)))))),
    );
    turn.subscribe();
    scheduler.flush();
    expect(summary()).toEqual([
      {
        name: 'chat b-1',
        provider: 'b',
        outcome: 'completed',
        error: undefined,
        seconds: 2,
        events: [],
      },
      {
        name: 'chat a-1',
        provider: 'a',
        outcome: 'error',
        error: 'RetryLimitError',
        seconds: 0,
        events: [],
      },
    ]);
    const [second, first] = spans();
    expect(second!.links.map((link) => link.context)).toEqual([first!.spanContext()]);
    expect(first!.links).toEqual([]);
  });

  it('restarts each provider in its own span', () => {
    const { turn, scheduler, summary } = run((traced, options, clock) => {
      const restarting = restartOnBreak({ initialDelay: 1000, jitter: 0, maxRetries: 1, scheduler: clock });
      const a = events(traced(options('a', broken(clock), down))).pipe(restarting);
      const b = events(traced(options('b', broken(clock), whole(clock)))).pipe(restarting);
      return a.pipe(fallbackWith({ others: [b], afterContent: 'restart' }));
    });
    turn.subscribe();
    scheduler.flush();
    expect(summary()).toMatchObject([
      { provider: 'b', outcome: 'completed', seconds: 5, events: ['restart 2'] },
      { provider: 'a', outcome: 'error', error: 'RetryLimitError', seconds: 3, events: ['restart 2'] },
    ]);
  });

  it('makes a span of each turn of a hedge, and the loser’s ends where it is left', () => {
    const { turn, scheduler, summary } = run((traced, options, clock) =>
      events(traced(options('a', { body: of(done).pipe(delay(9000, clock)) }))).pipe(
        hedgeWith(events(traced(options('b', whole(clock)))), { after: 1000, scheduler: clock }),
      ),
    );
    turn.subscribe();
    scheduler.flush();
    expect(summary()).toMatchObject([
      { provider: 'a', outcome: 'unsubscribed', seconds: 3 },
      { provider: 'b', outcome: 'completed', seconds: 2 },
    ]);
  });

  it('keeps a turn that was whole a span of its own, although another of the same options follows', () => {
    const { turn, scheduler, summary } = run((traced, options, clock) => {
      const one = events(traced(options('a', whole(clock), whole(clock))));
      return concat(one, one);
    });
    turn.subscribe();
    scheduler.flush();
    expect(summary()).toMatchObject([
      { outcome: 'completed', seconds: 2, events: [] },
      { outcome: 'completed', seconds: 2, events: [] },
    ]);
  });

  it('ends the span as of the failure where it is left in the wait for a restart', () => {
    const { turn, scheduler, summary } = run((traced, options, clock) =>
      events(traced(options('a', broken(clock)))).pipe(
        restartOnBreak({ initialDelay: 3000, jitter: 0, scheduler: clock }),
        textDeltas(),
      ),
    );
    const subscription = turn.subscribe(ignored);
    scheduler.schedule(() => subscription.unsubscribe(), 4000);
    scheduler.flush();
    expect(summary()).toMatchObject([{ outcome: 'error', error: 'StreamError', seconds: 2 }]);
  });

  it('keeps the turns of two subscriptions apart', () => {
    const { turn, scheduler, summary } = run((traced, options, clock) =>
      events(traced(options('a', broken(clock), whole(clock)))).pipe(retry({ count: 1 })),
    );
    turn.subscribe();
    scheduler.schedule(() => turn.subscribe(), 1500);
    scheduler.flush();
    expect(summary()).toMatchObject([
      { outcome: 'completed', seconds: 4, events: ['restart 2'] },
      { outcome: 'completed', seconds: 4, events: ['restart 2'] },
    ]);
  });

  it('takes the span around its subscription as the parent of all, whenever they begin', async () => {
    const sdk = recordedSpans();
    const around = sdk.tracer.startSpan('around');
    const options = (name: string, answer: ScriptedAnswer): ChatOptions => ({
      model: 'm',
      provider: { name, baseUrl: 'https://p.test' },
      transport: scriptedTransport(answer),
      retry: { maxRetries: 0 },
    });
    const turn = traceTurn({ tracer: sdk.tracer }, (traced) =>
      events(traced(options('a', down))).pipe(
        fallbackWith(() =>
          timer(0, asyncScheduler).pipe(mergeMap(() => events(traced(options('b', { body: done }))))),
        ),
      ),
    );
    await new Promise<void>((resolve) => {
      context.with(trace.setSpan(context.active(), around), () => turn.subscribe({ complete: resolve }));
    });
    expect(sdk.spans().map(({ parentSpanContext }) => parentSpanContext)).toEqual([
      around.spanContext(),
      around.spanContext(),
    ]);
  });

  it('refuses to go without a tracer, at once', () => {
    expect(() => traceTurn({} as TraceOptions, () => of(1))).toThrow(TypeError);
  });

  it('fails where its function does', () => {
    const error = new Error('of the function');
    const errors: unknown[] = [];
    run(() => {
      throw error;
    }).turn.subscribe({ error: (each: unknown) => errors.push(each) });
    expect(errors).toEqual([error]);
  });
});

describe('traced, without traceTurn', () => {
  it('makes a span of each turn, a restart’s too', () => {
    const sdk = recordedSpans();
    const clock = new VirtualTimeScheduler();
    const options = tracedAlone<ChatOptions>(
      {
        model: 'm',
        provider: { name: 'a', baseUrl: 'https://a.test' },
        transport: scriptedTransport(broken(clock), whole(clock)),
        scheduler: clock,
      },
      { tracer: sdk.tracer },
    );
    events(options)
      .pipe(restartOnBreak({ initialDelay: 1000, jitter: 0, scheduler: clock }))
      .subscribe();
    clock.flush();
    expect(
      sdk.spans().map((span) => [span.attributes['rxjs_chat_completions.outcome'], secondsOf(span)]),
    ).toEqual([
      ['error', 2],
      ['completed', 2],
    ]);
  });
});
