import type { Writable } from 'node:stream';

/** A stream that may be a terminal. */
export type MaybeTerminal<T> = T & {
  readonly isTTY?: boolean | undefined;
  /** How many characters stand in one of its lines. */
  readonly columns?: number | undefined;
};

/** A stream that is written to at the pace of whoever reads it. */
export interface Outlet {
  /** Why nothing more can be written: `EPIPE` where the reader has left. */
  readonly failure: NodeJS.ErrnoException | undefined;
  /** Settles when more may be written, or when nothing more can be. */
  write(text: string): Promise<void>;
  /** Settles when everything written has left the process, or cannot. */
  flush(): Promise<void>;
}

/**
 * @param stop - releases whoever waits for a reader that does not read
 * @param onFailure - told once
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
