import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { VirtualTimeScheduler } from 'rxjs';
import { Demand } from '../../src/flow/demand.js';
import {
  type ChatOptions,
  fetchTransport,
  iterateChatCompletions,
  StallTimeoutError,
  streamChatCompletions,
  textDeltas,
  type Transport,
} from '../../src/index.js';
import { type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { nodeReadableFrom, nodeTransport } from '../../src/node/index.js';
import { readableStreamFrom } from '../../src/relay/readable-stream-from.js';

const count = 50;
const stallTimeout = 300_000;
const words = Array.from({ length: 40 }, (_, index) => `${index} `);

/** Consumers that take a value, or none, and are never heard of again. They settle with what they would be told. */
const consumers: Record<string, (options: ChatOptions) => Promise<() => Promise<unknown>>> = {
  async 'an iterator that is dropped'(options) {
    const iterator = iterateChatCompletions('Hi', options)[Symbol.asyncIterator]();
    await iterator.next();
    return async () => {
      while ((await iterator.next()).done !== true);
    };
  },
  async 'a web stream that is not read on'(options) {
    const demand = new Demand();
    const source = streamChatCompletions('Hi', { ...options, demand }).pipe(textDeltas());
    const reader = readableStreamFrom(source, { demand, scheduler: options.scheduler }).getReader();
    await reader.read();
    return async () => {
      while (!(await reader.read()).done);
    };
  },
  async 'a web stream without a demand'(options) {
    const source = streamChatCompletions('Hi', options).pipe(textDeltas());
    const reader = readableStreamFrom(source, { scheduler: options.scheduler }).getReader();
    await reader.read();
    return async () => {
      while (!(await reader.read()).done);
    };
  },
  async 'a Node stream that is not read on'(options) {
    const demand = new Demand();
    const source = streamChatCompletions('Hi', { ...options, demand }).pipe(textDeltas());
    const iterator = nodeReadableFrom(source, { demand, scheduler: options.scheduler })[
      Symbol.asyncIterator
    ]();
    await iterator.next();
    return async () => {
      while ((await iterator.next()).done !== true);
    };
  },
  async 'an operator that holds the demand for ever'(options) {
    const demand = new Demand();
    demand.hold();
    const ended = new Promise<never>((_, reject) => {
      streamChatCompletions('Hi', { ...options, demand }).subscribe({ error: reject });
    });
    ended.catch(() => undefined);
    return () => ended;
  },
};

const transports: Record<string, () => Transport> = { fetchTransport, nodeTransport };

const cases = Object.keys(consumers).flatMap((consumer) =>
  Object.keys(transports).map((transport) => ({ consumer, transport })),
);

describe.each(cases)('$consumer, over $transport', ({ consumer, transport }) => {
  let mock: MockProvider;

  beforeEach(async () => {
    mock = await startMockProvider({ pace: 0, answers: () => ({ content: [...words, { wait: Infinity }] }) });
  });
  afterEach(() => mock.close());

  it(`gives its connection back after the stall timeout, ${count} of them at once`, async () => {
    const schedulers = Array.from({ length: count }, () => new VirtualTimeScheduler(undefined, stallTimeout));
    const told = await Promise.all(
      schedulers.map((scheduler) =>
        consumers[consumer]!({
          model: 'm',
          provider: { name: 'mock', baseUrl: mock.baseUrl },
          transport: transports[transport]!(),
          idleTimeout: Infinity,
          scheduler,
        }),
      ),
    );
    // Its timer is set where a consumer is waited for.
    while (schedulers.some(({ actions }) => actions.length === 0)) await turnOfTheLoop();
    expect([mock.openAnswers, mock.aborted]).toEqual([count, 0]);
    for (const scheduler of schedulers) scheduler.flush();
    await mock.whenAborted(count);
    await mock.whenIdle();
    const error = new StallTimeoutError(stallTimeout);
    for (const next of told) await expect(next()).rejects.toEqual(error);
    for (const { actions } of schedulers) expect(actions).toEqual([]);
  });
});
