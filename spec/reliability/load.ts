import { finalize } from 'rxjs';
import { isTextDelta, streamChatCompletions, type Transport } from '../../src/index.js';
import { type MockPiece, startMockProvider } from '../../src/mock-provider/index.js';
import { collectGarbage } from '../support/heap.js';

/** Texts before and after the point at which all turns wait for each other. */
const half = 10;
/** Milliseconds between two chunks of a turn. */
const pace = 10;

/** A provider whose answers stop halfway until they are told to go on. */
export interface LoadProvider {
  readonly baseUrl: string;
  goOn(): void;
  close(): Promise<unknown>;
}

/** Every turn has a text of its own, and no two of its pieces are the same. */
function textsOf(turn: string): readonly string[] {
  return Array.from({ length: 2 * half }, (_, at) => `${turn}, piece ${at}; `);
}

export async function startLoadProvider(): Promise<LoadProvider> {
  let goOn = () => {};
  const isToGoOn = new Promise<void>((resolve) => (goOn = resolve));
  async function* content(turn: string): AsyncGenerator<MockPiece> {
    const texts = textsOf(turn);
    yield* texts.slice(0, half);
    await isToGoOn;
    yield* texts.slice(half);
  }
  const mock = await startMockProvider({
    pace,
    answers: ({ body }) => ({ content: content(String(body.messages.at(-1)?.['content'])) }),
  });
  return { baseUrl: mock.baseUrl, goOn, close: () => mock.close() };
}

/** Bytes. */
interface Memory {
  /** Of the heap and of buffers outside it that can be reached. */
  readonly used: number;
  /** That the whole process has. */
  readonly resident: number;
}

export interface Load {
  readonly turns: number;
  /** How many turns stood in the middle of their answer at the same time. */
  readonly atOnce: number;
  readonly right: number;
  /** What went wrong, without repetition. */
  readonly errors: readonly string[];
  /** What one turn takes while it is under way. */
  readonly perTurn: Memory;
}

/** Runs turns that are all in the middle of their answers at once, and checks what each of them says. */
export async function runLoad(turns: number, transport: Transport, peer: LoadProvider): Promise<Load> {
  const before = await memory();
  const errors = new Set<string>();
  let open = 0;
  let begun = 0;
  let waiting = 0;
  let right = 0;
  let allWait = () => {};
  const allAreWaiting = new Promise<void>((resolve) => (allWait = resolve));

  const run = (turn: string) =>
    new Promise<void>((resolve) => {
      const texts = textsOf(turn);
      let said = 0;
      open += 1;
      // A turn that has failed is not waited for.
      const arrive = () => {
        waiting += 1;
        if (waiting === turns) allWait();
      };
      streamChatCompletions(turn, {
        model: 'm',
        provider: { name: 'p', baseUrl: peer.baseUrl, apiKey: 'sk-load' },
        transport,
        retry: { maxRetries: 0 },
      })
        .pipe(
          finalize(() => {
            open -= 1;
            if (said === 0) begun += 1;
            if (said < half) arrive();
            resolve();
          }),
        )
        .subscribe({
          next: (event) => {
            if (!isTextDelta(event)) return;
            const { text } = event.item.content[0];
            if (text !== texts[said]) errors.add('a text of another turn, or out of order');
            if (said === 0) begun += 1;
            said += 1;
            if (said === half) arrive();
          },
          error: (error: unknown) => errors.add(String(error)),
          complete: () => {
            if (said === texts.length) right += 1;
            else errors.add('a turn that is not whole');
          },
        });
    });

  const all: Promise<void>[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    all.push(run(`turn ${turn}`));
    // A server's queue of new connections holds 511.
    while (all.length - begun >= 200) await new Promise((resolve) => setImmediate(resolve));
  }
  await allAreWaiting;
  const atOnce = open;
  const meanwhile = await memory();
  peer.goOn();
  await Promise.all(all);
  return {
    turns,
    atOnce,
    right,
    errors: [...errors],
    perTurn: {
      used: (meanwhile.used - before.used) / turns,
      resident: (meanwhile.resident - before.resident) / turns,
    },
  };
}

async function memory(): Promise<Memory> {
  for (let round = 0; round < 2; round += 1) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}
