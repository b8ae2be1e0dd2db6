import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventSourceMessage } from 'eventsource-parser';
import { Observable, type Subscription } from 'rxjs';
import { fetchTransport, streamChatCompletions, type Transport } from '../../src/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { idleTimeout } from '../../src/response/idle-timeout.js';
import { readEvents } from '../../src/response/read-events.js';
import { toResponseEvents } from '../../src/response/to-response-events.js';
import { textChunk } from '../../src/testing/index.js';
import { heapUsed, task } from '../support/heap.js';

const mebibyte = 2 ** 20;

describe('A streaming turn', () => {
  const promptSize = 8 * mebibyte;
  const turns = 4;
  let server: Server;
  let baseUrl: string;
  let open: ServerResponse[];

  beforeEach(async () => {
    open = [];
    server = createServer((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(textChunk('Hi'));
        open.push(response);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** As a caller would: nobody keeps the prompt, or the turn. */
  const begin = (transport: Transport, seen: (event: unknown) => void): Subscription =>
    streamChatCompletions('x'.repeat(promptSize), {
      model: 'm',
      provider: { name: 'local', baseUrl },
      transport,
    }).subscribe({ next: seen, error: seen });

  it('lets go of its request, over nodeTransport', async () => {
    const transport = nodeTransport();
    let events = 0;
    // A first turn, so that everything is loaded.
    const first = begin(transport, () => (events += 1));
    while (events < 1) await task();
    const before = await heapUsed();
    const others: Subscription[] = [];
    for (let turn = 0; turn < turns; turn += 1) others.push(begin(transport, () => (events += 1)));
    while (events < 1 + turns) await task();
    const held = (await heapUsed()) - before;
    expect(open).toHaveLength(1 + turns);
    for (const turn of [first, ...others]) turn.unsubscribe();
    expect(held).toBeLessThan(mebibyte);
  });

  it.each<[string, () => Transport]>([
    ['fetchTransport', () => fetchTransport()],
    ['nodeTransport', () => nodeTransport()],
  ])('holds nothing of its request in what it hands over, over %s', async (_, make) => {
    const transport = make();
    let request: WeakRef<object> | undefined;
    let events = 0;
    const remembered: Transport = (given) => {
      request = new WeakRef(given);
      return transport(given);
    };
    const turn = begin(remembered, () => (events += 1));
    while (events < 1) await task();
    await heapUsed();
    // Compared here: Jest would print all of a prompt.
    expect(request?.deref() === undefined).toBe(true);
    turn.unsubscribe();
  });
});

describe('The three stages of an answer', () => {
  const message = (data: string): EventSourceMessage => ({ id: undefined, event: undefined, data });

  it('hold no event of a read until the next', async () => {
    const refs: WeakRef<EventSourceMessage>[] = [];
    let read: (data: string) => void = () => undefined;
    const messages = new Observable<string>((subscriber) => {
      read = (data) => subscriber.next(data);
    });
    const seen: string[] = [];
    const turn = messages
      .pipe(
        readEvents(() => ({
          push: (data: string) => {
            const event = message(data);
            refs.push(new WeakRef(event));
            return [event];
          },
          end: () => [],
        })),
        idleTimeout(60_000),
        toResponseEvents(),
      )
      .subscribe(({ type }) => seen.push(type));
    for (const word of ['one', 'two']) {
      read(JSON.stringify({ choices: [{ delta: { content: word } }] }));
      await heapUsed();
      expect(refs.at(-1)?.deref()).toBeUndefined();
    }
    expect(seen).toEqual(['output_item_done', 'output_item_done']);
    turn.unsubscribe();
  });

  it('would be found to hold one: RxJS’s timeout alone keeps its last value', async () => {
    const refs: WeakRef<object>[] = [];
    const turn = new Observable<object>((subscriber) => {
      const value = {};
      refs.push(new WeakRef(value));
      subscriber.next(value);
    })
      .pipe(idleTimeout(60_000))
      .subscribe();
    await heapUsed();
    expect(refs[0]?.deref()).toBeDefined();
    turn.unsubscribe();
  });
});
