import type { Observable, ObservableInput } from 'rxjs';

/** An entry of a turn's log. Its `id` is `<epoch>-<seq>`: entries are in the order of epochs, then of seqs. */
export interface LogEntry {
  readonly id: string;
  readonly data: string;
}

/**
 * The store of shared turns, with one log per turn id. Implemented by `memoryLog()`, `tabsLog()` and
 * `redisLog()`.
 *
 * A log has one writer at a time, the one with the highest epoch; the log refuses every other.
 *
 * Each method may return a promise or an Observable. An error means that the log cannot be reached now; an
 * error of `read()` is final.
 */
export interface TurnLog {
  /**
   * Begins an epoch: appends its first entry and returns `true`, or `false` if there is an entry of this or a
   * later epoch. This alone decides who runs a turn.
   *
   * @param keep - how long to keep the log from now on, in milliseconds
   */
  claim(id: string, first: LogEntry, keep: number): ObservableInput<boolean>;
  /**
   * Appends an entry, whose id is higher than the previous one. Returns `true`, also if the entry is already
   * there because the reply was lost; `false` if a later epoch has begun.
   *
   * @param keep - if given, how long to keep the log from now on, in milliseconds
   */
  append(id: string, entry: LogEntry, keep?: number): ObservableInput<boolean>;
  /**
   * The entries after an id (`''`: from the start). The first list has all present entries, and may be empty;
   * later lists have new ones. An empty list is emitted each time there is nothing new, at least every second,
   * and nothing while the log cannot be reached. An error is final: a lack of permission, or an entry that
   * cannot be decoded. It does not complete by itself.
   *
   * A log may lose entries. The reader notices from the ids and fails with an `IncompleteLogError`. Entries
   * appended after a loss are kept, for readers that have the earlier ones.
   */
  read(id: string, after: string): Observable<readonly LogEntry[]>;
  /** Leaves a message for the current or a later runner of the turn. */
  tell(id: string, message: string): ObservableInput<unknown>;
  /** The messages of `tell()`, in lists as with `read()`. */
  told(id: string): Observable<readonly string[]>;
  /** Releases connections and timers. */
  close(): ObservableInput<unknown>;
}
