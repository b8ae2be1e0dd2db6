import { asyncScheduler, finalize, map, type SchedulerLike, Subscription, timer } from 'rxjs';
import {
  type ChatOptions,
  Demand,
  iterateChatCompletions,
  type Prompt,
  readableStreamFrom,
  type ResponseEvent,
  runTools,
  streamChatCompletions,
  tool,
} from '../../src/index.js';
import type { MockAnswer, MockPiece } from '../../src/mock-provider/index.js';

/** What one turn is run with. */
interface Given {
  readonly options: ChatOptions;
  /** A number from 0 to 1, the same sequence in every run. */
  readonly random: () => number;
}

/** One way for a turn to end, and how it is brought about. */
export interface Ending {
  readonly name: string;
  readonly answer: (random: () => number) => MockAnswer;
  readonly options?: Partial<ChatOptions>;
  /** Runs one turn; settles with what became of it. */
  readonly turn: (given: Given) => Promise<string>;
  /** What becomes of every turn. */
  readonly outcome: string;
}

const prompt = 'Hi';
const words: readonly string[] = ['The ', 'sky ', 'is ', 'blue', '.'];
const silence: MockPiece = { wait: Infinity };
const left = 'left';

export const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

async function ticks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await tick();
}

/** A whole number from 0 to `most`. */
const upTo = (most: number, random: () => number): number => Math.floor(random() * (most + 1));

function outcomeOf(last: ResponseEvent | undefined): string {
  if (last?.type !== 'completed') return 'completed without its event';
  return last.finishReason === null ? 'completed without a finish reason' : 'completed';
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));

/** A consumer that stays to the end. */
function stays({ options }: Given): Promise<string> {
  return new Promise((resolve) => {
    let last: ResponseEvent | undefined;
    streamChatCompletions(prompt, options).subscribe({
      next: (event) => (last = event),
      error: (error: unknown) => resolve(nameOf(error)),
      complete: () => resolve(outcomeOf(last)),
    });
  });
}

/**
 * A consumer that leaves at an instant of its choice: `choose` is asked once for each turn, and what it
 * returns is told of every event.
 */
function leaves(
  choose: (leave: () => void, random: () => number) => ((event: ResponseEvent) => void) | undefined,
): Ending['turn'] {
  return ({ options, random }) =>
    new Promise((resolve) => {
      const turn = new Subscription();
      const leave = () => {
        turn.unsubscribe();
        resolve(left);
      };
      const told = choose(leave, random);
      turn.add(
        streamChatCompletions(prompt, options).subscribe({
          next: (event) => told?.(event),
          error: (error: unknown) => resolve(nameOf(error)),
          complete: () => resolve('completed'),
        }),
      );
    });
}

const leavesSoon = (most: number) =>
  leaves((leave, random) => {
    void ticks(upTo(most, random)).then(leave);
    return undefined;
  });

/** Leaves so many ticks after an event that is waited for, inside `next` where that is none. */
const leavesAt = (isIt: (event: ResponseEvent) => boolean, mostEvents: number, mostTicks: number) =>
  leaves((leave, random) => {
    let toCome = 1 + upTo(mostEvents - 1, random);
    return (event) => {
      if (!isIt(event)) return;
      toCome -= 1;
      if (toCome !== 0) return;
      const wait = upTo(mostTicks, random);
      if (wait === 0) leave();
      else void ticks(wait).then(leave);
    };
  });

const isText = ({ type }: ResponseEvent) => type === 'output_item_done';

async function pullsAll({ options }: Given): Promise<string> {
  let last: ResponseEvent | undefined;
  try {
    for await (const event of iterateChatCompletions(prompt, options)) last = event;
  } catch (error) {
    return nameOf(error);
  }
  return outcomeOf(last);
}

/** A consumer that pulls a few events, thinks for a while and breaks out of the loop. */
async function breaksOut({ options, random }: Given): Promise<string> {
  let toCome = 1 + upTo(3, random);
  try {
    for await (const { type } of iterateChatCompletions(prompt, { ...options, highWaterMark: 2 })) {
      if (type === 'output_item_done') toCome -= 1;
      if (toCome > 0) continue;
      await ticks(upTo(8, random));
      break;
    }
  } catch (error) {
    return nameOf(error);
  }
  return left;
}

const tools = [
  tool({ name: 'now', execute: () => 'done' }),
  tool({ name: 'later', execute: () => timer(1).pipe(map(() => 'done')) }),
];

/**
 * A consumer that leaves a run of ever more turns so many ticks after one of its events, inside `next` where that is none:
 * in a request, in an answer, or among its tools.
 */
const leavesRun =
  (mostEvents: number, mostTicks: number): Ending['turn'] =>
  ({ options, random }) =>
    new Promise((resolve) => {
      const run = new Subscription();
      let toCome = upTo(mostEvents, random);
      const wait = upTo(mostTicks, random);
      const leave = () => {
        run.unsubscribe();
        resolve(left);
      };
      const told = () => {
        if (toCome === 0 && wait === 0) leave();
        else if (toCome === 0) void ticks(wait).then(leave);
        toCome -= 1;
      };
      const turn = (asked: Prompt) => streamChatCompletions(asked, options);
      run.add(
        runTools(prompt, { tools, toolTimeout: 60_000, maxTurns: Infinity, turn }).subscribe({
          next: told,
          error: (error: unknown) => resolve(nameOf(error)),
          complete: () => resolve('completed'),
        }),
      );
      told();
    });

/** How long the consumers below may take to ask again, in milliseconds. */
const stallTimeout = 10;

/** A consumer that holds the demand and never lets go. */
function holds({ options, random }: Given): Promise<string> {
  const demand = new Demand({ stallTimeout });
  demand.hold();
  return stays({ options: { ...options, demand }, random });
}

/** A consumer that reads once, and again only when the turn has been left. */
async function stopsReading({ options }: Given): Promise<string> {
  const demand = new Demand();
  let reader: ReadableStreamDefaultReader<ResponseEvent> | undefined;
  await new Promise<void>((resolve) => {
    const turn = streamChatCompletions(prompt, { ...options, demand }).pipe(finalize(resolve));
    reader = readableStreamFrom(turn, { demand, stallTimeout }).getReader();
    void reader.read();
  });
  try {
    while (!(await reader!.read()).done);
  } catch (error) {
    return nameOf(error);
  }
  return 'completed';
}

/** Real timers, and fifty times as many in a second. */
const fastClock: SchedulerLike = {
  now: () => asyncScheduler.now(),
  schedule: (work, delay = 0, state) =>
    asyncScheduler.schedule(
      function (current) {
        work.call(this, current as never);
      },
      delay / 50,
      state,
    ),
};

const endlessly: MockPiece = { repeat: words };

/** The ending of a turn in which nothing goes wrong. */
export const inOrder: Ending = {
  name: 'complete with [DONE]',
  answer: () => ({ content: words }),
  turn: stays,
  outcome: 'completed',
};

export const endings: readonly Ending[] = [
  inOrder,
  {
    name: 'a clean end without [DONE]',
    answer: () => ({ content: words, done: false, finishReason: null }),
    turn: stays,
    outcome: 'completed without a finish reason',
  },
  {
    name: 'a status error',
    answer: () => ({ status: 400 }),
    turn: stays,
    outcome: 'UnexpectedStatusError',
  },
  {
    name: 'a status error after a retry',
    answer: () => ({ status: 503 }),
    turn: stays,
    outcome: 'RetryLimitError',
  },
  {
    name: 'no answer',
    answer: () => ({ noAnswer: 'reset' }),
    turn: stays,
    outcome: 'TransportError',
  },
  {
    name: 'no headers in time',
    answer: () => ({ delay: Infinity }),
    options: { responseTimeout: 10 },
    turn: stays,
    outcome: 'ResponseTimeoutError',
  },
  {
    name: 'a broken stream',
    answer: () => ({ content: [...words, { cut: 'reset' }] }),
    turn: stays,
    outcome: 'StreamError',
  },
  {
    name: 'the idle timeout',
    answer: () => ({ content: [...words, silence] }),
    options: { idleTimeout: 10 },
    turn: stays,
    outcome: 'IdleTimeoutError',
  },
  {
    name: 'an error in a 200',
    answer: () => ({ content: [...words, { chunk: { error: { message: 'No', code: 'overloaded' } } }] }),
    turn: stays,
    outcome: 'ProviderStreamError',
  },
  {
    name: 'malformed events',
    answer: () => ({ content: [...words, { raw: 'data: {"cho\n\n' }, { raw: 'data: no JSON\n\n' }] }),
    turn: stays,
    outcome: 'completed',
  },
  {
    name: 'a malformed answer',
    answer: () => ({ body: '<html></html>', headers: { 'content-type': 'text/html' } }),
    turn: stays,
    outcome: 'UnexpectedContentError',
  },
  {
    name: 'unsubscribed at any instant',
    answer: () => ({ content: words, endDelay: Infinity }),
    // Some have the whole answer by then.
    options: { scheduler: fastClock },
    turn: async (given) => (await leavesSoon(40)(given), left),
    outcome: left,
  },
  {
    name: 'unsubscribed before the headers',
    answer: () => ({ delay: Infinity }),
    turn: leavesSoon(12),
    outcome: left,
  },
  {
    name: 'unsubscribed in a backoff',
    answer: () => ({ status: 503 }),
    options: { includeRetries: true, retry: { initialDelay: 60_000 } },
    turn: leavesAt(({ type }) => type === 'retrying', 1, 3),
    outcome: left,
  },
  {
    name: 'unsubscribed mid-stream',
    answer: () => ({ content: [endlessly] }),
    turn: leavesAt(isText, 8, 4),
    outcome: left,
  },
  {
    name: 'unsubscribed inside next',
    answer: () => ({ content: [endlessly] }),
    turn: leavesAt(isText, 8, 0),
    outcome: left,
  },
  {
    name: 'unsubscribed after completed, the connection ends',
    answer: (random) => ({ content: words, endDelay: upTo(3, random) }),
    turn: leavesAt(({ type }) => type === 'completed', 1, 0),
    outcome: left,
  },
  {
    name: 'unsubscribed after completed, the connection goes on',
    answer: () => ({ content: words, endDelay: Infinity }),
    options: { scheduler: fastClock },
    turn: leavesAt(({ type }) => type === 'completed', 1, 0),
    outcome: left,
  },
  {
    name: 'a run with two tools unsubscribed at any instant',
    answer: () => ({
      content: [...words, { toolCall: { name: 'now' } }, { toolCall: { name: 'later' } }],
    }),
    turn: leavesRun(30, 6),
    outcome: left,
  },
  {
    name: 'iterated to the end',
    answer: () => ({ content: words }),
    turn: pullsAll,
    outcome: 'completed',
  },
  {
    name: 'an iteration broken out of',
    answer: () => ({ content: [endlessly] }),
    turn: breaksOut,
    outcome: left,
  },
  {
    name: 'a demand held for ever',
    answer: () => ({ content: [endlessly] }),
    turn: holds,
    outcome: 'StallTimeoutError',
  },
  {
    name: 'a stream not read on',
    answer: () => ({ content: [endlessly] }),
    turn: stopsReading,
    outcome: 'StallTimeoutError',
  },
];
