import {
  defer,
  map,
  Observable,
  of,
  repeat,
  retry,
  type SchedulerLike,
  Subject,
  type Subscription,
  switchMap,
  take,
  tap,
  throwError,
} from 'rxjs';
import { monotonicClock } from '../flow/monotonic-clock.js';
import { timerOf } from '../flow/timers.js';
import { pause } from './pause.js';
import type { RedisCommands } from './redis-client.js';
import { isPassing } from './redis-log-error.js';
import { isAfter, start, type StreamEntry, streamsOf } from './stream-entries.js';

/** How long a read waits at most, and so how often a follower hears that there is nothing new, in milliseconds. */
const longestRead = 1_000;
/** How many entries one read returns for each stream. */
const batch = '1000';

export interface LiveReadsOptions {
  /** A connection for blocking reads; subscribing again opens another. */
  readonly connection: Observable<RedisCommands>;
  /** Sends a command and waits for its reply, for this many milliseconds beyond the command's own blocking time. */
  readonly ask: (client: RedisCommands, args: string[], takes?: number) => Observable<unknown>;
  /** Sends a command on the non-blocking connection. */
  readonly tell: (args: string[]) => void;
  /** The stream that wakes a blocking read. */
  readonly wakeKey: string;
  readonly scheduler: SchedulerLike;
}

interface Follower {
  readonly key: string;
  /** The id of the last entry it has received. */
  position: string;
  /** Reads from this one on have included it. */
  readonly since: number;
  next(entries: readonly StreamEntry[]): void;
  error(error: unknown): void;
}

/** New stream entries for all followers, over a single connection and with one read at a time. */
export interface LiveReads {
  /** The entries after an id as they arrive, and an empty list after each second without any. */
  follow(key: string, after: string): Observable<readonly StreamEntry[]>;
  /** The number of followers. */
  readonly size: number;
  /** Closes the connection. */
  close(error: unknown): void;
}

/**
 * One `XREAD BLOCK` over all followed streams plus a wake-up stream: an entry in that stream ends the read, so that the
 * next one includes a new follower. The follower would otherwise wait for up to a second.
 */
export function liveReads(options: LiveReadsOptions): LiveReads {
  const { ask, tell, wakeKey, scheduler } = options;
  const clock = monotonicClock(scheduler);
  const followers = new Map<string, Set<Follower>>();
  const joined = new Subject<void>();
  let size = 0;
  let round = 0;
  let reading: 'not' | 'waits' | 'is woken' = 'not';
  let wakes = 0;
  let sweptAt = clock.now();
  let running: Subscription | undefined;

  const all = (): readonly Follower[] => [...followers.values()].flatMap((set) => [...set]);

  /** One read: for each stream, it starts at the follower that is furthest behind. */
  const read = (client: RedisCommands): Observable<unknown> =>
    defer(() => {
      round += 1;
      reading = 'waits';
      const asked = round;
      const from = new Map([...followers].map(([key, set]) => [key, lowest(set)]));
      const wait = Math.max(longestRead - (clock.now() - sweptAt), 1);
      return ask(
        client,
        [
          ...['XREAD', 'COUNT', batch, 'BLOCK', String(Math.ceil(wait)), 'STREAMS', wakeKey, ...from.keys()],
          ...[`${wakes}-0`, ...from.values()],
        ],
        wait,
      ).pipe(
        map(streamsOf),
        tap((streams) => {
          reading = 'not';
          deliver(streams, from, asked);
        }),
        tap({ error: () => (reading = 'not') }),
      );
    });

  function deliver(
    streams: ReadonlyMap<string, readonly StreamEntry[]>,
    from: ReadonlyMap<string, string>,
    asked: number,
  ): void {
    const isQuiet = streams.size === 0 || clock.now() - sweptAt >= longestRead;
    if (isQuiet) {
      sweptAt = clock.now();
      for (const follower of all())
        if (follower.since <= asked && !streams.has(follower.key)) follower.next([]);
    }
    for (const [key, entries] of streams) {
      const last = entries.at(-1)?.id;
      const first = from.get(key);
      if (last === undefined || first === undefined) continue;
      for (const follower of [...(followers.get(key) ?? [])]) {
        const { position, since } = follower;
        if (since > asked) continue;
        const isBehind = position === first;
        const added = isBehind ? entries : entries.filter(({ id }) => isAfter(id, position));
        if (added.length > 0) follower.position = last;
        follower.next(added);
      }
    }
  }

  function begin(): void {
    if (running?.closed === false) return;
    running = options.connection
      .pipe(
        switchMap((client) =>
          read(client).pipe(
            // Without followers, the connection stays open for the next one.
            repeat({ delay: () => (size > 0 ? of(0) : joined.pipe(take(1))) }),
          ),
        ),
        retry({
          delay: (error, attempt) =>
            isPassing(error) ? timerOf(pause(attempt), scheduler) : throwError(() => error as unknown),
          resetOnSuccess: true,
        }),
      )
      .subscribe({ error: (error: unknown) => close(error) });
  }

  function wake(): void {
    if (reading !== 'waits') return;
    reading = 'is woken';
    wakes += 1;
    tell(['XADD', wakeKey, 'MAXLEN', '1', `${wakes}-0`, 'w', '1']);
    tell(['PEXPIRE', wakeKey, '60000']);
  }

  function close(error: unknown): void {
    running?.unsubscribe();
    running = undefined;
    reading = 'not';
    for (const follower of all()) follower.error(error);
  }

  return {
    follow: (key, after) =>
      new Observable((subscriber) => {
        const follower: Follower = {
          key,
          position: after,
          since: round + 1,
          next: (entries) => subscriber.next(entries),
          error: (error) => subscriber.error(error),
        };
        const set = followers.get(key) ?? new Set();
        followers.set(key, set.add(follower));
        size += 1;
        subscriber.add(() => {
          size -= 1;
          set.delete(follower);
          if (set.size === 0 && followers.get(key) === set) followers.delete(key);
        });
        begin();
        joined.next();
        if (follower.since > round) wake();
      }),
    get size() {
      return size;
    },
    close,
  };
}

function lowest(followers: ReadonlySet<Follower>): string {
  let found: string | undefined;
  for (const { position } of followers) if (found === undefined || isAfter(found, position)) found = position;
  return found ?? start;
}
