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

/** The longest that a read waits, and so how often a follower is told that there is nothing new, in milliseconds. */
const longestRead = 1_000;
/** How many entries of each stream one read gives. */
const batch = '1000';

export interface LiveReadsOptions {
  /** A connection for the reads that wait; subscribing again opens another. */
  readonly connection: Observable<RedisCommands>;
  /** Sends a command and waits for its reply, for so many milliseconds beyond those that the command itself takes. */
  readonly ask: (client: RedisCommands, args: string[], takes?: number) => Observable<unknown>;
  /** Sends a command on the connection that does not wait. */
  readonly tell: (args: string[]) => void;
  /** The stream that ends a read which waits. */
  readonly wakeKey: string;
  readonly scheduler: SchedulerLike;
}

interface Follower {
  readonly key: string;
  /** The id of the last entry that it has. */
  position: string;
  /** The reads since this one have asked for it. */
  readonly since: number;
  next(entries: readonly StreamEntry[]): void;
  error(error: unknown): void;
}

/** What is added to streams, for all who follow one: a single connection, and a single read at a time. */
export interface LiveReads {
  /** The entries after an id as they come, and an empty list each time there were none for a second. */
  follow(key: string, after: string): Observable<readonly StreamEntry[]>;
  /** How many follow. */
  readonly size: number;
  /** Closes the connection. */
  close(error: unknown): void;
}

/**
 * One `XREAD BLOCK` over all streams that are followed and one stream more, the wake-up stream: an entry in it ends the
 * read, so that the next one has the follower that has just come. It would wait for a second otherwise.
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

  /** One read: it asks for each stream from where the follower that is furthest behind stands. */
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
            // Nobody follows: the connection stays, for the next who does.
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
