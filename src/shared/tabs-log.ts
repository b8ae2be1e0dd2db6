import {
  AsyncSubject,
  asyncScheduler,
  catchError,
  concat,
  concatMap,
  defer,
  distinct,
  EMPTY,
  filter,
  finalize,
  from,
  ignoreElements,
  merge,
  mergeMap,
  NEVER,
  Observable,
  of,
  type SchedulerLike,
  shareReplay,
  Subject,
  take,
  takeUntil,
} from 'rxjs';
import { randomId } from '../flow/random-id.js';
import { checkLimit, timerOf } from '../flow/timers.js';
import { comesAfter, idText, readId } from './entry-id.js';
import { endsTurn, entriesAfter, entryData, left } from './log-parts.js';
import { readTabMessage, type TabMessage } from './tab-messages.js';
import type { LogEntry, TurnLog } from './turn-log.js';
import { epochOf, type KeptTurn, turnStore } from './turn-store.js';
import { type LocksLike, withLock } from './with-lock.js';

/** The part of `BroadcastChannel` that is used. */
export interface ChannelLike {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
  unref?(): unknown;
}

export interface TabsLogOptions {
  /**
   * The prefix of the names of the channel and the locks. Logs with different prefixes are independent. Default
   * `turns:`.
   */
  readonly prefix?: string | undefined;
  /** How long to wait for an open tab's reply, in milliseconds, before deciding without it. Default 1,000. */
  readonly tabTimeout?: number | undefined;
  /** Default `navigator.locks`. */
  readonly locks?: LocksLike | undefined;
  /** Default `new BroadcastChannel(name)`. */
  readonly channel?: ((name: string) => ChannelLike) | undefined;
  /** Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Shares turns between the tabs of one browser: same origin, no server, no service worker.
 *
 * Each tab that runs or follows a turn has a copy of it, updated over a `BroadcastChannel`. A Web Lock decides
 * which tab runs a turn. A closed tab loses its locks: the others notice at once, and one of them takes over.
 * The turn is lost when the last tab with a copy is closed.
 *
 * ```
 * tab 1   run     --Hel--lo--✝ (closed)
 * tab 2   run       (Hel)lo--r--Hello--(completed|)     r: restarting
 * tab 3   follow        (Hello)r--Hello--(completed|)
 * ```
 *
 * All scripts of the origin can read the turns. Throws a `TypeError` if the platform lacks Web Locks (browsers
 * provide them only on HTTPS and localhost) or `BroadcastChannel`, and the option is not set.
 *
 * @example
 * ```ts
 * const turns = sharedTurns(tabsLog());
 * turns.run(id, () => streamChatCompletions(question, options)).pipe(toState()).subscribe(show);
 * ```
 */
export function tabsLog(options: TabsLogOptions = {}): TurnLog {
  const { prefix = 'turns:', tabTimeout = 1_000, scheduler = asyncScheduler } = options;
  // The platform reserves lock names that begin like this.
  if (typeof prefix !== 'string' || prefix.startsWith('-'))
    throw new TypeError('options.prefix must be a string that does not begin with "-".');
  checkLimit('tabTimeout', tabTimeout);
  const { locks = platformLocks(), channel: openChannel = platformChannel() } = options;
  const tab = randomId();
  const store = turnStore(scheduler);
  /** The tab that began a turn's last epoch. */
  const writers = new WeakMap<KeptTurn, string>();
  /** Turns that another tab may have claimed: then this one no longer decides alone what is appended. */
  const contested = new WeakSet<KeptTurn>();
  /** The number of readers of a turn in this tab. */
  const readers = new Map<string, number>();
  const copies = new Subject<TabMessage & { type: 'copy' }>();
  const writersSeen = new Subject<string>();
  const closed = new AsyncSubject<undefined>();
  let channel: ChannelLike | undefined;
  let asks = 0;

  const tabLocks = `${prefix}tab `;
  const inTurn = <T>(id: string, work: Observable<T>): Observable<T> =>
    withLock(locks, `${prefix}turn ${id}`, 'exclusive', work);

  /** Emits when a tab has closed, which frees its lock. */
  const gone = (other: string): Observable<string> => withLock(locks, tabLocks + other, 'shared', of(other));

  /** Participates until the log is closed. */
  const membership = new Observable<undefined>((subscriber) => {
    const opened = openChannel(prefix);
    channel = opened;
    // Node has channels too: do not keep the process alive.
    opened.unref?.();
    opened.addEventListener('message', ({ data }) => {
      const message = readTabMessage(data);
      if (message !== undefined && channel === opened) receive(message);
    });
    subscriber.add(() => {
      channel = undefined;
      opened.close();
    });
    merge(writersGone, withLock(locks, tabLocks + tab, 'exclusive', concat(of(undefined), NEVER)))
      .pipe(takeUntil(closed))
      .subscribe(subscriber);
  });
  const joined = membership.pipe(shareReplay({ bufferSize: 1, refCount: false }));

  const lastOf = (id: string): string => store.get(id)?.entries.at(-1)?.id ?? '';

  const post = (message: TabMessage): void => channel?.postMessage(message);

  const ask = (id: string, epoch: number): void =>
    post({ type: 'ask', id, from: tab, ask: asks, last: lastOf(id), epoch });

  /** Completes when each open tab has sent its entries of a turn. */
  const gathered = (id: string, epoch = 0): Observable<never> =>
    joined.pipe(
      take(1),
      mergeMap(() => locks.query()),
      mergeMap(({ held = [] }) => {
        asks += 1;
        const own = asks;
        const answers = held
          .filter(({ mode }) => mode === 'exclusive')
          .map(({ name = '' }) => name)
          .filter((name) => name.startsWith(tabLocks) && name !== tabLocks + tab)
          .map((name) => name.slice(tabLocks.length))
          .map((other) =>
            merge(copies.pipe(filter((copy) => copy.ask === own && copy.from === other)), gone(other)).pipe(
              take(1),
            ),
          );
        return merge(
          ...answers,
          defer(() => (ask(id, epoch), EMPTY)),
        ).pipe(takeUntil(timerOf(tabTimeout, scheduler)));
      }),
      ignoreElements(),
      takeUntil(closed),
    );

  function writtenBy(id: string, writer: string): void {
    const turn = store.get(id);
    if (turn === undefined) return;
    writers.set(turn, writer);
    if (writer !== tab) writersSeen.next(writer);
  }

  /** Writes an entry here and tells the other tabs. */
  function write(id: string, entry: LogEntry, keep: number | undefined, isFirst = false): boolean {
    const before = lastOf(id);
    if (!(isFirst ? store.claim(id, entry, keep ?? Infinity) : store.append(id, entry, keep))) return false;
    if (isFirst) writtenBy(id, tab);
    const turn = store.get(id);
    if (turn !== undefined) {
      contested.delete(turn);
      const writer = writers.get(turn) ?? tab;
      post({ type: 'entry', id, entry, before, until: turn.until, writer });
    }
    return true;
  }

  function receive(message: TabMessage): void {
    switch (message.type) {
      case 'entry':
        received(message);
        break;
      case 'tell':
        store.tell(message.id, message.message);
        break;
      case 'ask':
        answer(message);
        break;
      case 'copy':
        if (message.to !== tab) return;
        adopt(message);
        copies.next(message);
    }
  }

  function received({ id, entry, before, until, writer }: TabMessage & { type: 'entry' }): void {
    const turn = store.get(id);
    if (turn === undefined && !readers.has(id)) return;
    const last = lastOf(id);
    // Written again, because the reply was lost or to keep the turn longer.
    if (entry.id === last) store.keepUntil(id, until);
    if (!comesAfter(entry.id, last)) return;
    // If the copy has a gap, request the whole turn.
    if (before !== last) {
      ask(id, 0);
      return;
    }
    if (!store.append(id, entry)) store.claim(id, entry, Infinity);
    store.keepUntil(id, until);
    writtenBy(id, writer);
  }

  function answer({ id, from: to, ask: asked, last, epoch }: TabMessage & { type: 'ask' }): void {
    const turn = store.get(id);
    const own = turn?.entries.at(-1);
    if (turn !== undefined && own !== undefined && epoch > epochOf(own)) contested.add(turn);
    post({
      type: 'copy',
      id,
      from: tab,
      to,
      ask: asked,
      entries: turn !== undefined && own !== undefined && comesAfter(own.id, last) ? turn.entries : [],
      messages: [...(turn?.messages ?? [])],
      until: turn?.until ?? 0,
      writer: (turn && writers.get(turn)) ?? '',
    });
  }

  /** The log that goes further is right: it does not have late entries of an earlier epoch. */
  function adopt({ id, entries, messages, until, writer }: TabMessage & { type: 'copy' }): void {
    const last = entries.at(-1);
    if (last !== undefined && comesAfter(last.id, lastOf(id)) && until > scheduler.now()) {
      store.replace(id, entries, until);
      writtenBy(id, writer);
    }
    const known = store.get(id)?.messages;
    for (const message of messages) if (known?.has(message) === false) store.tell(id, message);
  }

  /** Gives up the turn on behalf of a closed tab, so that others take over without waiting for its silence. */
  const leftBy = (writer: string): Observable<never> =>
    from(store.all().filter(([, turn]) => writers.get(turn) === writer)).pipe(
      mergeMap(([id]) =>
        inTurn(
          id,
          concat(
            gathered(id),
            defer(() => {
              const turn = store.get(id);
              const place = readId(lastOf(id));
              if (turn === undefined || place === undefined) return EMPTY;
              if (writers.get(turn) === writer && isGoingOn(turn)) {
                const entry = { id: idText({ ...place, seq: place.seq + 1 }), data: entryData([left]) };
                write(id, entry, undefined);
              }
              return EMPTY;
            }),
          ),
        ),
      ),
      ignoreElements(),
    );

  const writersGone = writersSeen.pipe(
    distinct(),
    mergeMap((writer) =>
      gone(writer).pipe(
        concatMap(leftBy),
        // Otherwise its silence tells.
        catchError(() => EMPTY),
      ),
    ),
  );

  /** Reads the entries of all tabs, and keeps a copy from then on. */
  const reading = <T>(id: string, source: Observable<readonly T[]>): Observable<readonly T[]> =>
    defer(() => {
      readers.set(id, (readers.get(id) ?? 0) + 1);
      return concat(gathered(id), source).pipe(
        finalize(() => {
          const others = (readers.get(id) ?? 1) - 1;
          if (others === 0) readers.delete(id);
          else readers.set(id, others);
        }),
      );
    });

  return {
    claim: (id, first, keep) =>
      inTurn(
        id,
        concat(
          gathered(id, epochOf(first)),
          defer(() => of(write(id, first, keep, true))),
        ),
      ),
    append: (id, entry, keep) =>
      defer(() => {
        const appended = defer(() => of(write(id, entry, keep)));
        const turn = store.get(id);
        if (turn === undefined || !contested.has(turn)) return appended;
        // The tab that wanted to claim it has done so, or has closed.
        return inTurn(id, concat(gathered(id), appended));
      }),
    read: (id, after) => reading(id, store.read(id, after)),
    tell: (id, message) =>
      concat(
        defer(() => (store.get(id) === undefined ? gathered(id) : EMPTY)),
        defer(() => {
          if (store.tell(id, message)) post({ type: 'tell', id, message });
          return EMPTY;
        }),
      ),
    told: (id) => reading(id, store.told(id)),
    close: () =>
      defer(() => {
        closed.next(undefined);
        closed.complete();
        store.clear();
        return EMPTY;
      }),
  };
}

/** Whether there is no sign that the last runner has ended the turn or given it up. */
function isGoingOn({ entries }: KeptTurn): boolean {
  const { parts } = entriesAfter(entries, '');
  return parts.at(-1)?.type !== 'left' && !parts.some(endsTurn);
}

function platformLocks(): LocksLike {
  const { navigator } = globalThis as { readonly navigator?: { readonly locks?: LocksLike } };
  if (navigator?.locks === undefined)
    throw new TypeError(
      'tabsLog() needs Web Locks (navigator.locks), which browsers provide only on HTTPS and localhost. Set options.locks.',
    );
  return navigator.locks;
}

function platformChannel(): (name: string) => ChannelLike {
  if (typeof BroadcastChannel !== 'function')
    throw new TypeError('tabsLog() needs BroadcastChannel, which this platform lacks. Set options.channel.');
  return (name) => new BroadcastChannel(name);
}
