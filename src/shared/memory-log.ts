import { asyncScheduler, EMPTY, Observable, of, type SchedulerLike, type Subscription } from 'rxjs';
import { clampDelay } from '../flow/timers.js';
import { comesAfter, isAfter, readId } from './entry-id.js';
import type { LogEntry, TurnLog } from './turn-log.js';

/** How often a reader is told that there is nothing new, in milliseconds. */
const quiet = 1_000;

interface Kept {
  readonly entries: LogEntry[];
  readonly messages: string[];
  readonly wake: Set<() => void>;
  expiry: Subscription | undefined;
}

/**
 * Turns in the memory of one process: for development, for tests, and where there is one instance only.
 *
 * @param options - `scheduler`, for the time that turns are kept; default `asyncScheduler`
 */
export function memoryLog(options: { readonly scheduler?: SchedulerLike | undefined } = {}): TurnLog {
  const { scheduler = asyncScheduler } = options;
  const turns = new Map<string, Kept>();

  function turnOf(id: string): Kept {
    const turn = turns.get(id) ?? { entries: [], messages: [], wake: new Set(), expiry: undefined };
    turns.set(id, turn);
    return turn;
  }

  function keepFor(id: string, turn: Kept, keep: number | undefined): void {
    if (keep === undefined) return;
    turn.expiry?.unsubscribe();
    turn.expiry = undefined;
    if (keep !== Infinity) turn.expiry = scheduler.schedule(() => turns.delete(id), clampDelay(keep));
  }

  const wakeAll = (turn: Kept): void => {
    for (const wake of [...turn.wake]) wake();
  };

  /** What there is, then what is added, and at least every second what there is anew: perhaps nothing. */
  const listen = <T>(id: string, next: (turn: Kept | undefined) => readonly T[]): Observable<readonly T[]> =>
    new Observable((subscriber) => {
      let turn: Kept | undefined;
      let waiting: Subscription | undefined;
      const wake = (): void => {
        // Expired or begun meanwhile.
        const now = turns.get(id);
        if (now !== turn) {
          turn?.wake.delete(wake);
          now?.wake.add(wake);
          turn = now;
        }
        waiting?.unsubscribe();
        waiting = scheduler.schedule(wake, quiet);
        subscriber.next(next(turn));
      };
      wake();
      return () => {
        turn?.wake.delete(wake);
        waiting?.unsubscribe();
      };
    });

  return {
    claim(id, first, keep) {
      const turn = turnOf(id);
      const last = turn.entries.at(-1);
      if (last !== undefined && epochOf(last) >= epochOf(first)) return of(false);
      turn.entries.push(first);
      keepFor(id, turn, keep);
      wakeAll(turn);
      return of(true);
    },
    append(id, entry, keep) {
      const turn = turns.get(id);
      const last = turn?.entries.at(-1);
      if (turn === undefined || last === undefined || epochOf(last) !== epochOf(entry)) return of(false);
      if (comesAfter(entry.id, last.id)) {
        turn.entries.push(entry);
        wakeAll(turn);
      }
      keepFor(id, turn, keep);
      return of(true);
    },
    read(id, after) {
      let last = after;
      return listen(id, (turn) => {
        const added = entriesAfter(turn?.entries ?? [], last);
        last = added.at(-1)?.id ?? last;
        return added;
      });
    },
    tell(id, message) {
      const turn = turns.get(id);
      turn?.messages.push(message);
      if (turn !== undefined) wakeAll(turn);
      return EMPTY;
    },
    told(id) {
      let given = 0;
      return listen(id, (turn) => {
        const added = turn?.messages.slice(given) ?? [];
        given += added.length;
        return added;
      });
    },
    close() {
      for (const turn of turns.values()) turn.expiry?.unsubscribe();
      turns.clear();
      return EMPTY;
    },
  };
}

const epochOf = ({ id }: LogEntry): number => readId(id)?.epoch ?? 0;

/** From the end: a reader that keeps up has few to go. */
function entriesAfter(entries: readonly LogEntry[], after: string): readonly LogEntry[] {
  const before = readId(after);
  if (before === undefined) return entries.slice();
  let at = entries.length;
  while (at > 0) {
    const id = readId(entries[at - 1]?.id ?? '');
    if (id !== undefined && !isAfter(id, before)) break;
    at -= 1;
  }
  return entries.slice(at);
}
