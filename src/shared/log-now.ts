import { map, type Observable, take } from 'rxjs';
import { IncompleteLogError } from './errors.js';
import { entriesAfter, type LogPart } from './log-parts.js';
import type { TurnLog } from './turn-log.js';

/** Everything logged of a turn so far. Errors with an {@link IncompleteLogError} if part of it is missing. */
export const logNow = (log: TurnLog, id: string): Observable<readonly LogPart[]> =>
  log.read(id, '').pipe(
    take(1),
    map((entries) => {
      const { parts, isWhole } = entriesAfter(entries, '');
      if (!isWhole) throw new IncompleteLogError();
      return parts;
    }),
  );
