import {
  concat,
  concatMap,
  from,
  map,
  NEVER,
  type Observable,
  of,
  type OperatorFunction,
  Subscription,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import * as library from '../../src/index.js';
import {
  accumulate,
  accumulateRun,
  aggregate,
  coalesce,
  decodeEventStream,
  Demand,
  emptyRun,
  emptyTurn,
  encodeEventStream,
  fallbackWith,
  fromServerSentEvents,
  hedgeWith,
  limitTokens,
  outputItems,
  readableStreamFrom,
  reduceRun,
  reduceTurn,
  requireFinish,
  type ResponseEvent,
  restartOnBreak,
  type RestartingEvent,
  runItems,
  type ServerSentMessage,
  smooth,
  splitThinking,
  stopWhen,
  streamChatCompletions,
  StreamError,
  textDeltas,
  toChatCompletion,
  toChatCompletionChunks,
  toMessageEvents,
  toRunState,
  toServerSentEvents,
  toState,
  type Turn,
  turnItems,
  type TurnState,
} from '../../src/index.js';
import { pull } from '../../src/flow/pull.js';
import * as nodeLibrary from '../../src/node/index.js';
import { nodeReadableFrom } from '../../src/node/index.js';
import * as testing from '../../src/testing/index.js';
import {
  chunksOf,
  doneChunk,
  finishChunk,
  reasoningEvent,
  refusalEvent,
  restartingEvent,
  roleChunk,
  scriptedTransport,
  textChunk,
  textEvent,
  toolCallEvents,
  turnOf,
  wireOf,
} from '../../src/testing/index.js';
import { provider } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { sourcesInTurn } from '../support/sources-in-turn.js';

/** What is said in an attempt. All of its words hold `word`, so that none of a void attempt can hide. */
const kinds: Record<string, (word: string) => readonly ResponseEvent[]> = {
  text: (word) => turnOf(`${word} upon`, ' a ', `time, ${word}`),
  reasoning: (word) =>
    turnOf(
      reasoningEvent(`${word}, `, {
        provider: word,
        details: [{ type: 'reasoning.text', text: word, index: 0 }],
      }),
      reasoningEvent('hm', { provider: word, extras: { reasoning_opaque: word } }),
      reasoningEvent('', { details: [{ type: 'reasoning.text', signature: word, index: 0 }] }),
      `So ${word}.`,
    ),
  'a call': (word) => [
    textEvent(`${word} asks. `),
    ...turnOf(
      toolCallEvents([
        { name: 'weather', arguments: ['{"city"', `:"${word}"}`], extras: { signature: word } },
        { name: 'time', callId: `id_${word}`, arguments: ['{"zone":', `"${word}"}`] },
      ]),
    ),
  ],
  "a custom tool's call": (word) => turnOf(toolCallEvents({ name: 'shell', input: ['echo ', word] })),
  refusal: (word) => turnOf(refusalEvent(`${word} cannot `), refusalEvent('do that.')),
  'several choices': (word) =>
    turnOf(
      `${word} 0`,
      textEvent(`${word} 1`, { choice: 1 }),
      ' and',
      textEvent(' more', { choice: 1 }),
      reasoningEvent(`${word} 2`, { choice: 2 }),
      toolCallEvents({ name: 'weather', arguments: ['{"a":', `"${word}"}`] }, { choice: 1 }),
    ),
  'a surrogate pair in two': (word) => turnOf(`${word} \ud83d`, '\ude00!', '\ud83d', '\ude00'),
  'tags in pieces': (word) =>
    turnOf('<thi', `nk>${word} `, 'hm</th', `ink>So ${word}`, ' <', 'think', `>${word}</think`),
  'chunk events': (word) =>
    turnOf(`${word} `, 'upon').flatMap((event): readonly ResponseEvent[] => [
      { type: 'chunk', chunk: { of: word } },
      event,
    ]),
};

/** A stream with restarts, and the same without what they take back. */
interface Case {
  readonly name: string;
  readonly events: readonly ResponseEvent[];
  /** What is left of it: the turn before, if there is one, and the last attempt. */
  readonly whole: readonly ResponseEvent[];
}

const failures = [1, 2].map((attempt) => restartingEvent({ attempt, delay: 4, error: new StreamError() }));
const [first, second] = failures as [RestartingEvent, RestartingEvent];

/** Restarts at every place of the first attempt. */
function casesOf(attempt: (word: string) => readonly ResponseEvent[]): readonly Case[] {
  const [failed, failedToo, whole, turnBefore] = ['Void', 'Never', 'Once', 'Before'].map(attempt) as [
    readonly ResponseEvent[],
    readonly ResponseEvent[],
    readonly ResponseEvent[],
    readonly ResponseEvent[],
  ];
  const turns = [...turnBefore, ...whole];
  return failed.flatMap((_, place): readonly Case[] => {
    const begun = failed.slice(0, place);
    const at = `after ${place} events`;
    return [
      { name: at, events: [...begun, first, ...whole], whole },
      { name: `twice in a row ${at}`, events: [...begun, first, second, ...whole], whole },
      {
        name: `twice ${at}`,
        events: [...begun, first, ...failedToo.slice(0, place), second, ...whole],
        whole,
      },
      {
        name: `twice in a second turn ${at}`,
        events: [...turnBefore, ...begun, first, ...failedToo.slice(0, place), second, ...whole],
        whole: turns,
      },
    ];
  });
}

/** The milliseconds from one event to the next: within, at and beyond the operators' own. */
const paces = [0, 1, 10];

/** What came out of an operator, and what it errored with. */
interface Outcome<T> {
  readonly values: readonly T[];
  readonly error: unknown;
}

const none = Symbol('no error');

/** What an operator makes of events that come so many milliseconds apart, in virtual time. */
function outcomeOf<T>(
  events: readonly ResponseEvent[],
  operator: OperatorFunction<ResponseEvent, T>,
  pace = 0,
): Outcome<T> {
  const values: T[] = [];
  let error: unknown = none;
  let isOver = false;
  testScheduler().run(({ flush }) => {
    const source =
      pace === 0 ? from(events) : from(events).pipe(concatMap((event) => timer(pace).pipe(map(() => event))));
    source.pipe(operator).subscribe({
      next: (value) => values.push(value),
      error: (failure: unknown) => {
        error = failure;
        isOver = true;
      },
      complete: () => (isOver = true),
    });
    flush();
  });
  expect(isOver).toBe(true);
  return { values, error };
}

/** What of events no `restarting` takes back. */
function validOf(events: readonly ResponseEvent[]): readonly ResponseEvent[] {
  const restart = events.map(({ type }) => type).lastIndexOf('restarting');
  const before = events.slice(0, Math.max(restart, 0));
  const begin = before.map(({ type }) => type).lastIndexOf('completed') + 1;
  return [...before.slice(0, begin), ...events.slice(restart + 1)];
}

/** What turns say, however their deltas were joined or parted, and their `chunk` events. */
function readingOf(events: readonly ResponseEvent[]) {
  const turns: Turn[] = [];
  let turn = emptyTurn;
  for (const event of events) {
    turn = reduceTurn(turn, event);
    if (event.type === 'completed') turns.push(turn);
  }
  return { turns, chunks: events.filter(({ type }) => type === 'chunk'), types: kindsIn(events) };
}

/** The order in which kinds of events follow each other, a run of deltas being one. */
function kindsIn(events: readonly ResponseEvent[]): readonly string[] {
  const kinds = events.map((event) =>
    event.type === 'output_item_done' ? `${event.item.type} ${event.choice ?? 0}` : event.type,
  );
  return kinds.filter((kind, place) => kind !== kinds[place - 1]);
}

const restartsIn = (events: readonly ResponseEvent[]) =>
  events.flatMap((event) =>
    event.type === 'restarting' ? [{ ...event, error: expect.anything() as StreamError }] : [],
  );

/** The round trip of a turn through an HTTP answer, its bytes in reads of one length. */
function overTheWire(length: number): OperatorFunction<ResponseEvent, ResponseEvent> {
  const encoder = new TextEncoder();
  return (turn) =>
    turn.pipe(
      toServerSentEvents(),
      encodeEventStream({ heartbeat: 2 }),
      concatMap((text) => {
        const bytes = encoder.encode(text);
        const reads = Math.ceil(bytes.length / length);
        return Array.from({ length: reads }, (_, read) => bytes.slice(read * length, (read + 1) * length));
      }),
      decodeEventStream(),
      fromServerSentEvents(),
    );
}

/** The round trip by way of NestJS, which writes the messages itself. */
const byMessageEvents: OperatorFunction<ResponseEvent, ResponseEvent> = (turn) =>
  turn.pipe(
    toServerSentEvents(),
    toMessageEvents({ heartbeat: 2 }),
    map(({ type, ...message }): ServerSentMessage => ({ ...message, event: type })),
    fromServerSentEvents(),
  );

/** Operators from events to events: they pass `restarting`, and what they made before it is void. */
const fromEventsToEvents: Record<string, () => OperatorFunction<ResponseEvent, ResponseEvent>> = {
  coalesce: () => coalesce(5),
  'coalesce(0)': () => coalesce(0),
  'coalesce(Infinity)': () => coalesce(Infinity),
  'coalesce of a function': () => coalesce(() => timer(5)),
  smooth: () => smooth({ delay: 2 }),
  'smooth with a long lag': () => smooth({ delay: 20, maxLag: Infinity }),
  'smooth by graphemes': () => smooth({ delay: 1, segmenter: 'grapheme' }),
  splitThinking: () => splitThinking(),
  'splitThinking({ startInReasoning: true })': () => splitThinking({ startInReasoning: true }),
  requireFinish: () => requireFinish(),
  stopWhen: () => stopWhen(NEVER),
  restartOnBreak: () => restartOnBreak(),
  fallbackWith: () => fallbackWith({ others: [NEVER], afterContent: 'restart' }),
  hedgeWith: () => hedgeWith(NEVER, { after: 2 }),
  limitTokens: () => limitTokens(10_000),
  'toServerSentEvents, and back': () => overTheWire(50),
  'toMessageEvents, and back': () => byMessageEvents,
  'all of them': () => (turn) =>
    turn
      .pipe(restartOnBreak(), fallbackWith(NEVER), hedgeWith(NEVER, { after: 2 }), limitTokens(10_000))
      .pipe(
        requireFinish(),
        splitThinking(),
        stopWhen(NEVER),
        smooth({ delay: 2 }),
        coalesce(5),
        byMessageEvents,
      ),
};

/** Operators that give nothing before a turn is complete. */
const atTheEnd: Record<string, () => OperatorFunction<ResponseEvent, unknown>> = {
  aggregate: () => aggregate(),
  outputItems: () => outputItems(),
  turnItems: () => (turn) =>
    turn.pipe(
      accumulate(),
      concatMap((snapshot) => (snapshot.status === 'completed' ? turnItems(snapshot) : [])),
    ),
};

const eachKind = Object.entries(kinds);
const eachOf = <T>(rows: Record<string, T>) =>
  Object.entries(rows).flatMap(([name, row]) =>
    eachKind.map(([kind, attempt]) => [name, kind, row, casesOf(attempt)] as const),
  );

describe('a stream that restarts', () => {
  it('has restarts before, inside and after what is said, twice, and in a second turn', () => {
    const cases = casesOf(kinds['a call']!);
    expect(cases.map(({ events }) => kindsIn(events).join(', '))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^restarting, message 0/),
        expect.stringMatching(/^message 0, restarting, message 0/),
        expect.stringMatching(/^message 0, function_call_arguments_delta, restarting, message 0/),
        expect.stringMatching(/function_call 0, restarting, message 0/),
        expect.stringMatching(/completed, message 0, restarting, message 0/),
      ]),
    );
    for (const { events, whole } of cases) expect(validOf(events)).toEqual(whole);
  });

  it.each(eachOf(fromEventsToEvents))('%s of %s: nothing void, nothing missing', (_, __, operator, cases) => {
    for (const pace of paces) {
      const readings = new Map<Case['whole'], ReturnType<typeof readingOf>>();
      for (const { name, events, whole } of cases) {
        if (!readings.has(whole)) readings.set(whole, readingOf(outcomeOf(whole, operator(), pace).values));
        const restarted = outcomeOf(events, operator(), pace);
        const found = {
          reading: readingOf(validOf(restarted.values)),
          restarts: restartsIn(restarted.values),
        };
        const expected = { reading: readings.get(whole), restarts: restartsIn(events) };
        expect([name, pace, found]).toEqual([name, pace, expected]);
        expect(restarted.error).toBe(none);
        expect(JSON.stringify(validOf(restarted.values))).not.toMatch(/Void|Never/);
      }
    }
  });

  it.each(eachOf(atTheEnd))('%s of %s gives what the last attempt alone gives', (_, __, operator, cases) => {
    for (const { name, events, whole } of cases) {
      const { values } = outcomeOf(whole, operator());
      expect(values).not.toEqual([]);
      expect([name, outcomeOf(events, operator())]).toEqual([name, { values, error: none }]);
    }
  });

  it.each(eachKind)('accumulate and reduceTurn of %s begin anew', (_, attempt) => {
    for (const { name, events, whole } of casesOf(attempt)) {
      const snapshots = outcomeOf(events, accumulate()).values;
      const [, ...expected] = outcomeOf(whole, accumulate()).values;
      // The first snapshot stands for no event.
      expect([name, validSnapshots(events, snapshots.slice(1))]).toEqual([name, expected]);
      const restarts = snapshots.filter((_, index) => events[index - 1]?.type === 'restarting');
      expect(restarts).toEqual(restartsIn(events).map(() => ({ ...emptyTurn, status: 'restarting' })));
      expect(events.reduce(reduceTurn, emptyTurn)).toEqual(expected.at(-1));
    }
  });

  it.each(eachKind)(
    'toState of %s shows the countdown, and nothing void beside or after it',
    (_, attempt) => {
      for (const { name, events, whole } of casesOf(attempt)) {
        const states = outcomeOf(events, toState(), 3).values;
        const expected = outcomeOf(whole, toState(), 3).values;
        const waits = states.filter(({ status }) => status === 'restarting');
        const times = events.flatMap(({ type }, index) => (type === 'restarting' ? [3 * (index + 1)] : []));
        expect([name, waits]).toEqual([
          name,
          restartsIn(events).map((event, index) => waiting(event, times[index]!)),
        ]);
        const after = states.slice(states.lastIndexOf(waits.at(-1)!) + 1);
        expect([name, after]).toEqual([name, expected.slice(-after.length)]);
        expect(after[0]).toMatchObject({ status: 'streaming', retry: undefined });
      }
    },
  );

  it.each(eachKind)(
    'a run of %s, its fold, its state and its items are those of what is valid',
    (_, attempt) => {
      for (const { name, events, whole } of casesOf(attempt)) {
        const run = whole.reduce(reduceRun, emptyRun);
        expect([name, events.reduce(reduceRun, emptyRun)]).toEqual([name, run]);
        expect(outcomeOf(events, accumulateRun()).values.at(-1)).toEqual(run);
        const states = outcomeOf(events, toRunState(), 3).values;
        expect(states.filter(({ status }) => status === 'restarting')).toHaveLength(
          restartsIn(events).length,
        );
        expect(states.at(-1)).toEqual(outcomeOf(whole, toRunState(), 3).values.at(-1));
        expect(JSON.stringify(runItems(run))).not.toMatch(/Void|Never/);
      }
    },
  );

  it.each(eachKind)(
    'textDeltas of %s errors where text was given, and goes on where none was',
    (_, attempt) => {
      for (const each of casesOf(attempt)) expectGivenOrError(each, textDeltas());
    },
  );

  it.each(eachKind)(
    'toChatCompletionChunks of %s ends with the error where something was written',
    (_, attempt) => {
      for (const each of casesOf(attempt)) {
        const told: unknown[] = [];
        const options = { id: 'id', created: 0, model: 'm' };
        const toError = (error: unknown) => {
          told.push(error);
          return {};
        };
        const chunks: OperatorFunction<ResponseEvent, ServerSentMessage> = (turn) =>
          turn.pipe(
            toChatCompletionChunks({ ...options, toError }),
            concatMap((message) => {
              const { error } =
                message.data === '[DONE]' ? {} : (JSON.parse(message.data) as { error?: unknown });
              if (error === undefined) return of(message);
              return throwError(() => told.shift());
            }),
          );
        expectGivenOrError(each, chunks);
      }
    },
  );

  it.each(eachKind)('toChatCompletion of %s writes what is valid', (_, attempt) => {
    const options = { id: 'id', created: 0, model: 'm' };
    for (const { name, events, whole } of casesOf(attempt)) {
      const written = outcomeOf(whole, toChatCompletion(options));
      expect(written.values).toHaveLength(1);
      expect([name, outcomeOf(events, toChatCompletion(options)).values]).toEqual([name, written.values]);
    }
  });

  it.each(eachKind)('wireOf and chunksOf write of %s what is valid', (_, attempt) => {
    for (const { name, events, whole } of casesOf(attempt)) {
      expect([name, chunksOf(events)]).toEqual([name, chunksOf(whole)]);
      expect(wireOf(events)).toBe(wireOf(whole));
    }
  });

  it.each(eachKind)('what is pulled of %s is what came, restarts included', async (_, attempt) => {
    for (const { name, events } of casesOf(attempt)) {
      const source = from(events);
      const iterator = pull(source, { highWaterMark: 1 });
      expect([name, await allOf({ [Symbol.asyncIterator]: () => iterator })]).toEqual([name, events]);
      expect([name, await allOf(readableStreamFrom(source))]).toEqual([name, events]);
      expect([name, await allOf(nodeReadableFrom(source))]).toEqual([name, events]);
    }
  });

  it.each([
    ['an iterator', (text: Observable<string>) => ({ [Symbol.asyncIterator]: () => pull(text, {}) })],
    ['a web stream', (text: Observable<string>) => readableStreamFrom(text)],
    ['a Node stream', (text: Observable<string>) => nodeReadableFrom(text)],
  ])('text that is pulled from %s rejects with the error, after what was given', async (_, output) => {
    const events = [...turnOf('Void', ' \ud83d').slice(0, -1), first, ...turnOf('Once')];
    const given: unknown[] = [];
    const reading = allOf(output(from(events).pipe(textDeltas())), given);
    await expect(reading).rejects.toBe(first.error);
    expect(Buffer.concat(given.map((value) => Buffer.from(value as string))).toString()).toMatch(/^Void /);
  });

  it.each(eachKind)('restartOnBreak around restartOnBreak leaves of %s the last attempt', (_, attempt) => {
    const whole = attempt('Once');
    const broken = (word: string, place: number) =>
      concat(
        from(attempt(word).slice(0, place)),
        throwError(() => new StreamError()),
      );
    const exact = { maxRetries: 1, initialDelay: 1, jitter: 0 };
    whole.forEach((_event, place) => {
      const sources = [broken('Void', place), broken('Never', place), broken('Void', place), from(whole)];
      const { values, error } = outcomeOf([], () =>
        sourcesInTurn(...sources).pipe(restartOnBreak(exact), restartOnBreak(exact)),
      );
      expect(validOf(values)).toEqual(whole);
      expect(error).toBe(none);
      expect(restartsIn(values).map(({ attempt, delay }) => [attempt, delay])).toEqual([
        [1, 1],
        [1, 1],
        [1, 1],
      ]);
    });
  });
});

describe('while an attempt is waited for', () => {
  const error = new StreamError();
  const exact = { initialDelay: 10, jitter: 0 };
  const events = { a: textEvent('Void'), b: textEvent('Once'), r: restartingEvent({ delay: 10, error }) };

  it('an event stream shows signs of life', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold<ResponseEvent>('-a-#', events, error);
      const second = cold<ResponseEvent>('-b', events);
      const text = sourcesInTurn(first, second).pipe(
        restartOnBreak(exact),
        toServerSentEvents(),
        encodeEventStream({ heartbeat: 4 }),
        map((text) => (text.startsWith(':') ? 'ping' : /Void|restarting|Once/.exec(text)?.[0])),
      );
      const values = { a: 'Void', b: 'Once', r: 'restarting', p: 'ping' };
      expectObservable(text, '^---------------!').toBe('-a-r---p---p--b-', values);
      expectSubscriptions(first.subscriptions).toBe('  ^--!');
      expectSubscriptions(second.subscriptions).toBe(' -------------^--!');
    });
  });

  it.each([
    ['at the break, which is read when it is released', 'h-----r', '-a----r------------b(c|)'],
    [
      'in the wait, and holds the next answer alone',
      '        ----h-----------------r',
      '-a-r------------------(bc|)',
    ],
  ])('a demand is held %s', (_, holds, expected) => {
    testScheduler().run(({ cold, expectObservable }) => {
      const demand = new Demand();
      const transport = scriptedTransport(
        { body: cold('-a-#', { a: textChunk('Void') }, new Error('cut')) },
        {
          body: cold('a--bf|', {
            a: roleChunk(),
            b: textChunk('Once'),
            f: finishChunk() + doneChunk(),
          }),
        },
      );
      // While the consumer is waited for, the idle clock stands still.
      const options = { model: 'm', provider, transport, demand, idleTimeout: 7 };
      const turn = streamChatCompletions('Hi', options).pipe(
        restartOnBreak(exact),
        map((event) => (event.type === 'output_item_done' ? JSON.stringify(event.item) : event.type)),
        map((said) => /Void|Once|restarting|completed/.exec(said)?.[0]),
      );
      let hold = new Subscription();
      cold(holds).subscribe((mark) => {
        if (mark === 'h') hold = demand.hold();
        else hold.unsubscribe();
      });
      const values = { a: 'Void', b: 'Once', c: 'completed', r: 'restarting' };
      expectObservable(turn).toBe(expected, values);
    });
  });

  it('stopWhen, around it, ends the wait and keeps nothing', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ResponseEvent>('-a-#', events, error);
      const states = source.pipe(restartOnBreak(exact), stopWhen(cold('------x')), toState());
      expectObservable(states.pipe(map(({ status, turn }) => `${status} ${turn.text}`))).toBe('wa-r--(s|)', {
        w: 'waiting ',
        a: 'streaming Void',
        r: 'restarting ',
        s: 'stopped ',
      });
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });
});

describe('the exports', () => {
  /** What works on events or on what is made of them, and is run above. */
  const run = [
    'accumulate',
    'accumulateRun',
    'aggregate',
    'chunksOf',
    'coalesce',
    'decodeEventStream',
    'encodeEventStream',
    'fallbackWith',
    'fromServerSentEvents',
    'hedgeWith',
    'limitTokens',
    'nodeReadableFrom',
    'outputItems',
    'readableStreamFrom',
    'reduceRun',
    'reduceTurn',
    'requireFinish',
    'restartOnBreak',
    'runItems',
    'smooth',
    'splitThinking',
    'stopWhen',
    'textDeltas',
    'toChatCompletion',
    'toChatCompletionChunks',
    'toMessageEvents',
    'toRunState',
    'toServerSentEvents',
    'toState',
    'turnItems',
    'wireOf',
  ];
  /** What never sees an event of a turn, or looks at one alone. */
  const other = [
    // A turn begins here, and none that does restarts.
    'decodeChatCompletions',
    'iterateChatCompletions',
    'runTools',
    'streamChatCompletions',
    'streamChatRequest',
    // Of values of any kind.
    'Demand',
    'idleTimeout',
    'retryWithBackoff',
    // Of one event.
    'isTextDelta',
    // Of no event.
    'assistantMessage',
    'azureOpenAI',
    'backoff',
    'chatOptionsFromEnv',
    'fetchTransport',
    'functionCallOutput',
    'mcpTools',
    'nodeTransport',
    'rateLimiter',
    'tool',
    'ToolProgress',
    'toolProgress',
    'userMessage',
    // Builders for tests.
    'commentChunk',
    'completedEvent',
    'dataChunk',
    'deltaChunk',
    'doneChunk',
    'errorBody',
    'errorChunk',
    'finishChunk',
    'marbleTransport',
    'observableMatcher',
    'reasoningChunk',
    'reasoningEvent',
    'recordTransport',
    'refusalChunk',
    'refusalEvent',
    'replayTransport',
    'restartingEvent',
    'roleChunk',
    'scriptedTransport',
    'textChunk',
    'textEvent',
    'toolCallChunks',
    'toolCallEvents',
    'turnOf',
    'usageChunk',
  ];

  it('are each run over a restart, or known to see none', () => {
    const exported = [library, nodeLibrary, testing].flatMap((module) =>
      Object.entries<unknown>(module).flatMap(([name, value]) =>
        typeof value === 'function' && !(value.prototype instanceof Error) ? [name] : [],
      ),
    );
    expect(exported.sort()).toEqual([...run, ...other].sort());
  });
});

/** The snapshots of events that no restart takes back. Before anything is said, a turn waits, anew or not. */
function validSnapshots(events: readonly ResponseEvent[], snapshots: readonly Turn[]): readonly Turn[] {
  const valid = new Set(validOf(events));
  return snapshots
    .filter((_, index) => valid.has(events[index]!))
    .map((turn) => (turn.status === 'restarting' ? { ...turn, status: 'waiting' } : turn));
}

/** The state while an attempt is waited for that was announced at a time. */
const waiting = ({ attempt, delay, error }: RestartingEvent, now: number): TurnState => ({
  status: 'restarting',
  turn: { ...emptyTurn, status: 'restarting' },
  error: undefined,
  retry: { attempt, delay, error, at: now + delay },
});

/** Of an output that cannot take back: it errors at the first restart with something to take back, or never. */
function expectGivenOrError<T>({ name, events, whole }: Case, operator: OperatorFunction<ResponseEvent, T>) {
  const given = (before: readonly ResponseEvent[]) => outcomeOf([...before], cut(operator)).values;
  const fatal = events.findIndex((event, index) => {
    if (event.type !== 'restarting') return false;
    const begin =
      events
        .slice(0, index)
        .map(({ type }) => type)
        .lastIndexOf('completed') + 1;
    return given(events.slice(begin, index)).length > 0;
  });
  const expected =
    fatal === -1
      ? outcomeOf(whole, operator)
      : { values: given(events.slice(0, fatal)), error: (events[fatal] as RestartingEvent).error };
  const found = outcomeOf(events, operator);
  expect([name, found]).toEqual([name, expected]);
  expect(found.error).toBe(expected.error);
}

/** An operator over a source that stays open: what it gives by then. */
const cut =
  <T>(operator: OperatorFunction<ResponseEvent, T>): OperatorFunction<ResponseEvent, T> =>
  (source) =>
    concat(source, NEVER).pipe(operator, takeUntil(timer(1)));

/** All that an output gives, noted as it comes. */
async function allOf(output: AsyncIterable<unknown>, values: unknown[] = []): Promise<readonly unknown[]> {
  for await (const value of output) values.push(value);
  return values;
}
