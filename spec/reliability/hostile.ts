import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { fetch as crossFetch } from 'cross-fetch';
import { map, tap, VirtualTimeScheduler } from 'rxjs';
import {
  type ChatOptions,
  fetchTransport,
  type ResponseEvent,
  streamChatCompletions,
  type Transport,
} from '../../src/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { heldMemory } from '../support/heap.js';

export const MiB = 1024 * 1024;

/** What the kernel holds of a connection that nobody reads, with room to spare. */
export const inTheKernel = 16 * MiB;

/** The most that one read hands over, with room to spare. */
export const oneRead = MiB;

export const prompt = 'prompt-3Vd8sKq1';
export const key = 'sk-hostile-7Lw2pXn5';

export const transports: readonly (readonly [name: string, open: () => Transport])[] = [
  ['global fetch', () => fetchTransport()],
  ['cross-fetch', () => fetchTransport({ fetch: crossFetch })],
  ['nodeTransport', () => nodeTransport()],
];

/** What stands on the wire; the next piece is asked for when the last one was handed to the network. */
export type Wire = Iterable<string | Uint8Array>;

/** A server on a bare socket, which reads each request whole and then writes what it likes. */
export interface HostileServer {
  readonly baseUrl: string;
  /** The requests as they came, headers and body. */
  readonly requests: readonly string[];
  /** Bytes handed to the network so far. */
  readonly sent: number;
  /** Settles when a wire was written to its end. */
  readonly written: Promise<void>;
  /** Settles when no connection with a request on it is open. */
  whenClosed(): Promise<void>;
  close(): Promise<void>;
}

/** After its wire, a connection stays open until the client ends it. */
export async function hostileServer(wire: (request: number) => Wire): Promise<HostileServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const asked = new Set<Socket>();
  let sent = 0;
  let onWritten = () => {};
  const written = new Promise<void>((resolve) => (onWritten = resolve));

  async function play(socket: Socket): Promise<void> {
    for (const piece of wire(requests.length - 1)) {
      if (socket.destroyed) return;
      sent += Buffer.byteLength(piece);
      await new Promise<void>((resolve) => {
        socket.once('close', resolve);
        socket.write(piece, () => {
          socket.off('close', resolve);
          // A client in the same process reads between two writes.
          setImmediate(resolve);
        });
      });
    }
    onWritten();
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      sockets.delete(socket);
      asked.delete(socket);
    });
    let request = '';
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
      const head = request.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
      if (request.length < head + 4 + length) return;
      requests.push(request);
      request = '';
      asked.add(socket);
      void play(socket);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    written,
    get sent() {
      return sent;
    },
    async whenClosed() {
      // By its own listener: `once` of node:events rejects where the client resets the connection.
      for (const socket of asked) await new Promise<void>((resolve) => void socket.once('close', resolve));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

/** What became of a turn. */
export interface Outcome {
  /** `completed`, or the name of the error. */
  readonly ending: string;
  readonly error: unknown;
  readonly events: readonly ResponseEvent[];
  /** Bytes of the body, unpacked, that the turn read. */
  readonly read: number;
  /** Bytes that the server handed to the network. */
  readonly sent: number;
  readonly requests: readonly string[];
  /** Bytes more than before the turn, after a collection of garbage, when the turn was over; 0 where not measured. */
  readonly kept: number;
}

export interface Attack {
  /** Runs out each timer that is set: at once when the wire is written, or as events and answers come. */
  readonly passTime?: 'when written' | 'at the answer' | 'at the first text';
  readonly options?: Partial<ChatOptions>;
  /** Whether `kept` is found out, at the price of two collections of garbage. */
  readonly measures?: boolean;
  /** Called with each event, before time passes. */
  readonly onEvent?: (event: ResponseEvent) => void;
}

/** Runs one turn against a server, on virtual time, until its connections are closed. */
export async function attack(
  transport: Transport,
  wire: (request: number) => Wire,
  { passTime, options = {}, measures = false, onEvent }: Attack = {},
): Promise<Outcome> {
  const server = await hostileServer(wire);
  const timers = new VirtualTimeScheduler();
  const events: ResponseEvent[] = [];
  let read = 0;
  let error: unknown;
  const counted: Transport = (request) =>
    transport(request).pipe(
      map((response) => ({
        ...response,
        body: response.body.pipe(tap((bytes) => (read += bytes.byteLength))),
      })),
    );
  const before = measures ? heldMemory() : 0;
  try {
    const ending = await new Promise<string>((resolve) => {
      if (passTime === 'when written') void server.written.then(() => timers.flush());
      streamChatCompletions(prompt, {
        model: 'm',
        provider: { name: 'p', baseUrl: server.baseUrl, apiKey: key },
        transport: counted,
        scheduler: timers,
        retry: { maxRetries: 0 },
        diagnostics: ({ type }) => {
          if (type === 'response' && passTime === 'at the answer') setImmediate(() => timers.flush());
          // The wait before a retry.
          if (type === 'retry') setImmediate(() => timers.flush());
        },
        ...options,
      }).subscribe({
        next: (event) => {
          events.push(event);
          onEvent?.(event);
          if (passTime === 'at the first text') setImmediate(() => timers.flush());
        },
        error: (reason: unknown) => {
          error = reason;
          resolve(reason instanceof Error ? reason.name : String(reason));
        },
        complete: () => resolve('completed'),
      });
    });
    // What is read on after `[DONE]` has its grace.
    timers.flush();
    await server.whenClosed();
    const kept = measures ? await keptMemory(before) : 0;
    return { ending, error, events, read, sent: server.sent, requests: server.requests, kept };
  } finally {
    await server.close();
  }
}

/** What of it stays: what is finalized in one round is collected in the next. */
async function keptMemory(before: number): Promise<number> {
  let kept = Infinity;
  for (let round = 0; round < 20 && kept > MiB; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    kept = Math.min(kept, heldMemory() - before);
  }
  return kept;
}

/** The head of an answer that goes on until the connection ends. */
export function head(headers: Readonly<Record<string, string>> = {}, status = '200 OK'): string {
  const lines = Object.entries({ 'content-type': 'text/event-stream', connection: 'close', ...headers });
  return `HTTP/1.1 ${status}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

export function* repeated<T>(piece: T, times = Infinity): Generator<T> {
  for (let count = 0; count < times; count += 1) yield piece;
}

/** `start`, then `piece` so often that it is `size` bytes, as gzip: one small member again and again. */
export function bomb(start: string, piece: string, size: number): Uint8Array {
  const unit = piece.repeat(Math.ceil((4 * MiB) / piece.length));
  const member = gzipSync(unit, { level: 9 });
  return Buffer.concat([gzipSync(start), ...repeated(member, Math.ceil(size / unit.length))]);
}
