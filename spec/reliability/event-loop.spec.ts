import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fetch as crossFetch } from 'cross-fetch';
import { lastValueFrom, range, Subject, switchMap, take, takeLast, takeUntil, tap, timer } from 'rxjs';
import {
  type FetchLike,
  fetchTransport,
  iterateChatCompletions,
  streamChatCompletions,
  type Transport,
} from '../../src/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { pull } from '../../src/flow/pull.js';
import { textChunk } from '../../src/testing/index.js';

// A body whose next read is always ready, long enough for a machine to be busy with it for many seconds, and
// not for ever: a turn that keeps everything else waiting fails, and does not hang.
const reads = 3_000_000;
const bytes = new TextEncoder().encode(textChunk('token'));

function webStream(): ReadableStream<Uint8Array> {
  let left = reads;
  return new ReadableStream(
    {
      pull(controller) {
        left -= 1;
        if (left === 0) controller.close();
        else controller.enqueue(bytes);
      },
    },
    { highWaterMark: 0 },
  );
}

async function* iterable(): AsyncGenerator<Uint8Array> {
  for (let left = reads; left > 0; left -= 1) yield bytes;
}

const ready =
  (body: () => unknown): FetchLike =>
  () =>
    Promise.resolve({
      status: 200,
      headers: new Headers({ 'content-type': 'text/event-stream' }),
      body: body(),
      arrayBuffer: () => Promise.reject(new Error('not used')),
    });

let server: Server;
let url: string;

beforeAll(async () => {
  const block = Buffer.concat(Array.from({ length: 500 }, () => bytes));
  server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = () => {
      while (!response.destroyed && response.write(block));
    };
    response.on('drain', write);
    write();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const transports: readonly (readonly [string, () => Transport])[] = [
  ['fetch, a stream that is always ready', () => fetchTransport({ fetch: ready(webStream) })],
  ['fetch, an iterable that is always ready', () => fetchTransport({ fetch: ready(iterable) })],
  ['fetch, a server that never pauses', () => fetchTransport()],
  ['cross-fetch, a server that never pauses', () => fetchTransport({ fetch: crossFetch })],
  ['node:http, a server that never pauses', () => nodeTransport()],
];
const options = (transport: Transport) => ({
  model: 'm',
  provider: { name: 'local', baseUrl: url },
  transport,
});

/** Three timers, one after another. */
const thirdTick = timer(5, 5).pipe(take(3), takeLast(1));

describe('Everything else has its turn beside a stream that is always ready', () => {
  describe.each(transports)('%s', (_, transport) => {
    it('subscribed: timers tick, and the third ends the turn', async () => {
      const began = new Subject<void>();
      let events = 0;
      const turn = streamChatCompletions('Hi', options(transport())).pipe(
        tap(() => {
          events += 1;
          if (events === 1) began.next();
        }),
        takeUntil(began.pipe(switchMap(() => thirdTick))),
      );
      const { type } = await lastValueFrom(turn);
      expect(type).toBe('output_item_done');
      expect(events).toBeLessThan(reads - 1);
    });

    it('iterated: timers tick, and the third ends the turn', async () => {
      let isOver = false;
      let events = 0;
      for await (const { type } of iterateChatCompletions('Hi', options(transport()))) {
        events += 1;
        if (events === 1) thirdTick.subscribe(() => (isOver = true));
        if (isOver || type === 'completed') break;
      }
      expect(isOver).toBe(true);
      expect(events).toBeLessThan(reads - 1);
    });
  });

  it('values that wait to be pulled: timers tick', async () => {
    let isOver = false;
    let pulled = 0;
    const values = pull(range(0, reads), {});
    thirdTick.subscribe(() => (isOver = true));
    while (!isOver && (await values.next()).done !== true) pulled += 1;
    expect(isOver).toBe(true);
    expect(pulled).toBeLessThan(reads);
    await values.return();
  });
});
