import { map, type Observable, take } from 'rxjs';
import { type LogPart, partsOf } from './log-parts.js';
import type { TurnLog } from './turn-log.js';

/** All that is written of a turn now. */
export const logNow = (log: TurnLog, id: string): Observable<readonly LogPart[]> =>
  log.read(id, '').pipe(
    take(1),
    map((entries) => entries.flatMap(partsOf)),
  );
