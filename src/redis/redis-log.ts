import {
  asyncScheduler,
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  finalize,
  ignoreElements,
  map,
  merge,
  type Observable,
  of,
  retry,
  type SchedulerLike,
  Subscription,
  throwError,
} from 'rxjs';
import { randomId } from '../flow/random-id.js';
import { checkLimit, timerOf } from '../flow/timers.js';
import type { LogEntry, TurnLog } from '../shared/turn-log.js';
import { readId } from '../shared/entry-id.js';
import { type LiveReads, liveReads } from './live-reads.js';
import { pause } from './pause.js';
import { command, given, notHigher, opened, type RedisClient, type RedisCommands } from './redis-client.js';
import { RedisLogError, isPassing } from './redis-log-error.js';
import { entriesOf, next, start, type StreamEntry } from './stream-entries.js';
import { pack, unpack } from './packed-text.js';

export interface RedisLogOptions {
  /** The prefix of the log's keys. Logs with different prefixes are independent. Default `turn:`. */
  readonly prefix?: string | undefined;
  /** A connection for blocking reads only. Default: one from `client.duplicate()`, opened when first needed. */
  readonly reader?: RedisCommands | undefined;
  /** Converts text before it is stored, for example to encrypt it. It returns text, such as Base64. */
  readonly encode?: ((text: string) => string) | undefined;
  /** The reverse of `encode`. If it throws, the reader errors. */
  readonly decode?: ((text: string) => string) | undefined;
  /**
   * About how many of a turn's last entries to keep; a reader that needs older ones gets an
   * `IncompleteLogError`. Default: all.
   */
  readonly maxLength?: number | undefined;
  /** How long to wait for a reply, in milliseconds, before Redis counts as unreachable. Default 2,000. */
  readonly commandTimeout?: number | undefined;
  /**
   * Whether Redis is a cluster, where one read cannot cover several slots. Then there is one connection for
   * each hash tag that is followed: one per turn, unless `prefix` has a hash tag. Default `false`.
   */
  readonly cluster?: boolean | undefined;
  /** Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** Turns in Redis. */
export interface RedisLog extends TurnLog {
  /** Deletes a turn. Stop a running turn first, or it would go on writing. */
  remove(id: string): Observable<never>;
}

/** About how many messages to a runner are kept, mostly heartbeats of followers. */
const messagesKept = '1000';
/** How many past entries one read returns. */
const batch = 1_000;
const textField = 'd';
const claimField = 'c';

/**
 * Stores turns in Redis Streams, for all instances that share it: one stream for a turn's entries, one for the
 * messages to its runner. Both expire together.
 *
 * ```
 * instance 1   XADD turn:{id} 1-0 ..   1-1   1-2   2-0: refused      Redis orders by `<epoch>-<seq>`, and decides
 * instance 2   XREAD BLOCK turn:{id}   1-1   1-2                     one connection for all that it follows
 * ```
 *
 * It needs Redis 6.2 or later.
 *
 * @example
 * ```ts
 * const client = await createClient().connect();
 * const turns = sharedTurns(redisLog(client));
 * ```
 *
 * @param client - a client of `@redis/client`, or any object that sends commands; see {@link RedisCommands} for
 * ioredis
 */
export function redisLog(client: RedisClient, options: RedisLogOptions = {}): RedisLog {
  const { prefix = 'turn:', reader, maxLength, commandTimeout = 2_000, cluster = false } = options;
  const { encode = same, decode = same, scheduler = asyncScheduler } = options;
  checkLimit('commandTimeout', commandTimeout);
  if (maxLength !== undefined) checkLimit('maxLength', maxLength);
  if (reader === undefined && client.duplicate === undefined)
    throw new TypeError('options.reader is required for a client without duplicate().');

  const instance = randomId();
  const live = new Map<string, LiveReads>();
  const background = new Subscription();
  const decoded = new WeakMap<StreamEntry, string>();
  const trimming = maxLength === undefined ? [] : ['MAXLEN', '~', String(Math.ceil(maxLength))];
  // A turn that was recreated because Redis lost it is kept for as long as the last one.
  let lastKeep = 3_600_000;

  const closed = (name: string): Observable<never> => throwError(() => new RedisLogError(name, 'CLOSED'));

  const ask = (to: RedisCommands, args: string[], takes = 0): Observable<unknown> =>
    command(to, args, commandTimeout + takes, scheduler);

  const send = (...args: string[]): Observable<unknown> =>
    defer(() => (background.closed ? closed(args[0] ?? '') : ask(client, args)));

  const whileNotReached = <T>(source: Observable<T>, most = Infinity): Observable<T> =>
    source.pipe(
      retry({
        count: most,
        delay: (error, attempt) =>
          isPassing(error) ? timerOf(pause(attempt), scheduler) : throwError(() => error as unknown),
      }),
    );

  /** Sends a command that nobody waits for. */
  function tellRedis(args: string[], attempts = 0): void {
    const sent = whileNotReached(send(...args), attempts)
      .pipe(
        catchError(() => EMPTY),
        finalize(() => background.remove(sent)),
      )
      .subscribe();
    if (!sent.closed) background.add(sent);
  }

  const keyOf = (id: string): string => `${prefix}{${isSafe(id) ? id : escaped(id)}}`;
  const toldKeyOf = (id: string): string => `${keyOf(id)}:told`;

  function keepFor(id: string, keep: number): void {
    lastKeep = keep;
    const limit = String(Math.min(Math.ceil(keep), Number.MAX_SAFE_INTEGER / 2));
    for (const key of [toldKeyOf(id), keyOf(id)])
      tellRedis(keep === Infinity ? ['PERSIST', key] : ['PEXPIRE', key, limit], 10);
  }

  const fields = (text: string): string[] => [textField, encode(pack(text))];

  function textOf(entry: StreamEntry): string {
    const known = decoded.get(entry);
    if (known !== undefined) return known;
    const text = unpack(decode(entry.fields.get(textField) ?? ''));
    decoded.set(entry, text);
    return text;
  }

  /** Appends an entry to a stream. */
  const add = (
    key: string,
    { id, data }: LogEntry,
    how: readonly string[],
    more: readonly string[] = [],
  ): Observable<'added' | 'refused' | 'gone'> =>
    defer(() => send('XADD', key, ...how, ...trimming, id, ...fields(data), ...more)).pipe(
      map((reply) => (reply === null || reply === undefined ? ('gone' as const) : ('added' as const))),
      catchError((error: unknown) =>
        error instanceof RedisLogError && error.code === notHigher
          ? of('refused' as const)
          : throwError(() => error),
      ),
    );

  const range = (key: string, from: string, to = '+', count = batch): Observable<readonly StreamEntry[]> =>
    send('XRANGE', key, from, to, 'COUNT', String(count)).pipe(map(entriesOf));

  /** All entries after an id, in reads of a thousand, so that no read blocks Redis for long. */
  const past = (
    key: string,
    after: string,
    found: readonly StreamEntry[] = [],
  ): Observable<readonly StreamEntry[]> =>
    whileNotReached(range(key, next(after))).pipe(
      concatMap((entries) => {
        const all = found.length === 0 ? entries : [...found, ...entries];
        return entries.length < batch ? of(all) : past(key, entries.at(-1)?.id ?? after, all);
      }),
    );

  /** New entries of a stream. In a cluster, streams with the same hash tag, and so the same slot, share a connection. */
  const added = (key: string, after: string): Observable<readonly StreamEntry[]> =>
    defer(() => {
      if (background.closed) return closed('XREAD');
      const group = cluster ? hashTag(key) : '';
      const reads = live.get(group) ?? liveReadsOf(key);
      live.set(group, reads);
      return reads.follow(key, after).pipe(
        finalize(() => {
          if (!cluster || reads.size > 0 || live.get(group) !== reads) return;
          live.delete(group);
          reads.close(undefined);
        }),
      );
    });

  const liveReadsOf = (key: string): LiveReads =>
    liveReads({
      connection: reader === undefined ? opened(client, scheduler) : given(reader),
      ask,
      tell: (args) => tellRedis(args),
      wakeKey: `${cluster ? `${key}:` : prefix}wake:${instance}`,
      scheduler,
    });

  /** Existing entries, then new ones. */
  const listen = <T>(key: string, after: string, read: (entry: StreamEntry) => T): Observable<readonly T[]> =>
    past(key, after).pipe(
      concatMap((entries) => concat(of(entries), added(key, entries.at(-1)?.id ?? after))),
      map((entries) => entries.map(read)),
    );

  return {
    claim(id, first, keep) {
      const key = keyOf(id);
      const claimed = randomId();
      return add(key, first, [], [claimField, claimed]).pipe(
        concatMap((result) =>
          result === 'added'
            ? of(true)
            : // A client that reconnects may resend a command that was executed but not answered.
              range(key, first.id, first.id, 1).pipe(
                map(([entry]) => entry?.fields.get(claimField) === claimed),
              ),
        ),
        map((isClaimed) => {
          if (isClaimed) keepFor(id, keep);
          return isClaimed;
        }),
      );
    },

    append(id, entry, keep) {
      const key = keyOf(id);
      return add(key, entry, ['NOMKSTREAM']).pipe(
        concatMap((result) => {
          if (result === 'added') {
            if (keep !== undefined) keepFor(id, keep);
            return of(true);
          }
          if (result === 'refused') return isLast(key, entry);
          // Redis has lost it. Followers have the earlier entries, and go on.
          return add(key, entry, []).pipe(
            concatMap((again) => {
              keepFor(id, keep ?? lastKeep);
              return again === 'added' ? of(true) : isLast(key, entry);
            }),
          );
        }),
      );
    },

    read: (id, after) =>
      listen(keyOf(id), readId(after) === undefined ? start : after, (entry) => ({
        id: entry.id,
        data: textOf(entry),
      })),

    tell(id, message) {
      const key = toldKeyOf(id);
      return send('PTTL', keyOf(id)).pipe(
        concatMap((reply) => {
          const left = Number(reply);
          // There is no such turn.
          if (left === -2) return EMPTY;
          const told = send('XADD', key, 'MAXLEN', '~', messagesKept, '*', ...fields(message));
          return left < 0 ? told : merge(told, send('PEXPIRE', key, String(Math.max(left, 1))));
        }),
        ignoreElements(),
      );
    },

    told: (id) => listen(toldKeyOf(id), start, textOf),

    remove: (id) => send('DEL', keyOf(id), toldKeyOf(id)).pipe(ignoreElements()),

    close: () =>
      defer(() => {
        background.unsubscribe();
        for (const reads of live.values()) reads.close(new RedisLogError('XREAD', 'CLOSED'));
        live.clear();
        return EMPTY;
      }),
  };

  /**
   * Whether an entry that was refused is there already. A writer appends one entry after the other, so that only the last
   * one can be its own; any other is that of a later epoch, or of somebody who has begun this one anew.
   */
  function isLast(key: string, { id, data }: LogEntry): Observable<boolean> {
    return send('XREVRANGE', key, '+', '-', 'COUNT', '1').pipe(
      map(entriesOf),
      map(([last]) => last?.id === id && textOf(last) === data),
    );
  }
}

/** The part of a key from which a cluster computes its slot. */
function hashTag(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key;
}

const same = (text: string): string => text;

const isSafe = (id: string): boolean => /^[\w.:~-]+$/.test(id);

/** Ids may be any text, but none may address another key, and a hash tag must not be empty. */
const escaped = (id: string): string =>
  id === ''
    ? '%'
    : id.replace(/[^\w.:~-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
