import type { Writable } from 'node:stream';

/** A stream that may be a terminal. */
export type MaybeTerminal<T> = T & {
  readonly isTTY?: boolean | undefined;
  /** The number of characters in a line. */
  readonly columns?: number | undefined;
};

/** An output stream that is written at its reader's pace. */
export interface Outlet {
  /** Why nothing more can be written: `EPIPE` if the reader has left. */
  readonly failure: NodeJS.ErrnoException | undefined;
  /** Resolves when more may be written, or when nothing more can be. */
  write(text: string): Promise<void>;
  /** Resolves when everything written has left the process, or cannot. */
  flush(): Promise<void>;
}

/**
 * @param stop - ends the wait for a reader that does not read
 * @param onFailure - called once
 */
export function outlet(stream: Writable, stop: AbortSignal, onFailure?: () => void): Outlet {
  let failure: NodeJS.ErrnoException | undefined;
  let release: () => void = () => {};

  stream.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= error;
    onFailure?.();
    release();
  });
  stream.on('drain', () => release());
  stop.addEventListener('abort', () => release());

  const suspend = (start: (resume: () => void) => boolean) =>
    new Promise<void>((resolve) => {
      release = resolve;
      if (failure !== undefined || start(resolve) || stop.aborted) resolve();
    });

  return {
    get failure() {
      return failure;
    },
    write: (text) => suspend(() => stream.write(text)),
    flush: () =>
      suspend((resume) => {
        stream.write('', () => resume());
        return false;
      }),
  };
}
