import { asyncScheduler, EMPTY, Observable, of, type SchedulerLike, type Subscription } from 'rxjs';
import { inBackground } from '../flow/timers.js';
import { comesAfter, isAfter, readId } from './entry-id.js';
import type { LogEntry, TurnLog } from './turn-log.js';

/** How often a reader is told that there is nothing new, in milliseconds. */
const quiet = 1_000;

interface Kept {
  readonly entries: LogEntry[];
  /** One of each. */
  readonly messages: Set<string>;
  expiry: Subscription | undefined;
}

/** Called for a new entry, and with each message. */
type Listener = (message?: string) => void;

/**
 * Turns in the memory of one process: for development, for tests, and where there is one instance only.
 *
 * @param options - `scheduler`, for the time that turns are kept; default `asyncScheduler`
 */
export function memoryLog(options: { readonly scheduler?: SchedulerLike | undefined } = {}): TurnLog {
  const { scheduler = asyncScheduler } = options;
  // What is kept keeps no process alive.
  const background = inBackground(scheduler);
  const turns = new Map<string, Kept>();
  const listeners = new Map<string, Set<Listener>>();

  function turnOf(id: string): Kept {
    const turn = turns.get(id) ?? { entries: [], messages: new Set(), expiry: undefined };
    turns.set(id, turn);
    return turn;
  }

  /** Whoever listens may come before the turn does, and outlive it. */
  function listen(id: string, listener: Listener): () => void {
    const all = listeners.get(id) ?? new Set();
    listeners.set(id, all.add(listener));
    return () => {
      all.delete(listener);
      if (all.size === 0) listeners.delete(id);
    };
  }

  function announce(id: string, message?: string): void {
    for (const listener of [...(listeners.get(id) ?? [])]) listener(message);
  }

  function keepFor(id: string, turn: Kept, keep: number | undefined): void {
    if (keep === undefined) return;
    turn.expiry?.unsubscribe();
    turn.expiry = undefined;
    if (keep !== Infinity) turn.expiry = background.schedule(() => turns.delete(id), keep);
  }

  /** What there is, then what is added, and at least every second what there is anew: perhaps nothing. */
  const lists = <T>(id: string, lister: () => (message?: string) => readonly T[]): Observable<readonly T[]> =>
    new Observable((subscriber) => {
      const next = lister();
      let waiting: Subscription | undefined;
      const look = (message?: string): void => {
        waiting?.unsubscribe();
        waiting = scheduler.schedule(() => look(), quiet);
        subscriber.next(next(message));
      };
      const leave = listen(id, look);
      look();
      return () => {
        leave();
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
      announce(id);
      return of(true);
    },
    append(id, entry, keep) {
      const turn = turns.get(id);
      const last = turn?.entries.at(-1);
      if (turn === undefined || last === undefined || epochOf(last) !== epochOf(entry)) return of(false);
      if (comesAfter(entry.id, last.id)) {
        turn.entries.push(entry);
        announce(id);
      }
      keepFor(id, turn, keep);
      return of(true);
    },
    read: (id, after) =>
      lists(id, () => {
        let last = after;
        return () => {
          const added = entriesAfter(turns.get(id)?.entries ?? [], last);
          last = added.at(-1)?.id ?? last;
          return added;
        };
      }),
    tell(id, message) {
      const turn = turns.get(id);
      if (turn === undefined) return EMPTY;
      turn.messages.add(message);
      announce(id, message);
      return EMPTY;
    },
    told: (id) =>
      lists(id, () => {
        let isFirst = true;
        return (message) => {
          const all = isFirst ? [...(turns.get(id)?.messages ?? [])] : message === undefined ? [] : [message];
          isFirst = false;
          return all;
        };
      }),
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
