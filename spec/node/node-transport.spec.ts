import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import * as zlib from 'node:zlib';
import { lastValueFrom, Observable, Subject, toArray } from 'rxjs';
import {
  ChatCompletionsError,
  fetchTransport,
  type HttpRequest,
  StreamError,
  streamChatCompletions,
  type Transport,
  UnexpectedStatusError,
} from '../../src/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { chunksOf, turnOf } from '../../src/testing/index.js';

/** A server that answers each connection's first bytes by hand. */
async function answering(answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.once('data', () => answer(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

const head = (...headers: readonly string[]) =>
  ['HTTP/1.1 200 OK', 'content-type: text/event-stream', ...headers, '', ''].join('\r\n');

/** What a body gave: its bytes, and how it ended. */
interface Read {
  readonly bytes: Buffer;
  readonly end: string;
}

/** Reads a body to its end; `onSize` is told how much there is, first of all of the headers. */
function read(
  transport: Transport,
  request: Pick<HttpRequest, 'url' | 'demand'>,
  onSize: (size: number) => void = () => {},
): Promise<Read> {
  return new Promise((resolve) => {
    const pieces: Uint8Array[] = [];
    let size = 0;
    const ended = (end: string) => resolve({ bytes: Buffer.concat(pieces), end });
    transport({ method: 'POST', headers: {}, body: '{}', ...request }).subscribe({
      next: ({ body }) => {
        body.subscribe({
          next: (bytes) => {
            pieces.push(bytes);
            onSize((size += bytes.byteLength));
          },
          error: (error: unknown) => ended(error instanceof Error ? `${error.name}: ${error.message}` : '?'),
          complete: () => ended('complete'),
        });
        onSize(0);
      },
      error: (error: unknown) => ended(String(error)),
    });
  });
}

const text = chunksOf(turnOf('Hel', 'lo')).join('');

describe('nodeTransport', () => {
  describe('where a body ends with its connection', () => {
    /** What is read of a body that is cut at an offset, once all before it has been read. */
    async function cutAt(offset: number, cut: (socket: Socket) => void, transport: Transport): Promise<Read> {
      let socket: Socket | undefined;
      const server = await answering((accepted) => {
        socket = accepted;
        socket.write(head() + text.slice(0, offset));
      });
      const got = await read(transport, { url: server.url }, (size) => {
        // The reader waits for more by then: what is reset under its hands may end in order, whoever reads.
        if (size === offset && socket !== undefined) setImmediate(cut, socket);
      });
      await server.close();
      return got;
    }

    const offsets = Array.from({ length: text.length + 1 }, (_, offset) => offset);

    it('fails with a StreamError when it is reset, at each offset', async () => {
      const transport = nodeTransport();
      for (const offset of offsets) {
        const { bytes, end } = await cutAt(offset, (socket) => socket.resetAndDestroy(), transport);
        expect([offset, bytes.toString(), end]).toEqual([
          offset,
          text.slice(0, offset),
          'StreamError: The event stream broke off (ECONNRESET).',
        ]);
      }
    });

    it('completes when it ends in order', async () => {
      const transport = nodeTransport();
      for (const offset of [0, 7, text.length]) {
        expect(await cutAt(offset, (socket) => socket.end(), transport)).toEqual({
          bytes: Buffer.from(text.slice(0, offset)),
          end: 'complete',
        });
      }
    });

    it('global fetch tells no reset from an end: its body completes', async () => {
      for (const offset of [7, text.length]) {
        const { end } = await cutAt(offset, (socket) => socket.resetAndDestroy(), fetchTransport());
        expect(end).toBe('complete');
      }
    });

    it('completes a body whose length is known, reset after it', async () => {
      const server = await answering((socket) => {
        socket.write(head(`content-length: ${text.length}`) + text, () => socket.resetAndDestroy());
      });
      const { demand, give } = givenDemand();
      const got = read(nodeTransport(), { url: server.url, demand }, give);
      expect((await got).end).toBe('complete');
      await server.close();
    });
  });

  describe('reads a body that is', () => {
    const encoded = async (encoding: string, body: Uint8Array, status = '200 OK') => {
      const server = await answering((socket) => {
        socket.end(
          Buffer.concat([
            Buffer.from(
              head(`content-encoding: ${encoding}`, `content-length: ${body.length}`).replace(
                '200 OK',
                status,
              ),
            ),
            body,
          ]),
        );
      });
      return server;
    };
    const readEncoded = async (encoding: string, body: Uint8Array) => {
      const server = await encoded(encoding, body);
      const got = await read(nodeTransport(), { url: server.url });
      await server.close();
      return { text: got.bytes.toString(), end: got.end };
    };
    const whole = { text, end: 'complete' };

    it.each<[string, (body: string) => Uint8Array]>([
      ['gzip', zlib.gzipSync],
      ['x-gzip', zlib.gzipSync],
      ['GZIP', zlib.gzipSync],
      ['gzip, identity', zlib.gzipSync],
      ['deflate', zlib.deflateSync],
      ['deflate', zlib.deflateRawSync],
      ['br', zlib.brotliCompressSync],
      ['identity', (body) => Buffer.from(body)],
      ['utf-8', (body) => Buffer.from(body)],
      ['', (body) => Buffer.from(body)],
    ])('%s', async (encoding, encode) => {
      expect(await readEncoded(encoding, encode(text))).toEqual(whole);
    });

    const unknown =
      'StreamError: Unsupported Content-Encoding: use one of gzip, deflate, br and zstd (Node 22.15), or none.';

    it('zstd, where Node can', async () => {
      const { zstdCompressSync } = zlib as { readonly zstdCompressSync?: (body: string) => Uint8Array };
      const body = zstdCompressSync?.(text) ?? Buffer.from(text);
      expect(await readEncoded('zstd', body)).toEqual(
        zstdCompressSync === undefined ? { text: '', end: unknown } : whole,
      );
    });

    it.each(['x-none', 'compress', 'gzip, gzip', 'gzip, br', 'gzip, x-none', '__proto__'])(
      '%s, with an error and nothing of it',
      async (encoding) => {
        expect(await readEncoded(encoding, zlib.gzipSync(text))).toEqual({ text: '', end: unknown });
      },
    );

    it('deflate, whose first byte comes by itself', async () => {
      for (const encode of [zlib.deflateSync, zlib.deflateRawSync]) {
        const body = encode(text);
        const server = await answering((socket) => {
          socket.write(head('content-encoding: deflate', `content-length: ${body.length}`));
          setImmediate(() => {
            socket.write(body.subarray(0, 1));
            setImmediate(() => socket.write(body.subarray(1)));
          });
        });
        const got = await read(nodeTransport(), { url: server.url });
        expect({ text: got.bytes.toString(), end: got.end }).toEqual(whole);
        await server.close();
      }
    });

    it.each(['deflate', 'gzip', 'br'])('%s and breaks, with an error wherever it does', async (encoding) => {
      const { deflateRawSync, gzipSync, brotliCompressSync } = zlib;
      const encode = { deflate: deflateRawSync, gzip: gzipSync, br: brotliCompressSync }[encoding]!;
      const body = encode(text);
      for (const offset of [0, 1, 20]) {
        const server = await answering((socket) => {
          const headers = head(`content-encoding: ${encoding}`, `content-length: ${body.length}`);
          socket.end(Buffer.concat([Buffer.from(headers), body.subarray(0, offset)]));
        });
        expect((await read(nodeTransport(), { url: server.url })).end).toMatch(/^StreamError/);
        await server.close();
      }
    });

    it('an error of the provider, in an encoding that is not known, with its status', async () => {
      const server = await encoded('x-none', Buffer.from('{}'), '400 Bad Request');
      const turn = streamChatCompletions('Hi', {
        model: 'm',
        provider: { name: 'p', baseUrl: server.url },
        transport: nodeTransport(),
      });
      await expect(lastValueFrom(turn)).rejects.toBeInstanceOf(UnexpectedStatusError);
      await server.close();
    });
  });

  it('unpacks a body no faster than it is read, and no more than one read at a time', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const server = await answering((socket) => {
      const headers = head('content-encoding: gzip', `content-length: ${bomb.length}`);
      socket.write(Buffer.concat([Buffer.from(headers), bomb]));
    });
    const sizes: number[] = [];
    let asked = 0;
    const body = new Observable<Uint8Array>((subscriber) =>
      nodeTransport()({
        url: server.url,
        method: 'POST',
        headers: {},
        body: '{}',
        demand: () =>
          new Observable((wanted) => {
            asked += 1;
            if (asked < 20) setImmediate(() => wanted.next(undefined));
            else subscriber.complete();
          }),
      }).subscribe((response) => subscriber.add(response.body.subscribe(subscriber))),
    );
    for (const { byteLength } of await lastValueFrom(body.pipe(toArray()))) sizes.push(byteLength);
    expect(sizes).toHaveLength(20);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * 1024);
    await server.close();
  });

  it('a turn over a body that unpacks to more than maxEventSize fails with a StreamError', async () => {
    const bomb = zlib.gzipSync(Buffer.concat([Buffer.from('data: '), Buffer.alloc(4 * 1024 * 1024, 'x')]));
    const server = await answering((socket) => {
      const headers = head('content-encoding: gzip', `content-length: ${bomb.length}`);
      socket.write(Buffer.concat([Buffer.from(headers), bomb]));
    });
    const turn = streamChatCompletions('Hi', {
      model: 'm',
      provider: { name: 'p', baseUrl: server.url },
      transport: nodeTransport(),
      maxEventSize: 64 * 1024,
    });
    const failure = await lastValueFrom(turn).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StreamError);
    expect((failure as ChatCompletionsError).message).toContain('maxEventSize');
    await server.close();
  });
});

/** A demand that is answered once the reader has been told of a read. */
function givenDemand() {
  const wanted = new Subject<void>();
  return { demand: () => wanted, give: () => setImmediate(() => wanted.next()) };
}
