import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { PassThrough, pipeline, Readable, Transform, Writable } from 'node:stream';
import { concat, NEVER, Observable, of } from 'rxjs';
import { Demand } from '../../src/flow/demand.js';
import { streamChatCompletions } from '../../src/index.js';
import { type MockAnswer, type MockProvider, startMockProvider } from '../../src/mock-provider/index.js';
import { destroyedWithDestinations } from '../../src/node/destroyed-with-destinations.js';
import { nodeReadableFrom, nodeTransport } from '../../src/node/index.js';
import { encodeEventStream } from '../../src/relay/encode-event-stream.js';
import { toServerSentEvents } from '../../src/relay/to-server-sent-events.js';

const tick = () => new Promise(setImmediate);

/** A stream that has said something and is not at its end. */
function opened() {
  const readable = destroyedWithDestinations(new Readable({ read: () => undefined }));
  readable.push('a');
  return readable;
}

function sink(options: { readonly autoDestroy?: boolean } = {}) {
  const written: string[] = [];
  const writable = new Writable({
    ...options,
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString());
      done();
    },
  });
  return Object.assign(writable, { written });
}

describe('destroyedWithDestinations', () => {
  describe('destroys the stream where its destination', () => {
    it.each<[string, (destination: Writable) => void]>([
      ['closes', (destination) => destination.destroy()],
      ['errors', (destination) => destination.destroy(new Error('broken'))],
      ['is ended by another', (destination) => destination.end()],
    ])('%s', async (_, leave) => {
      const readable = opened();
      const destination = sink();
      destination.on('error', () => undefined);
      readable.pipe(destination);
      await tick();
      expect([readable.destroyed, destination.written]).toEqual([false, ['a']]);
      leave(destination);
      await tick();
      expect(readable.destroyed).toBe(true);
      expect(readable.errored).toBeNull();
    });

    it('emits an error and stays open', async () => {
      const readable = opened();
      const destination = sink({ autoDestroy: false }).on('error', () => undefined);
      readable.pipe(destination);
      destination.emit('error', new Error('broken'));
      await tick();
      expect([readable.destroyed, destination.destroyed]).toEqual([true, false]);
    });

    it.each<[string, () => Writable]>([
      ['was destroyed before', () => sink().destroy()],
      ['was ended before', () => sink().end()],
      [
        'is of HTTP/2 and was closed before',
        () => Object.assign(new EventEmitter(), { stream: { destroyed: true } }) as unknown as Writable,
      ],
    ])('%s', (_, closed) => {
      const readable = opened();
      const destination = closed();
      expect(readable.pipe(destination)).toBe(destination);
      expect(readable.destroyed).toBe(true);
    });
  });

  it('leaves an error of the destination unhandled that nobody handles', () => {
    const destination = sink({ autoDestroy: false });
    opened().pipe(destination);
    expect(() => destination.emit('error', new Error('broken'))).toThrow('broken');
  });

  it('destroys nothing where the destination was unpiped before, and pipes elsewhere', async () => {
    const readable = opened();
    const [first, second] = [sink(), sink()];
    readable.pipe(first);
    await tick();
    readable.unpipe(first);
    first.destroy();
    await tick();
    expect(readable.destroyed).toBe(false);
    readable.pipe(second);
    readable.push('b');
    await tick();
    expect([first.written, second.written, readable.destroyed]).toEqual([['a'], ['b'], false]);
    readable.unpipe();
    second.end();
    await tick();
    expect(readable.destroyed).toBe(false);
    readable.destroy();
  });

  it('outlives all destinations but the last', async () => {
    const readable = opened();
    const [first, second] = [sink(), sink()];
    readable.pipe(first);
    readable.pipe(second);
    await tick();
    first.destroy();
    await tick();
    readable.push('b');
    await tick();
    expect([readable.destroyed, second.written]).toEqual([false, ['a', 'b']]);
    // One that is closed already adds nothing.
    readable.pipe(first);
    expect(readable.destroyed).toBe(false);
    second.destroy();
    await tick();
    expect(readable.destroyed).toBe(true);
  });

  it('counts a destination as often as the stream is piped to it', async () => {
    const readable = opened();
    const destination = sink();
    readable.pipe(destination);
    readable.pipe(destination);
    readable.unpipe(destination);
    await tick();
    destination.destroy();
    await tick();
    expect(readable.destroyed).toBe(true);
  });

  it.each([true, false])('leaves no listener behind, with end: %s', async (end) => {
    const readable = opened();
    const destination = sink();
    const before = destination.eventNames().map((name) => [name, destination.listenerCount(name)]);
    readable.pipe(destination, { end });
    readable.push(null);
    await once(readable, 'close');
    await tick();
    expect(destination.writableEnded).toBe(end);
    expect(destination.eventNames().map((name) => [name, destination.listenerCount(name)])).toEqual(before);
    expect(destination.written).toEqual(['a']);
  });

  it('is heard from no other stream that is piped to the same destination', async () => {
    const readable = opened();
    const destination = sink();
    readable.pipe(destination);
    const other = new PassThrough();
    other.pipe(destination);
    other.unpipe(destination);
    destination.destroy();
    await tick();
    expect(readable.destroyed).toBe(true);
  });

  it.each<[string, (readable: Readable) => void]>([
    ['fails', (readable) => readable.destroy(new Error('cut'))],
    ['is destroyed', (readable) => readable.destroy()],
    ['ends', (readable) => readable.push(null)],
  ])('leaves no listener on a destination that outlives it, where it %s', async (_, end) => {
    const destination = sink();
    const listeners = () => destination.eventNames().map((name) => [name, destination.listenerCount(name)]);
    const before = listeners();
    for (let turn = 0; turn < 3; turn += 1) {
      const readable = opened().on('error', () => undefined);
      readable.pipe(destination, { end: false });
      await tick();
      end(readable);
      await tick();
    }
    expect(destination.written).toEqual(['a', 'a', 'a']);
    expect(listeners()).toEqual(before);
  });

  it('leaves what pipeline() tells as it was', async () => {
    const told = (readable: Readable, destination: Writable, error?: Error) =>
      new Promise((resolve) => {
        pipeline(readable, destination, resolve);
        destination.destroy(error);
      });
    const plain = () => new Readable({ read: () => undefined });
    for (const error of [undefined, new Error('broken')]) {
      const expected = await told(plain(), sink(), error);
      expect(await told(destroyedWithDestinations(plain()), sink(), error)).toEqual(expected);
      expect(expected).toHaveProperty('message');
    }
  });
});

describe('nodeReadableFrom(turn).pipe(response)', () => {
  const endless: MockAnswer = { content: ['The sky', { wait: Infinity }] };
  let mock: MockProvider;

  /** A turn at the mock provider, as text. */
  function answer(): Readable {
    const demand = new Demand();
    const provider = { name: 'mock', baseUrl: mock.baseUrl };
    const turn = streamChatCompletions('Hi', { model: 'm', provider, demand, transport: nodeTransport() });
    return nodeReadableFrom(turn.pipe(toServerSentEvents(), encodeEventStream()), { demand });
  }

  beforeEach(async () => {
    mock = await startMockProvider({ pace: 0 });
  });

  afterEach(() => mock.close());

  /** Serves it over HTTP/1, for clients that are plain sockets. */
  async function serving(respond: (response: ServerResponse) => void) {
    const listener: RequestListener = (_request, response) => respond(response);
    const server = createServer(listener);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
      ask: async (): Promise<Socket> => {
        const socket = connect(port, '127.0.0.1');
        await once(socket, 'connect');
        socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
        return socket;
      },
      close: async () => {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      },
    };
  }

  it('aborts the turn where the client leaves: 200 times, and no connection is left', async () => {
    const { ask, close } = await serving((response) => answer().pipe(response));
    for (let left = 0; left < 200; left += 1) {
      mock.enqueue(endless);
      const socket = await ask();
      await once(socket, 'data');
      socket.destroy();
      await mock.whenAborted(left + 1);
    }
    await mock.whenIdle();
    expect([mock.aborted, mock.requests.length]).toEqual([200, 200]);
    expect(mock.openConnections).toBe(0);
    await close();
  });

  it('aborts the turn where the client leaves before anything was written', async () => {
    mock.enqueue({ delay: Infinity });
    const { ask, close } = await serving((response) => answer().pipe(response));
    const socket = await ask();
    await mock.whenRequested(1);
    socket.destroy();
    await mock.whenAborted(1);
    await close();
  });

  it('aborts the turn where the client reads nothing and leaves', async () => {
    mock.enqueue({ content: [{ repeat: '#'.repeat(65_536) }] });
    const blocked = new EventEmitter();
    const full = once(blocked, 'now');
    const { ask, close } = await serving((response) => {
      const readable = answer();
      readable.pipe(response);
      readable.on('pause', () => response.writableNeedDrain && blocked.emit('now'));
    });
    const socket = (await ask()).pause();
    await full;
    socket.destroy();
    await mock.whenAborted(1);
    await close();
  });

  it('asks for nothing where the client has left already', async () => {
    const piped = new EventEmitter();
    const done = once(piped, 'now');
    const { ask, close } = await serving((response) => {
      response.once('close', () => {
        const readable = answer();
        readable.pipe(response);
        readable.once('close', () => piped.emit('now'));
      });
      response.write('a');
    });
    const socket = await ask();
    await once(socket, 'data');
    socket.destroy();
    await done;
    expect(mock.requests).toHaveLength(0);
    await close();
  });

  it('is written to its end, and the connection to the provider is kept', async () => {
    const transport = nodeTransport();
    const provider = { name: 'mock', baseUrl: mock.baseUrl };
    const { ask, close } = await serving((response) => {
      const turn = streamChatCompletions('Hi', { model: 'm', provider, transport });
      nodeReadableFrom(turn.pipe(toServerSentEvents(), encodeEventStream())).pipe(response);
    });
    for (let asked = 0; asked < 3; asked += 1) {
      mock.enqueue({ content: ['The sky', ' is blue.'] });
      const socket = await ask();
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      while (!text.includes('[DONE]')) await once(socket, 'data');
      socket.destroy();
      expect(text).toContain(' is blue.');
    }
    await mock.whenIdle();
    expect([mock.aborted, mock.connections]).toEqual([0, 1]);
    await close();
  });

  it('aborts the turn where a stream of HTTP/2 closes, before, during and after the first write', async () => {
    const server = http2.createServer((_request, response) => {
      answer().pipe(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    for (let left = 0; left < 20; left += 2) {
      mock.enqueue(endless, { delay: Infinity });
      const reading = client.request({ ':path': '/' });
      await once(reading, 'data');
      reading.close(http2.constants.NGHTTP2_CANCEL);
      await mock.whenAborted(left + 1);
      const waiting = client.request({ ':path': '/' });
      await mock.whenRequested(left + 2);
      waiting.close(http2.constants.NGHTTP2_CANCEL);
      await mock.whenAborted(left + 2);
    }
    await mock.whenIdle();
    expect(mock.openConnections).toBe(0);
    client.destroy();
    server.close();
    await once(server, 'close');
  });

  it('asks for nothing where a stream of HTTP/2 has closed already', async () => {
    const piped = new EventEmitter();
    const done = once(piped, 'now');
    const server = http2.createServer((_request, response) => {
      response.once('close', () => {
        const readable = answer();
        readable.pipe(response);
        readable.once('close', () => piped.emit('now'));
      });
      response.write('a');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const reading = client.request({ ':path': '/' });
    await once(reading, 'data');
    reading.close(http2.constants.NGHTTP2_CANCEL);
    await done;
    expect(mock.requests).toHaveLength(0);
    client.destroy();
    server.close();
    await once(server, 'close');
  });

  it('through a transform: pipeline() aborts the turn at once, pipe() at stallTimeout', async () => {
    let ended = 0;
    const source = new Observable<string>((subscriber) => {
      const writing = setInterval(() => subscriber.next('#'.repeat(65_536)), 0);
      return () => {
        clearInterval(writing);
        ended += 1;
      };
    });
    const transform = () => new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
    const direct = nodeReadableFrom(source);
    pipeline(direct, transform(), sink().destroy(), () => undefined);
    await once(direct, 'close').catch(() => undefined);
    ended = 0;
    const stalled = nodeReadableFrom(source, { stallTimeout: 50 });
    const response = sink();
    const between = transform();
    stalled.pipe(between).pipe(response);
    response.destroy();
    await once(response, 'close');
    expect([between.destroyed, stalled.destroyed]).toEqual([false, false]);
    while (ended === 0) await tick();
    between.destroy();
    await once(stalled, 'close');
  });

  it('is not aborted by a response that it was unpiped from', async () => {
    let unsubscribed = 0;
    const source = concat(of('a'), new Observable<string>(() => () => (unsubscribed += 1)));
    const readable = nodeReadableFrom(concat(source, NEVER));
    const response = sink();
    readable.pipe(response);
    while (response.written.length === 0) await tick();
    readable.unpipe(response);
    response.destroy();
    await once(response, 'close');
    await tick();
    expect(unsubscribed).toBe(0);
    const other = sink();
    readable.pipe(other);
    other.destroy();
    await once(readable, 'close');
    expect(unsubscribed).toBe(1);
  });
});
