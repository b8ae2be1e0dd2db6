import { concatMap, from, map, NEVER, type OperatorFunction, type Observable, pipe, timer } from 'rxjs';
import * as library from '../../src/index.js';
import {
  accumulateRun,
  coalesce,
  decodeEventStream,
  emptyRun,
  encodeEventStream,
  fromServerSentEvents,
  limitTokens,
  readableStreamFrom,
  reduceRun,
  requireFinish,
  type RunEvent,
  type ServerSentMessage,
  smooth,
  splitThinking,
  stopWhen,
  textDeltas,
  toChatCompletion,
  toChatCompletionChunks,
  toMessageEvents,
  toRunState,
  toServerSentEvents,
} from '../../src/index.js';
import { pull } from '../../src/flow/pull.js';
import { nodeReadableFrom } from '../../src/node/index.js';
import { textEvent, toolCallEvents } from '../../src/testing/index.js';
import { testScheduler } from '../support/marbles.js';
import { story } from '../support/random-events.js';
import { wholeRun } from '../support/run-events.js';

/** The same run, of whose turns a first attempt has said something. */
const restartedRun = wholeRun.flatMap((event): readonly RunEvent[] =>
  event.type === 'restarting'
    ? [textEvent('Void and '), ...toolCallEvents({ name: 'void', callId: 'void' }), textEvent('void.'), event]
    : [event],
);

/** The milliseconds from one event to the next: within, at and beyond the operators' own. */
const paces = [0, 1, 10];

/** What an operator gives, in virtual time. */
function given<T>(events: readonly RunEvent[], operator: OperatorFunction<RunEvent, T>, pace: number): T[] {
  const values: T[] = [];
  let end: unknown = 'none';
  testScheduler().run(({ flush }) => {
    const source: Observable<RunEvent> =
      pace === 0 ? from(events) : from(events).pipe(concatMap((event) => timer(pace).pipe(map(() => event))));
    source.pipe(operator).subscribe({
      next: (value) => values.push(value),
      error: (error: unknown) => (end = error),
      complete: () => (end = 'complete'),
    });
    flush();
  });
  expect(end).toBe('complete');
  return values;
}

/** Errors are made anew on the way: what is left of them is their code. */
const withCodes = (events: readonly RunEvent[]): readonly RunEvent[] =>
  events.map((event) => {
    if (!('error' in event)) return event;
    const { code } = event.error as { readonly code?: string };
    return { ...event, error: { code } } as unknown as RunEvent;
  });

const foldOf = (events: readonly RunEvent[]) => withCodes(events).reduce(reduceRun, emptyRun);

const overTheWire: OperatorFunction<RunEvent, RunEvent> = pipe(
  toServerSentEvents(),
  encodeEventStream({ heartbeat: 2 }),
  map((text) => new TextEncoder().encode(text)),
  decodeEventStream(),
  fromServerSentEvents<RunEvent>(),
);

const byMessageEvents: OperatorFunction<RunEvent, RunEvent> = pipe(
  toServerSentEvents(),
  toMessageEvents({ heartbeat: 2 }),
  map(({ type, ...message }): ServerSentMessage => ({ ...message, event: type })),
  fromServerSentEvents<RunEvent>(),
);

/** Every export that takes runs and gives events, in the ways in which it can work. */
const fromEventsToEvents = {
  coalesce: [coalesce(5), coalesce(0), coalesce(Infinity), coalesce(() => timer(5))],
  smooth: [
    smooth({ delay: 2 }),
    smooth({ delay: 20, maxLag: Infinity }),
    smooth({ delay: 1, segmenter: 'grapheme' }),
  ],
  splitThinking: [splitThinking(), splitThinking({ openingTag: '<a>', closingTag: '</a>' })],
  requireFinish: [requireFinish()],
  stopWhen: [stopWhen(NEVER)],
  limitTokens: [limitTokens(10_000)],
  toServerSentEvents: [overTheWire, byMessageEvents],
} satisfies Record<string, readonly OperatorFunction<RunEvent, RunEvent>[]>;

const allOfThem: OperatorFunction<RunEvent, RunEvent> = (run) =>
  run.pipe(
    limitTokens(10_000),
    requireFinish(),
    splitThinking(),
    stopWhen(NEVER),
    smooth({ delay: 2 }),
    coalesce(5),
    byMessageEvents,
  );

const cases = [...Object.entries(fromEventsToEvents), ['all of them', [allOfThem]] as const].flatMap(
  ([name, operators]) =>
    operators.flatMap((operator) => paces.map((pace) => [name, pace, operator] as const)),
);

describe('a run with every kind of event', () => {
  it('has every kind of event', () => {
    const kinds: Record<RunEvent['type'], true> = {
      approval_requested: true,
      chunk: true,
      completed: true,
      function_call_arguments_delta: true,
      input_added: true,
      output_item_done: true,
      restarting: true,
      retrying: true,
      run_completed: true,
      run_resumed: true,
      tool_finished: true,
      tool_progress: true,
      tool_started: true,
    };
    expect([...new Set(wholeRun.map(({ type }) => type))].sort()).toEqual(Object.keys(kinds));
  });

  it.each(cases)('passes %s whole and in order, events %s ms apart', (_, pace, operator) => {
    const passed = given(wholeRun, operator, pace);
    expect(story(withCodes(passed))).toEqual(story(withCodes(wholeRun)));
    expect(foldOf(passed)).toEqual(foldOf(wholeRun));
  });

  it.each(cases)(
    'passes %s with nothing void in the end where turns restart, events %s ms apart',
    (_, pace, operator) => {
      const passed = given(restartedRun, operator, pace);
      expect(foldOf(passed)).toEqual(foldOf(wholeRun));
      const betweenDeltas = ({ type }: RunEvent) =>
        type !== 'output_item_done' && type !== 'function_call_arguments_delta';
      expect(withCodes(passed.filter(betweenDeltas))).toEqual(withCodes(restartedRun.filter(betweenDeltas)));
    },
  );

  it.each(paces)('is told as text and as one answer, events %s ms apart', (pace) => {
    const text = 'Let me see. It is rainy.';
    expect(given(wholeRun, textDeltas(), pace).join('')).toBe(text);
    const contents = given(wholeRun, toChatCompletionChunks({ run: true }), pace).map(
      ({ data }) => /"content":"([^"]*)"/.exec(data)?.[1] ?? '',
    );
    expect(contents.join('')).toBe(text);
    const completions = given(wholeRun, toChatCompletion({ run: true }), pace);
    expect(completions.map(({ choices: [choice] }) => choice?.message.content)).toEqual([text]);
  });

  it.each(paces)(
    'is told as snapshots and states, the last of which are its fold, events %s ms apart',
    (pace) => {
      for (const events of [wholeRun, restartedRun]) {
        const run = events.reduce(reduceRun, emptyRun);
        expect(given(events, accumulateRun(), pace)).toHaveLength(events.length + 1);
        expect(given(events, accumulateRun(), pace).at(-1)).toEqual(run);
        expect(given(events, toRunState(), pace).at(-1)).toMatchObject({ status: 'completed', run });
      }
    },
  );

  it('is pulled as it came', async () => {
    const source = from(wholeRun);
    const iterator = pull(source, { highWaterMark: 1 });
    expect(await allOf({ [Symbol.asyncIterator]: () => iterator })).toEqual(wholeRun);
    expect(await allOf(readableStreamFrom(source))).toEqual(wholeRun);
    expect(await allOf(nodeReadableFrom(source))).toEqual(wholeRun);
  });

  it('was given to every export that takes the events of runs', () => {
    const fed: Record<TakesRuns, true> = {
      accumulateRun: true,
      coalesce: true,
      limitTokens: true,
      requireFinish: true,
      smooth: true,
      splitThinking: true,
      stopWhen: true,
      textDeltas: true,
      toChatCompletion: true,
      toChatCompletionChunks: true,
      toRunState: true,
      toServerSentEvents: true,
      // Of values of any kind.
      idleTimeout: true,
      retryWithBackoff: true,
    };
    expect(Object.keys(library)).toEqual(expect.arrayContaining(Object.keys(fed)));
  });
});

type Exports = typeof library;

/** The names of the exports that make an operator on runs. */
type TakesRuns = {
  [Name in keyof Exports]: Exports[Name] extends (...args: never[]) => OperatorFunction<RunEvent, unknown>
    ? Name
    : never;
}[keyof Exports];

async function allOf(output: AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const values: unknown[] = [];
  for await (const value of output) values.push(value);
  return values;
}
