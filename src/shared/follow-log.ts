import {
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  interval,
  map,
  merge,
  type Observable,
  of,
  type SchedulerLike,
  takeWhile,
  throwError,
} from 'rxjs';
import { comesAfter, readId } from './entry-id.js';
import { IncompleteLogError, UnknownTurnError } from './errors.js';
import { logNow } from './log-now.js';
import { endsTurn, entriesAfter, joined, type LogPart } from './log-parts.js';
import type { LogEntry, TurnLog } from './turn-log.js';

/**
 * A part; or `lapsed`: nobody has written anything for too long, although the log could be read; or `unwritten`: the
 * position is in an epoch that this log has not reached.
 */
export type Followed = LogPart | { readonly type: 'lapsed' | 'unwritten'; readonly id: string };

export interface FollowOptions {
  readonly after: string;
  /** Milliseconds of silence until the runner counts as dead, in steps of 1,000. */
  readonly lapse: number;
  readonly scheduler: SchedulerLike;
}

/** How often silence is checked, in milliseconds. A readable log emits at least as often. */
const step = 1_000;
/** After this many steps without an emission, the log counts as unreadable. */
const longestGap = 3;

/**
 * Reads a turn's log from a position: existing parts at once, with pieces of one text joined, then new ones. Completes
 * after the part that ended the turn, and after `lapsed` and `unwritten`. Errors of the log's `read()` are passed on.
 *
 * Only silence of a readable log counts, measured with timers alone: no runner counts as dead because the log is
 * unreachable for a minute, or a clock is a minute off.
 */
export function followLog(log: TurnLog, id: string, options: FollowOptions): Observable<Followed> {
  const { after, lapse, scheduler } = options;
  return defer(() => {
    let last = after;
    let silence = 0;
    let gap = 0;
    let isFirst = true;

    function added(entries: readonly LogEntry[]): Observable<Followed> {
      gap = 0;
      const wasFirst = isFirst;
      isFirst = false;
      if (entries.length === 0) return wasFirst ? placed(log, id, last) : EMPTY;
      silence = 0;
      const { parts, place, isWhole } = entriesAfter(entries, last);
      last = place;
      const known = from(wasFirst ? joined(parts) : parts);
      return isWhole
        ? known
        : concat(
            known,
            throwError(() => new IncompleteLogError()),
          );
    }

    function passed(): Observable<Followed> {
      gap += 1;
      silence = gap > longestGap ? 0 : silence + step;
      return silence >= lapse && gap <= 1 ? of({ type: 'lapsed', id: last } as const) : EMPTY;
    }

    const entries = log.read(id, last).pipe(map((list) => () => added(list)));
    return merge(entries, interval(step, scheduler).pipe(map(() => passed))).pipe(
      concatMap((next) => next()),
      takeWhile(({ type }) => !ends.has(type), true),
    );
  });
}

const ends: ReadonlySet<Followed['type']> = new Set(['end', 'error', 'left', 'lapsed', 'unwritten']);

/** A reader that has caught up: with a running turn, a finished turn, or none. */
const placed = (log: TurnLog, id: string, after: string): Observable<Followed> =>
  logNow(log, id).pipe(
    concatMap((parts): Observable<Followed> => {
      const last = readId(parts.at(-1)?.id ?? '');
      if (last === undefined) return throwError(() => new UnknownTurnError());
      if ((readId(after)?.epoch ?? 0) > last.epoch) return of({ type: 'unwritten', id: after });
      const ending = parts.find(endsTurn);
      return ending === undefined || comesAfter(ending.id, after) ? EMPTY : of(ending);
    }),
  );
