import {
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  map,
  type Observable,
  of,
  take,
  takeWhile,
  throwError,
} from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { monotonicClock } from '../flow/monotonic-clock.js';
import { comesAfter } from './entry-id.js';
import { IncompleteLogError, UnknownTurnError } from './errors.js';
import { isNext, joined, type LogPart, partsOf } from './log-parts.js';
import type { LogEntry, TurnLog } from './turn-log.js';

/** Nobody has written anything for so long, although the log could be read: `lapsed`. */
export type Followed = LogPart | { readonly type: 'lapsed'; readonly id: string };

export interface FollowOptions {
  readonly after: string;
  /** Milliseconds of silence until the runner is taken for dead. */
  readonly lapse: number;
  readonly scheduler: SchedulerLike;
}

/** Reads come every second, even if there is nothing new. After a gap, the log could not be read. */
const longestGap = 2_500;

/**
 * Reads a turn's log from a place on: what there is at once, pieces of one text joined, then what is added. Completes
 * after the part that ended the turn, and after `lapsed`.
 *
 * Only silence of a log that could be read counts, on this machine's own clock: a log that is gone for a minute, or a
 * clock that is wrong by one, makes nobody dead.
 */
export function followLog(log: TurnLog, id: string, options: FollowOptions): Observable<Followed> {
  const { after, lapse } = options;
  return defer(() => {
    const clock = monotonicClock(options.scheduler);
    let last = after;
    let readAt = clock.now();
    let silentSince = readAt;
    let isFirst = true;
    return log.read(id, after).pipe(
      concatMap((entries): Observable<Followed> => {
        const now = clock.now();
        if (entries.length > 0 || now - readAt > longestGap) silentSince = now;
        readAt = now;
        const added = entriesAfter(entries, last);
        last = added.last;
        const wasFirst = isFirst;
        isFirst = false;
        if (wasFirst && entries.length === 0) return known(log, id);
        if (entries.length === 0)
          return now - silentSince >= lapse ? of({ type: 'lapsed' as const, id: last }) : EMPTY;
        const parts = from(wasFirst ? joined(added.parts) : added.parts);
        return added.isWhole
          ? parts
          : concat(
              parts,
              throwError(() => new IncompleteLogError()),
            );
      }),
      takeWhile(({ type }) => type !== 'end' && type !== 'error' && type !== 'lapsed', true),
    );
  });
}

/** Whether there is a turn at all: a reader may have all of it, and more than was written. */
const known = (log: TurnLog, id: string): Observable<never> =>
  log.read(id, '').pipe(
    take(1),
    concatMap((entries) => (entries.length === 0 ? throwError(() => new UnknownTurnError()) : EMPTY)),
  );

/** All that is written now. */
export const logNow = (log: TurnLog, id: string): Observable<readonly LogPart[]> =>
  log.read(id, '').pipe(
    take(1),
    map((entries) => {
      const { parts, isWhole } = entriesAfter(entries, '');
      // Whoever asks has read some of it: where there is nothing now, it was lost.
      if (!isWhole || parts.length === 0) throw new IncompleteLogError();
      return parts;
    }),
  );

/** The parts after a place, up to where entries are missing. A reader may have stopped in the middle of an entry. */
function entriesAfter(
  entries: readonly LogEntry[],
  after: string,
): { readonly parts: readonly LogPart[]; readonly last: string; readonly isWhole: boolean } {
  const parts: LogPart[] = [];
  let last = after;
  for (const entry of entries) {
    if (!isNext(entry, last)) return { parts, last, isWhole: false };
    for (const part of partsOf(entry)) if (comesAfter(part.id, after)) parts.push(part);
    last = entry.id;
  }
  return { parts, last, isWhole: true };
}
