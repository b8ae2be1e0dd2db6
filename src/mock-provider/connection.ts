import type { ServerResponse } from 'node:http';
import { clampDelay } from '../flow/timers.js';
import type { Cut } from './mock-answer.js';

/** One answer on its way to the client. Nothing here rejects: every wait ends when the client disconnects. */
export interface Connection {
  /** Whether the client is still there, and was not cut off. */
  readonly isOpen: boolean;
  /** Resolves when the bytes are handed to the network, so a slow client slows the script down. */
  write(bytes: Uint8Array): Promise<void>;
  /** The same on the raw connection, bypassing HTTP. */
  writeByHand(bytes: Uint8Array): Promise<void>;
  /** `Infinity`: until the client disconnects. */
  sleep(milliseconds: number): Promise<void>;
  /** The outcome of a promise, or `undefined` if the client disconnects first or the promise rejects. */
  settled<T>(promise: Promise<T>): Promise<T | undefined>;
  cut(by: Cut): void;
  end(): void;
}

/** @param onLeft - called if the client disconnects before the body begins or ends */
export function connectionOf(response: ServerResponse, onLeft: () => void): Connection {
  let isOpen = true;
  let isCut = false;
  let wake: () => void = () => {};

  response.once('close', () => {
    isOpen = false;
    if (!isCut && !response.writableFinished) onLeft();
    wake();
  });
  // A write to a disconnected client fails here as well as in its callback.
  response.on('error', () => {});

  const suspend = (start: (resume: () => void) => void) =>
    new Promise<void>((resolve) => {
      wake = resolve;
      if (isOpen) start(resolve);
      else resolve();
    });

  return {
    get isOpen() {
      return isOpen;
    },
    // Most writes finish at once: without an event loop turn between them, a client in the same
    // process would see many as one read.
    write: (bytes) => suspend((resume) => response.write(bytes, () => setImmediate(resume))),
    writeByHand: (bytes) =>
      suspend((resume) => response.socket?.write(bytes, () => setImmediate(resume)) ?? resume()),
    async sleep(milliseconds) {
      if (milliseconds <= 0) return;
      let timer: NodeJS.Timeout | undefined;
      await suspend((resume) => {
        if (milliseconds !== Infinity) timer = setTimeout(resume, clampDelay(milliseconds));
      });
      clearTimeout(timer);
    },
    async settled<T>(promise: Promise<T>) {
      let outcome: T | undefined;
      await suspend((resume) => {
        promise.then(
          (value) => {
            outcome = value;
            resume();
          },
          () => resume(),
        );
      });
      return outcome;
    },
    cut(by) {
      isCut = true;
      isOpen = false;
      const { socket } = response;
      if (by === 'reset' && socket !== null) {
        // Node would end the stream normally first, and the client would see that instead.
        socket._final = (ended) => ended();
        socket.resetAndDestroy();
      } else socket?.destroy();
    },
    end: () => response.end(),
  };
}
