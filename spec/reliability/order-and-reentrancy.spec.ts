import {
  catchError,
  concat,
  config,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  repeat,
  retry,
  share,
  shareReplay,
  Subject,
  type Subscription,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import {
  type ChatOptions,
  type Diagnostic,
  type ResponseEvent,
  RetryLimitError,
  StreamError,
  streamChatCompletions,
  TransportError,
  UnexpectedStatusError,
} from '../../src/index.js';
import {
  type MarbleAnswer,
  marbleTransport,
  type ScriptedAnswer,
  scriptedTransport,
} from '../../src/testing/index.js';
import { record } from '../conformance/record-events.js';
import { completed, provider, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { done, finishChunk, textChunk } from '../support/wire.js';
import { attempts } from '../support/attempts.js';

const frames = {
  a: textChunk('Hel'),
  b: textChunk('lo'),
  f: finishChunk(),
  D: done,
  x: textChunk('Hel') + textChunk('lo') + finishChunk() + done,
};
const events = { a: text('Hel'), b: text('lo'), C: completed({ finishReason: 'stop' }), N: completed() };
const { a, b, C, N } = events;

const chunkOf = (frame: string): ResponseEvent => ({
  type: 'chunk',
  chunk: JSON.parse(frame.slice('data: '.length)) as Record<string, unknown>,
});
const retrying = (attempt: number, delay: number, error: UnexpectedStatusError): ResponseEvent => ({
  type: 'retrying',
  attempt,
  delay,
  error,
});

/** A turn over drawn answers, with exact backoff. */
function drawn(helpers: RunHelpers, answers: readonly MarbleAnswer[], options: Partial<ChatOptions> = {}) {
  const transport = marbleTransport(
    helpers,
    answers.map((answer) => ({ frames, ...answer })),
  );
  const turn = streamChatCompletions('Hi', {
    model: 'm',
    provider,
    transport,
    ...options,
    retry: { jitter: 0, ...options.retry },
  });
  const bodies = (...subscriptions: readonly (string | string[])[]) =>
    subscriptions.forEach((marbles, index) => {
      helpers.expectSubscriptions(transport.connections[index]!.body.subscriptions).toBe(marbles);
    });
  const ends = (requests: number, aborted: number) => {
    helpers.flush();
    expect([transport.requests.length, transport.aborted]).toEqual([requests, aborted]);
  };
  return { turn, transport, bodies, ends };
}

/** A turn whose answers come while it is being subscribed to. */
function scripted(answers: readonly (ScriptedAnswer | Error)[], options: Partial<ChatOptions> = {}) {
  const transport = scriptedTransport(...answers);
  const turn = streamChatCompletions('Hi', { model: 'm', provider, transport, ...options });
  const ends = () => [transport.requests.length, transport.aborted];
  return { turn, transport, ends };
}

/** What a subscriber hears. Its `next` may leave, throw or subscribe; `complete` and errors are noted too. */
function heard(
  source: Observable<ResponseEvent>,
  next: (event: ResponseEvent, subscription: Subscription) => void,
) {
  const log: unknown[] = [];
  const subscription: Subscription = source.subscribe({
    next: (event) => {
      log.push(event);
      next(event, subscription);
    },
    error: (error: unknown) => log.push(error),
    complete: () => log.push('complete'),
  });
  return log;
}

describe('unsubscribing inside next', () => {
  const refused = new UnexpectedStatusError({ status: 503, retryable: true });
  const all = [
    retrying(1, 200, refused),
    chunkOf(frames.a),
    a,
    chunkOf(frames.b),
    b,
    chunkOf(frames.f),
    C,
  ] as const;

  it.each<[string, number, string | string[], requests: number, aborted: number]>([
    ['a retry is announced: no request follows', 0, [], 1, 1],
    ['the first chunk comes: its delta does not, and the connection is aborted', 1, '200ms ^!', 2, 2],
    ['the first delta comes: the connection is aborted', 2, '200ms ^!', 2, 2],
    ['a later chunk comes: the connection is aborted', 3, '200ms ^--!', 2, 2],
    ['the last delta comes: the connection is aborted', 4, '200ms ^--!', 2, 2],
    ['the chunk with the finish reason comes: the connection is aborted', 5, '200ms ^----!', 2, 2],
    ['completed comes: the connection may end by itself', 6, '200ms ^----------!', 2, 1],
  ])('when %s', (_, last, body, requests, aborted) => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ status: 503 }, { body: '-a-b-f-D---|' }], {
        includeRetries: true,
        includeChunks: true,
      });
      const log = heard(turn, (_event, subscription) => log.length > last && subscription.unsubscribe());
      bodies([], body);
      ends(requests, aborted);
      expect(log).toEqual(all.slice(0, last + 1));
    });
  });

  it('drops what came with the same read', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-x---|' }]);
      const log = heard(turn, (_event, subscription) => subscription.unsubscribe());
      bodies('^!');
      ends(1, 1);
      expect(log).toEqual([a]);
    });
  });

  it('a thousand deltas into a read delivers a thousand', () => {
    testScheduler().run((helpers) => {
      const many = frames.a.repeat(5_000);
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-m---|', frames: { m: many } }]);
      const log = heard(turn, (_event, subscription) => log.length === 1_000 && subscription.unsubscribe());
      bodies('^!');
      ends(1, 1);
      expect(log).toEqual(Array(1_000).fill(a));
    });
  });
});

describe('throwing inside next', () => {
  let unhandled: unknown[];
  beforeEach(() => {
    unhandled = [];
    config.onUnhandledError = (error) => unhandled.push(error);
  });
  afterEach(() => {
    config.onUnhandledError = null;
  });

  it('is reported to RxJS each time, and the turn goes on to its end', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-b-f-D---|' }]);
      const log = heard(turn, () => {
        throw new Error(`thrown ${log.length}`);
      });
      bodies('^----------!');
      ends(1, 0);
      expect(log).toEqual([a, b, C, 'complete']);
      expect(unhandled).toEqual([new Error('thrown 1'), new Error('thrown 2'), new Error('thrown 3')]);
    });
  });

  it('is reported for events of one read as well, and none of them is lost', () => {
    const { turn, ends } = scripted([{ body: frames.x }]);
    const log: ResponseEvent[] = [];
    testScheduler().run(({ flush }) => {
      turn.subscribe((event) => {
        log.push(event);
        throw new Error(event.type);
      });
      flush();
    });
    expect(log).toEqual([a, b, C]);
    expect(unhandled).toEqual(log.map(({ type }) => new Error(type)));
    expect(ends()).toEqual([1, 0]);
  });

  it('in an announced retry leaves the retry as it was', () => {
    testScheduler().run((helpers) => {
      const { turn, ends } = drawn(helpers, [{ status: 503 }, { body: 'a-D|' }], { includeRetries: true });
      const log = heard(turn, ({ type }) => {
        if (type === 'retrying') throw new Error('thrown');
      });
      ends(2, 1);
      const refused = new UnexpectedStatusError({ status: 503, retryable: true });
      expect(log).toEqual([retrying(1, 200, refused), a, N, 'complete']);
      expect(unhandled).toEqual([new Error('thrown')]);
    });
  });

  it('in error and in complete is reported, and leaves nothing open', () => {
    const fail = () => {
      throw new Error('thrown');
    };
    testScheduler().run((helpers) => {
      const right = drawn(helpers, [{ body: '-x--|' }]);
      const wrong = drawn(helpers, [{ body: '-a-#' }]);
      right.turn.subscribe({ complete: fail });
      wrong.turn.subscribe({ error: fail });
      right.bodies('^---!');
      wrong.bodies('^--!');
      right.ends(1, 0);
      wrong.ends(1, 1);
    });
    expect(unhandled).toEqual([new Error('thrown'), new Error('thrown')]);
  });

  it('of an operator is that operator’s error, and aborts the connection', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-x--|' }]);
      const strict = turn.pipe(
        map((event) => {
          if (event.type === 'completed') throw new Error('thrown');
          return event;
        }),
      );
      helpers.expectObservable(strict).toBe('-a-(ab#)', events, new Error('thrown'));
      const first = drawn(helpers, [{ body: '-a-x--|' }]);
      const failing = first.turn.pipe(
        map(() => {
          throw new Error('thrown');
        }),
      );
      helpers.expectObservable(failing).toBe('-#', events, new Error('thrown'));
      // The one had the whole answer by then.
      bodies('^-----!');
      first.bodies('^!');
      ends(1, 0);
      first.ends(1, 1);
    });
    expect(unhandled).toEqual([]);
  });
});

const unanswered = 'No response from "test" at http://provider.test. Check the base URL and the network.';

describe('a transport that answers inside subscribe', () => {
  it('gives the whole turn before subscribe returns', () => {
    const { turn, ends } = scripted([{ body: frames.x }, { body: [frames.a, frames.b, frames.f, frames.D] }]);
    for (const count of [1, 2]) {
      expect(record(turn)).toEqual({ events: [a, b, C], error: undefined, ended: 1 });
      expect(ends()).toEqual([count, 0]);
    }
  });

  it.each([
    [1, [a]],
    [2, [a, b]],
  ])('is left by take(%i), and read no further', (count, expected) => {
    let reads = 0;
    const body = from([frames.a, frames.b, frames.a, frames.a, frames.a, frames.a]).pipe(
      tap(() => (reads += 1)),
    );
    const { turn, ends } = scripted([{ body }]);
    expect(record(turn.pipe(take(count)))).toEqual({ events: expected, error: undefined, ended: 1 });
    expect(ends()).toEqual([1, 1]);
    expect(reads).toBe(count);
  });

  it.each<[string, (turn: Observable<ResponseEvent>) => Observable<ResponseEvent>]>([
    ['its end', (turn) => turn],
    ['completed', take(3)],
  ])('is not read after [DONE], heard to %s: an endless one ends', (_, until) => {
    let reads = 0;
    const body = concat(of(frames.a, frames.b, frames.f, frames.D), of(frames.a).pipe(repeat())).pipe(
      tap(() => (reads += 1)),
    );
    const { turn, ends } = scripted([{ body }]);
    expect(record(until(turn))).toEqual({ events: [a, b, C], error: undefined, ended: 1 });
    expect(ends()).toEqual([1, 1]);
    expect(reads).toBe(5);
  });

  it('fails inside subscribe with what ends the turn', () => {
    const cause = new Error('reset');
    const broken = scripted([
      {
        body: concat(
          of(frames.a),
          throwError(() => cause),
        ),
      },
    ]);
    expect(record(broken.turn)).toEqual({ events: [a], error: new StreamError({ cause }), ended: 1 });
    expect(broken.ends()).toEqual([1, 1]);
    const refused = scripted([{ status: 401, body: 'no' }]);
    const error = new UnexpectedStatusError({ status: 401, body: 'no' });
    expect(record(refused.turn)).toEqual({ events: [], error, ended: 1 });
    expect(refused.ends()).toEqual([1, 0]);
  });

  it('fails five times, and the turn with the last failure', () => {
    testScheduler().run(({ expectObservable, flush }) => {
      const failures = [1, 2, 3, 4, 5].map((attempt) => new Error(`reset ${attempt}`));
      const { turn, ends } = scripted(failures, { retry: { initialDelay: 0 } });
      expectObservable(turn).toBe(
        '#',
        undefined,
        new TransportError({ message: unanswered, cause: failures[4] }),
      );
      flush();
      expect(ends()).toEqual([5, 0]);
    });
  });

  it('throws instead of returning an Observable, and is asked again like one that failed', () => {
    testScheduler().run(({ expectObservable, flush }) => {
      let calls = 0;
      const cause = new Error('thrown');
      const transport = () => {
        calls += 1;
        throw cause;
      };
      const { turn } = scripted([], { transport, retry: { initialDelay: 0 } });
      expectObservable(turn).toBe('#', undefined, new TransportError({ message: unanswered, cause }));
      flush();
      expect(calls).toBe(5);
    });
  });

  const limited = { status: 429, headers: { 'retry-after': '0' }, body: 'busy' };
  const busy = new UnexpectedStatusError({ status: 429, retryAfter: 0, retryable: true, body: 'busy' });
  const [r, s, t, u] = [1, 2, 3, 4].map((attempt) => retrying(attempt, 0, busy));

  it('says 429 with Retry-After 0 five times: five requests without a wait, then the limit', () => {
    testScheduler().run(({ expectObservable, flush }) => {
      const { turn, ends } = scripted(Array<ScriptedAnswer>(5).fill(limited), { includeRetries: true });
      const error = new RetryLimitError({ status: 429, retryAfter: 0, body: 'busy' }, attempts(5));
      expectObservable(turn).toBe('(rstu#)', { r, s, t, u }, error);
      flush();
      expect(ends()).toEqual([5, 0]);
    });
  });

  it('says so four times and then answers', () => {
    testScheduler().run(({ expectObservable, flush }) => {
      const answers = [...Array<ScriptedAnswer>(4).fill(limited), { body: frames.x }];
      const { turn, ends } = scripted(answers, { includeRetries: true });
      expectObservable(turn).toBe('(rstuabC|)', { ...events, r, s, t, u });
      flush();
      expect(ends()).toEqual([5, 0]);
    });
  });

  it('says so five hundred times without a growing stack', () => {
    testScheduler().run(({ expectObservable, flush }) => {
      const answers = [...Array<ScriptedAnswer>(500).fill(limited), { body: frames.x }];
      const { turn, ends } = scripted(answers, { retry: { maxRetries: 500 } });
      expectObservable(turn).toBe('(abC|)', events);
      flush();
      expect(ends()).toEqual([501, 0]);
    });
  });
});

describe('subscribing again', () => {
  it('inside error begins a turn of its own, after the first has ended', () => {
    const log: unknown[] = [];
    const diagnostics = ({ type, turn }: Diagnostic) => log.push(`${type} ${turn}`);
    const { turn, ends } = scripted([{ status: 401 }, { body: frames.x }], { diagnostics });
    turn.subscribe({
      error: (error: unknown) => {
        log.push(error);
        turn.subscribe({ next: (event) => log.push(event), complete: () => log.push('complete') });
        log.push('error was handled');
      },
    });
    expect(log).toEqual([
      'start 1',
      'request 1',
      'response 1',
      'end 1',
      new UnexpectedStatusError({ status: 401 }),
      'start 2',
      'request 2',
      'response 2',
      'content 2',
      a,
      b,
      'end 2',
      C,
      'complete',
      'error was handled',
    ]);
    expect(ends()).toEqual([2, 0]);
  });

  it('inside next runs two turns side by side', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-b-D|' }, { body: '-b-a-D|' }]);
      let inner: unknown[] = [];
      const outer = heard(turn, (event) => {
        if (event === inner[0] || inner.length > 0) return;
        inner = heard(turn, () => undefined);
        inner.push('subscribed');
      });
      bodies('^-----!', '-^-----!');
      ends(2, 0);
      expect(outer).toEqual([a, b, N, 'complete']);
      expect(inner).toEqual(['subscribed', b, a, N, 'complete']);
    });
  });

  it('inside complete begins the next turn while the connection of the first may still end by itself', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-D---|' }, { body: '-b-D|' }]);
      const log: unknown[] = [];
      turn.subscribe({ complete: () => turn.subscribe((event) => log.push(event)) });
      bodies('^------!', '---^---!');
      ends(2, 0);
      expect(log).toEqual([b, N]);
    });
  });

  it('twice at once sends two requests, and one that leaves does not touch the other', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-b-D|' }, { body: '-a-b-D|' }]);
      helpers.expectObservable(turn, '^-!').toBe('-a', events);
      helpers.expectObservable(turn).toBe('-a-b-(N|)', events);
      bodies('^-!', '^-----!');
      ends(2, 1);
    });
  });

  it('by catchError((error, caught) => caught) asks until the provider answers', () => {
    testScheduler().run((helpers) => {
      const refused = { response: '-r', status: 401, body: '-|' };
      const { turn, bodies, ends } = drawn(helpers, [refused, refused, { response: '-r', body: '-a-D|' }]);
      const stubborn = turn.pipe(catchError((_: unknown, caught) => caught));
      helpers.expectObservable(stubborn).toBe('------a-(N|)', events);
      bodies('-^!', '---^!', '-----^---!');
      ends(3, 0);
    });
  });

  it('by catchError does the same inside subscribe', () => {
    const { turn, ends } = scripted([{ status: 401 }, { status: 400 }, { body: frames.x }]);
    const stubborn = turn.pipe(catchError((_: unknown, caught) => caught));
    expect(record(stubborn)).toEqual({ events: [a, b, C], error: undefined, ended: 1 });
    expect(ends()).toEqual([3, 0]);
  });

  it('by retry delivers again what the broken stream had delivered', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-#' }, { body: '-a-b-D|' }]);
      helpers.expectObservable(turn.pipe(retry(1))).toBe('-a--a-b-(N|)', events);
      bodies('^--!', '---^-----!');
      ends(2, 1);
    });
  });

  it('by retry begins with all retries of the turn anew', () => {
    testScheduler().run((helpers) => {
      const { turn, ends } = drawn(helpers, Array(6).fill({ status: 503, body: '|' }), {
        retry: { maxRetries: 2 },
      });
      const error = new RetryLimitError({ status: 503 }, attempts(3));
      helpers.expectObservable(turn.pipe(retry(1))).toBe('200ms 400ms 200ms 400ms #', undefined, error);
      ends(6, 4);
    });
  });

  it('by repeat sends the next request at completed, not at the end of the connection', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-D---|' }, { body: '-b-D|' }]);
      helpers.expectObservable(turn.pipe(repeat(2))).toBe('-a-Nb-(N|)', events);
      bodies('^------!', '---^---!');
      ends(2, 0);
    });
  });
});

describe('one turn for several subscribers', () => {
  it('with share() is one request: who comes late hears the rest, and the last to leave aborts', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a---b-a-b-D|' }]);
      const shared = turn.pipe(share());
      helpers.expectObservable(shared, '^--!').toBe('-a', events);
      helpers.expectObservable(shared, '--^-----!').toBe('-----b-a', events);
      bodies('^-------!');
      ends(1, 1);
    });
  });

  it('with share() is one request that all hear to its end', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-b-D---|' }]);
      const shared = turn.pipe(share());
      helpers.expectObservable(shared).toBe('-a-b-(N|)', events);
      helpers.expectObservable(shared).toBe('-a-b-(N|)', events);
      bodies('^--------!');
      ends(1, 0);
    });
  });

  it('with share() and a synchronous answer is heard by the first alone: the second asks again', () => {
    const { turn, ends } = scripted([{ body: frames.x }, { body: frames.x }]);
    const shared = turn.pipe(share());
    expect(record(shared).events).toEqual([a, b, C]);
    expect(record(shared).events).toEqual([a, b, C]);
    expect(ends()).toEqual([2, 0]);
  });

  it.each([true, false])(
    'with shareReplay (refCount %s) is repeated to who comes late or after',
    (refCount) => {
      testScheduler().run((helpers) => {
        const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-b----D|' }]);
        const shared = turn.pipe(shareReplay({ bufferSize: Infinity, refCount }));
        helpers.expectObservable(shared).toBe('-a-b----(N|)', events);
        helpers.expectObservable(shared, '----^').toBe('----(ab)(N|)', events);
        helpers.expectObservable(shared, '----------^').toBe('----------(abN|)', events);
        bodies('^--------!');
        ends(1, 0);
      });
    },
  );

  it('with shareReplay and refCount is aborted by the last to leave', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a---b-D|' }]);
      const shared = turn.pipe(shareReplay({ bufferSize: Infinity, refCount: true }));
      helpers.expectObservable(shared, '^--!').toBe('-a', events);
      helpers.expectObservable(shared, '--^---!').toBe('--a--b', events);
      bodies('^-----!');
      ends(1, 1);
    });
  });

  it('with shareReplay without refCount goes on when all have left', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-b-D|' }]);
      const shared = turn.pipe(shareReplay({ bufferSize: Infinity, refCount: false }));
      helpers.expectObservable(shared, '^-!').toBe('-a', events);
      helpers.expectObservable(shared, '--------^').toBe('--------(abN|)', events);
      bodies('^-----!');
      ends(1, 0);
    });
  });

  it.each([true, false])(
    'with shareReplay (refCount %s) does not keep an error: who comes after asks anew',
    (refCount) => {
      testScheduler().run((helpers) => {
        const { turn, ends } = drawn(helpers, [{ body: '-a-#', error: 'reset' }, { body: '-b-D|' }]);
        const shared = turn.pipe(shareReplay({ bufferSize: Infinity, refCount }));
        helpers.expectObservable(shared).toBe('-a-#', events, new StreamError({ cause: 'reset' }));
        helpers.expectObservable(shared, '-----^').toBe('------b-(N|)', events);
        ends(2, 1);
      });
    },
  );
});

describe('a turn among other turns', () => {
  it('in switchMap is aborted by the next question, wherever it stands', () => {
    testScheduler().run((helpers) => {
      const { turn, transport, bodies, ends } = drawn(helpers, [
        { response: '-----r' },
        { status: 503 },
        { status: 400, body: '-----|' },
        { body: '-a-b-D|' },
        { body: '-a-D|' },
      ]);
      const questions = helpers.hot('q-q-q-q-q------|');
      helpers.expectObservable(questions.pipe(switchMap(() => turn))).toBe('-------a-a-N---|', events);
      helpers.expectSubscriptions(transport.connections[0]!.response.subscriptions).toBe('^-!');
      bodies([], [], '----^-!', '------^-!', '--------^---!');
      ends(5, 4);
    });
  });

  it('in switchMap is replaced by a question that its own delta asks', () => {
    testScheduler().run((helpers) => {
      const { turn, bodies, ends } = drawn(helpers, [{ body: '-a-b-D|' }, { body: '-b-D|' }]);
      const questions = new Subject<void>();
      let isAsked = false;
      const log = heard(questions.pipe(switchMap(() => turn)), () => {
        if (isAsked) return;
        isAsked = true;
        questions.next();
      });
      questions.next();
      bodies('^!', '-^---!');
      ends(2, 1);
      expect(log).toEqual([a, b, N]);
    });
  });

  it('with a takeUntil that has its value already sends nothing', () => {
    const { turn, ends } = scripted([{ body: frames.x }]);
    expect(record(turn.pipe(takeUntil(of('stop'))))).toEqual({ events: [], error: undefined, ended: 1 });
    expect(ends()).toEqual([0, 0]);
  });

  it.each<[string, readonly string[]]>([
    ['one read', [frames.x]],
    ['several reads', [frames.a, frames.b, frames.f, frames.D]],
  ])(
    'with a takeUntil that is told to stop inside next ends there, and aborts an answer of %s',
    (_, body) => {
      const stop = new Subject<void>();
      const { turn, ends } = scripted([{ body }]);
      const stopped = turn.pipe(
        tap(() => stop.next()),
        takeUntil(stop),
      );
      expect(record(stopped)).toEqual({ events: [], error: undefined, ended: 1 });
      expect(ends()).toEqual([1, 1]);
    },
  );

  it('in concat is sent when the one before has completed, and not at all where that fails', () => {
    testScheduler().run((helpers) => {
      const first = drawn(helpers, [{ body: '-a-D--|' }, { body: '-a-#', error: 'reset' }]);
      const second = drawn(helpers, [{ body: '-b-D|' }]);
      const both = concat(first.turn, second.turn);
      helpers.expectObservable(both).toBe('-a-Nb-(N|)', events);
      helpers
        .expectObservable(both, '----------^')
        .toBe('-----------a-#', events, new StreamError({ cause: 'reset' }));
      first.bodies('^-----!', '----------^--!');
      second.bodies('---^---!');
      first.ends(2, 1);
      second.ends(1, 0);
    });
  });

  it('in merge stands by itself, and is aborted where the other fails', () => {
    testScheduler().run((helpers) => {
      const first = drawn(helpers, [{ body: '-a---a-D|' }]);
      const second = drawn(helpers, [{ body: '---b-----#', error: 'reset' }]);
      const third = drawn(helpers, [{ body: '--b---b-----b-D|' }]);
      const all = merge(first.turn, second.turn, third.turn);
      helpers.expectObservable(all).toBe('-abb-abN-#', events, new StreamError({ cause: 'reset' }));
      first.bodies('^-------!');
      second.bodies('^--------!');
      third.bodies('^--------!');
      first.ends(1, 0);
      second.ends(1, 1);
      third.ends(1, 1);
    });
  });
});

describe('a turn as a promise', () => {
  it('of its first value aborts the connection there', async () => {
    const { turn, ends } = scripted([{ body: concat(of(frames.a), NEVER) }]);
    await expect(firstValueFrom(turn)).resolves.toEqual(a);
    expect(ends()).toEqual([1, 1]);
  });

  it('of its last value is completed, and leaves the connection to its end', async () => {
    const { turn, ends } = scripted([{ body: frames.x }]);
    await expect(lastValueFrom(turn)).resolves.toEqual(C);
    expect(ends()).toEqual([1, 0]);
  });

  it('rejects with the error of the turn', async () => {
    const { turn, ends } = scripted([
      {
        body: concat(
          of(frames.a),
          throwError(() => 'reset'),
        ),
      },
      { status: 400 },
    ]);
    await expect(lastValueFrom(turn)).rejects.toEqual(new StreamError({ cause: 'reset' }));
    await expect(firstValueFrom(turn.pipe(toArray()))).rejects.toEqual(
      new UnexpectedStatusError({ status: 400 }),
    );
    expect(ends()).toEqual([2, 1]);
  });
});

describe('leaving while the turn is being handed on', () => {
  /** A turn that its consumer leaves inside what the turn calls. */
  function leaving(
    helpers: RunHelpers,
    answers: readonly MarbleAnswer[],
    options: (leave: () => void) => Partial<ChatOptions>,
  ) {
    const stop = new Subject<void>();
    const told = drawn(
      helpers,
      answers,
      options(() => stop.next()),
    );
    const log: unknown[] = [];
    told.turn.pipe(takeUntil(stop)).subscribe({
      next: (event) => log.push(event),
      error: (error: unknown) => log.push(error),
      complete: () => log.push('left'),
    });
    return { ...told, log };
  }

  it('at the response leaves its body to nobody: the transport ends the connection', () => {
    testScheduler().run((helpers) => {
      const { bodies, ends, log } = leaving(helpers, [{ response: '-r', body: '-a-D|' }], (leave) => ({
        diagnostics: ({ type }) => type === 'response' && leave(),
      }));
      bodies([]);
      ends(1, 1);
      expect(log).toEqual(['left']);
    });
  });

  it('as the request is told of aborts it at once', () => {
    testScheduler().run((helpers) => {
      const { bodies, ends, log } = leaving(helpers, [{ body: '-a-D|' }], (leave) => ({
        diagnostics: ({ type }) => type === 'request' && leave(),
      }));
      bodies([]);
      ends(1, 1);
      expect(log).toEqual(['left']);
    });
  });

  it('inside the apiKey function sends none', () => {
    testScheduler().run((helpers) => {
      const { ends, log } = leaving(helpers, [{ body: '-a-D|' }], (leave) => ({
        provider: {
          ...provider,
          apiKey: () => {
            leave();
            return of('sk-late');
          },
        },
      }));
      ends(0, 0);
      expect(log).toEqual(['left']);
    });
  });

  it('while a failure is classified, and as its retry is told of, sends no other', () => {
    testScheduler().run((helpers) => {
      const answers = [{ status: 503, body: '|' }, { body: '-a-D|' }];
      const classified = leaving(helpers, answers, (leave) => ({
        retry: {
          initialDelay: 0,
          retryable: () => {
            leave();
            return true;
          },
        },
      }));
      const told = leaving(helpers, answers, (leave) => ({
        retry: { initialDelay: 0 },
        diagnostics: ({ type }) => type === 'retry' && leave(),
      }));
      classified.ends(1, 0);
      told.ends(1, 1);
      expect([classified.log, told.log]).toEqual([['left'], ['left']]);
    });
  });

  it('at a chunk that is skipped ends the turn there', () => {
    testScheduler().run((helpers) => {
      const answer = { body: '-m-a-D|', frames: { ...frames, m: `data: no JSON\n\n${frames.a}` } };
      const { bodies, ends, log } = leaving(helpers, [answer], (leave) => ({
        diagnostics: ({ type }) => type === 'malformed' && leave(),
      }));
      bodies('^!');
      ends(1, 1);
      expect(log).toEqual(['left']);
    });
  });
});

describe('a provider that is driven by its own answer', () => {
  /** The next read comes inside `next`, as soon as the text before it was delivered. */
  function driven(reads: Readonly<Record<string, string>>, first: string) {
    const body = new Subject<string>();
    const { turn, ends } = scripted([{ body }]);
    const log = heard(turn, (event) => {
      const said = event.type === 'output_item_done' && JSON.stringify(event.item);
      for (const [after, read] of Object.entries(reads)) {
        if (said !== false && said.includes(JSON.stringify(after))) body.next(read);
      }
    });
    body.next(first);
    return { log, ends, body };
  }

  it('gives every event once, in order', () => {
    const { log, ends, body } = driven({ Hel: frames.b, lo: frames.f + frames.D }, frames.a);
    expect(log).toEqual([a, b, C, 'complete']);
    body.complete();
    expect(ends()).toEqual([1, 0]);
  });

  it('may break inside next: what was delivered stays delivered', () => {
    const body = new Subject<string>();
    const { turn, ends } = scripted([{ body }]);
    const log = heard(turn, () => body.error('reset'));
    body.next(frames.a);
    expect(log).toEqual([a, new StreamError({ cause: 'reset' })]);
    expect(ends()).toEqual([1, 1]);
  });

  it('may end inside next', () => {
    const body = new Subject<string>();
    const { turn, ends } = scripted([{ body }]);
    const log = heard(turn, (event) => event.type === 'output_item_done' && body.complete());
    body.next(frames.a);
    expect(log).toEqual([a, completed({ endedBy: 'eof' }), 'complete']);
    expect(ends()).toEqual([1, 0]);
  });

  it('may answer the next turn inside completed', () => {
    const answers = [new Subject<string>(), new Subject<string>()];
    const { turn, ends } = scripted(answers.map((body) => ({ body })));
    const log: unknown[] = [];
    heard(turn.pipe(takeWhile(({ type }) => type !== 'completed', true)), (event) => {
      log.push(event);
      if (event.type !== 'completed') return;
      heard(turn, (inner) => log.push('inner', inner));
      answers[1]!.next(frames.x);
    });
    answers[0]!.next(frames.x);
    for (const body of answers) body.complete();
    expect(log).toEqual([a, b, C, 'inner', a, 'inner', b, 'inner', C]);
    expect(ends()).toEqual([2, 0]);
  });
});
