import { concatMap, defer, EMPTY, from, type Observable, of, take, takeWhile, throwError } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { monotonicClock } from '../flow/monotonic-clock.js';
import { UnknownTurnError } from './errors.js';
import { joined, type LogPart, partsOf } from './log-parts.js';
import type { TurnLog } from './turn-log.js';

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
        const parts = entries.flatMap(partsOf);
        last = parts.at(-1)?.id ?? last;
        const wasFirst = isFirst;
        isFirst = false;
        if (wasFirst && entries.length === 0) return known(log, id);
        if (entries.length === 0)
          return now - silentSince >= lapse ? of({ type: 'lapsed' as const, id: last }) : EMPTY;
        return from(wasFirst ? joined(parts) : parts);
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
    concatMap((entries) => of(entries.flatMap(partsOf))),
  );
