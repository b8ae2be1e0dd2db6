import { setImmediate as turnOfTheLoop, setTimeout as sleep } from 'node:timers/promises';
import { VirtualTimeScheduler } from 'rxjs';
import { Demand } from '../../src/flow/demand.js';
import {
  type ChatOptions,
  fetchTransport,
  iterateChatCompletions,
  streamChatCompletions,
  textDeltas,
  type Transport,
} from '../../src/index.js';
import { type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { nodeReadableFrom, nodeTransport } from '../../src/node/index.js';
import { readableStreamFrom } from '../../src/relay/readable-stream-from.js';

const piece = 'x'.repeat(2 ** 18);
/** What the sockets on the way hold is a few megabytes; this is many times as much. */
const pieces = 160;

interface Consumer {
  /** Whether there was one more piece of text. */
  readonly take: () => Promise<boolean>;
  readonly leave: () => Promise<unknown>;
}

const taker = (iterator: AsyncIterator<unknown, unknown>): Consumer => ({
  take: async () => (await iterator.next()).done !== true,
  leave: async () => iterator.return?.(),
});

const consumers: Record<string, (options: ChatOptions) => Consumer> = {
  iterateChatCompletions: (options) =>
    taker(iterateChatCompletions('Hi', { ...options, highWaterMark: 4 })[Symbol.asyncIterator]()),
  readableStreamFrom: (options) => {
    const demand = new Demand();
    const source = streamChatCompletions('Hi', { ...options, demand }).pipe(textDeltas());
    const reader = readableStreamFrom(source, { demand, highWaterMark: 4 }).getReader();
    return { take: async () => !(await reader.read()).done, leave: () => reader.cancel() };
  },
  nodeReadableFrom: (options) => {
    const demand = new Demand();
    const source = streamChatCompletions('Hi', { ...options, demand }).pipe(textDeltas());
    return taker(nodeReadableFrom(source, { demand, highWaterMark: 4 })[Symbol.asyncIterator]());
  },
};

const transports: Record<string, () => Transport> = { fetchTransport, nodeTransport };

const cases = Object.keys(consumers).flatMap((consumer) =>
  Object.keys(transports).map((transport) => ({ consumer, transport })),
);

describe.each(cases)('$consumer over $transport, where nobody takes', ({ consumer, transport }) => {
  let mock: MockProvider;
  let written: number;
  let scheduler: VirtualTimeScheduler;

  beforeEach(async () => {
    written = 0;
    function* counted() {
      for (; written < pieces; written += 1) yield piece;
    }
    mock = await startMockProvider({ pace: 0, answers: [{ content: counted() }] });
    scheduler = new VirtualTimeScheduler();
  });

  afterEach(() => mock.close());

  const consume = () =>
    consumers[consumer]!({
      model: 'm',
      provider: { name: 'mock', baseUrl: mock.baseUrl },
      transport: transports[transport]!(),
      idleTimeout: 100,
      scheduler,
    });

  /** Settles when the provider writes no more: it has come to its end, or it is not read. */
  async function whenStill(): Promise<void> {
    for (let still = 0, before = -1; still < 20 && written < pieces;) {
      await sleep(5);
      still = written === before ? still + 1 : 0;
      before = written;
    }
  }

  function pass(milliseconds: number): void {
    scheduler.maxFrames = scheduler.frame + milliseconds;
    scheduler.schedule(() => undefined, milliseconds);
    scheduler.flush();
  }

  it('the provider stops writing and the idle limit waits; taken again, nothing is lost', async () => {
    const { take } = consume();
    let taken = 0;
    while (taken < 3 && (await take())) taken += 1;
    await whenStill();
    expect(written).toBeLessThan(pieces / 2);
    pass(10_000);
    await turnOfTheLoop();
    while (await take()) taken += 1;
    // An iterator gives `completed` too.
    expect(taken).toBe(consumer === 'iterateChatCompletions' ? pieces + 1 : pieces);
    expect(mock.aborted).toBe(0);
  });

  it('the provider sees the connection close where its consumer leaves', async () => {
    const { take, leave } = consume();
    expect(await take()).toBe(true);
    await whenStill();
    await leave();
    await mock.whenAborted();
    expect(written).toBeLessThan(pieces / 2);
  });
});
