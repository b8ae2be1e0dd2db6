import { Observable, type SchedulerLike, type Subscription } from 'rxjs';
import { inBackground } from '../flow/timers.js';
import { comesAfter, isAfter, readId } from './entry-id.js';
import type { LogEntry } from './turn-log.js';

/** How often a reader is told that there is nothing new, in milliseconds. */
const quiet = 1_000;

/** A stored turn. */
export interface KeptTurn {
  readonly entries: readonly LogEntry[];
  /** One of each. */
  readonly messages: ReadonlySet<string>;
  /** When it expires, in milliseconds of the scheduler's clock. */
  readonly until: number;
}

interface Kept extends KeptTurn {
  entries: LogEntry[];
  readonly messages: Set<string>;
  until: number;
  expiry: Subscription | undefined;
}

/** Called for a new entry, and with each message. */
type Listener = (message?: string) => void;

/** Turns in memory: makes the decisions of a `TurnLog` synchronously, for one process. */
export interface TurnStore {
  readonly get: (id: string) => KeptTurn | undefined;
  /** The stored turns. */
  readonly all: () => readonly (readonly [id: string, turn: KeptTurn])[];
  readonly claim: (id: string, first: LogEntry, keep: number) => boolean;
  readonly append: (id: string, entry: LogEntry, keep?: number) => boolean;
  /** Returns `false` if there is no such turn. */
  readonly tell: (id: string, message: string) => boolean;
  /** Replaces the turn's entries. */
  readonly replace: (id: string, entries: readonly LogEntry[], until: number) => void;
  /** Sets when a turn expires. */
  readonly keepUntil: (id: string, until: number) => void;
  readonly read: (id: string, after: string) => Observable<readonly LogEntry[]>;
  readonly told: (id: string) => Observable<readonly string[]>;
  readonly clear: () => void;
}

export function turnStore(scheduler: SchedulerLike): TurnStore {
  // Stored turns do not keep the process alive.
  const background = inBackground(scheduler);
  const turns = new Map<string, Kept>();
  const listeners = new Map<string, Set<Listener>>();

  function turnOf(id: string): Kept {
    const turn = turns.get(id) ?? { entries: [], messages: new Set(), until: Infinity, expiry: undefined };
    turns.set(id, turn);
    return turn;
  }

  /** A listener may subscribe before the turn exists, and outlive it. */
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

  function keepUntil(id: string, until: number): void {
    const turn = turns.get(id);
    if (turn === undefined) return;
    turn.expiry?.unsubscribe();
    turn.expiry = undefined;
    turn.until = until;
    if (until !== Infinity)
      turn.expiry = background.schedule(() => turns.delete(id), Math.max(until - scheduler.now(), 0));
  }

  function keepFor(id: string, keep: number | undefined): void {
    if (keep !== undefined) keepUntil(id, scheduler.now() + keep);
  }

  /** Existing entries, then new ones, with an emission at least every second: an empty list if nothing is new. */
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
    get: (id) => turns.get(id),
    all: () => [...turns],
    claim(id, first, keep) {
      const turn = turnOf(id);
      const last = turn.entries.at(-1);
      if (last !== undefined && epochOf(last) >= epochOf(first)) return false;
      turn.entries.push(first);
      keepFor(id, keep);
      announce(id);
      return true;
    },
    append(id, entry, keep) {
      const turn = turns.get(id);
      const last = turn?.entries.at(-1);
      if (turn === undefined || last === undefined || epochOf(last) !== epochOf(entry)) return false;
      const isNew = comesAfter(entry.id, last.id);
      if (isNew) turn.entries.push(entry);
      keepFor(id, keep);
      if (isNew) announce(id);
      return true;
    },
    tell(id, message) {
      const turn = turns.get(id);
      if (turn === undefined) return false;
      turn.messages.add(message);
      announce(id, message);
      return true;
    },
    replace(id, entries, until) {
      turnOf(id).entries = [...entries];
      keepUntil(id, until);
      announce(id);
    },
    keepUntil,
    read: (id, after) =>
      lists(id, () => {
        let last = after;
        return () => {
          const added = entriesAfter(turns.get(id)?.entries ?? [], last);
          last = added.at(-1)?.id ?? last;
          return added;
        };
      }),
    told: (id) =>
      lists(id, () => {
        let isFirst = true;
        return (message) => {
          const all = isFirst ? [...(turns.get(id)?.messages ?? [])] : message === undefined ? [] : [message];
          isFirst = false;
          return all;
        };
      }),
    clear() {
      for (const turn of turns.values()) turn.expiry?.unsubscribe();
      turns.clear();
    },
  };
}

/** The epoch of an entry; 0 if its id is invalid. */
export const epochOf = ({ id }: LogEntry): number => readId(id)?.epoch ?? 0;

/** Searches from the end, since a reader that keeps up needs only a few. */
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
