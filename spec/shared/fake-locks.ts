import type { LocksLike } from '../../src/shared/index.js';

interface Request {
  readonly mode: 'exclusive' | 'shared';
  readonly grant: () => void;
}

/** The Web Locks of one origin: for Node before 24, and with tabs that are closed. */
export class FakeLocks {
  readonly #held = new Map<string, Request[]>();
  readonly #waiting = new Map<string, Request[]>();

  /** What one tab sees as `navigator.locks`, and its end. */
  tab(): { readonly locks: LocksLike; close(): void } {
    const closers = new Set<() => void>();
    let isClosed = false;
    return {
      locks: {
        request: (name, { mode = 'exclusive', signal }, granted) =>
          new Promise((resolve, reject) => {
            if (isClosed) return;
            const request: Request = {
              mode,
              grant: () => {
                const release = (): void => this.#remove(this.#held, name, request);
                closers.delete(takeBack);
                closers.add(release);
                void granted().then((value) => {
                  closers.delete(release);
                  release();
                  resolve(value);
                }, reject);
              },
            };
            const takeBack = (): void => this.#remove(this.#waiting, name, request);
            closers.add(takeBack);
            signal?.addEventListener('abort', () => {
              if (!closers.delete(takeBack)) return;
              takeBack();
              reject(new DOMException('The request was aborted.', 'AbortError'));
            });
            this.#listOf(this.#waiting, name).push(request);
            this.#serve(name);
          }),
        query: () =>
          Promise.resolve({
            held: [...this.#held].flatMap(([name, held]) => held.map(({ mode }) => ({ name, mode }))),
          }),
      },
      close() {
        isClosed = true;
        for (const close of closers) close();
      },
    };
  }

  /** Names of locks that are held or waited for. */
  get names(): readonly string[] {
    return [...this.#held, ...this.#waiting].flatMap(([name, list]) => list.map(() => name));
  }

  #listOf(all: Map<string, Request[]>, name: string): Request[] {
    const list = all.get(name) ?? [];
    all.set(name, list);
    return list;
  }

  #remove(all: Map<string, Request[]>, name: string, request: Request): void {
    const list = this.#listOf(all, name);
    if (list.includes(request)) list.splice(list.indexOf(request), 1);
    this.#serve(name);
  }

  #serve(name: string): void {
    const held = this.#listOf(this.#held, name);
    const waiting = this.#listOf(this.#waiting, name);
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (held.some(({ mode }) => mode === 'exclusive' || next?.mode === 'exclusive')) return;
      waiting.shift();
      held.push(next);
      queueMicrotask(next.grant);
    }
  }
}
