import { lastValueFrom, Observable, Subject } from 'rxjs';

/** The part of the Web Locks API (`navigator.locks`) that is used. */
export interface LocksLike {
  request(
    name: string,
    options: { readonly mode?: 'exclusive' | 'shared'; readonly signal?: AbortSignal },
    granted: () => Promise<unknown>,
  ): Promise<unknown>;
  query(): Promise<{
    readonly held?: readonly { readonly name?: string; readonly mode?: string }[];
  }>;
}

/**
 * Subscribes to `work` when the lock is granted, and releases it when that ends or is unsubscribed from.
 *
 * ```
 * request   ----------granted
 * work                --a--b|
 *           ------------a--b|      then released
 * ```
 */
export const withLock = <T>(
  locks: LocksLike,
  name: string,
  mode: 'exclusive' | 'shared',
  work: Observable<T>,
): Observable<T> =>
  new Observable((subscriber) => {
    const waiting = new AbortController();
    const held = new Subject<never>();
    subscriber.add(() => {
      waiting.abort();
      held.complete();
    });
    locks
      .request(name, { mode, signal: waiting.signal }, () => {
        if (!subscriber.closed) work.subscribe(subscriber);
        return lastValueFrom(held, { defaultValue: undefined });
      })
      // The rejection of a cancelled request arrives when nobody listens any more.
      .catch((error: unknown) => subscriber.error(error));
  });
