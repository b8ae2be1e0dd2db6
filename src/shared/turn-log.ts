import type { Observable, ObservableInput } from 'rxjs';

/** An entry of a turn's log. Its `id` is `<epoch>-<seq>`: entries are in the order of epochs, then of seqs. */
export interface LogEntry {
  readonly id: string;
  readonly data: string;
}

/**
 * Where turns are written down for others to follow: one log for each turn, by the turn's id. The seam between shared
 * turns and a store: `memoryLog()`, `tabsLog()`, `redisLog()`.
 *
 * A log has one writer at a time. Whoever has the highest epoch is it, and the log itself refuses every other.
 *
 * Each method may return a promise or an Observable. An error means that the log cannot be reached now; one of
 * `read()` is final.
 */
export interface TurnLog {
  /**
   * Begins an epoch: appends its first entry, and says `true`; `false` where an entry of this epoch or of a later one is
   * there. Nothing else decides who runs a turn.
   *
   * @param keep - milliseconds for which the log is kept from now on
   */
  claim(id: string, first: LogEntry, keep: number): ObservableInput<boolean>;
  /**
   * Appends an entry, whose id is higher than that of the entry before. Says `true`, for an entry too that is there
   * already because it was appended and the reply was lost; `false` where a later epoch has begun.
   *
   * @param keep - where given, milliseconds for which the log is kept from now on
   */
  append(id: string, entry: LogEntry, keep?: number): ObservableInput<boolean>;
  /**
   * The entries after an id (`''`: from the start). The first list holds all that are there, and may be empty; then
   * come lists of new ones, and an empty list each time the log was asked and had nothing new, at least every second.
   * While the log cannot be reached it emits nothing. An error is final, and the reader's: of rights, or of an entry that
   * cannot be decoded. It does not complete by itself.
   *
   * A log may have lost entries, the first ones or others: the ids say so to the reader, which then fails with an
   * `IncompleteLogError`. An entry that the writer appends after a loss is kept, for readers that have what came before.
   */
  read(id: string, after: string): Observable<readonly LogEntry[]>;
  /** Leaves a message for whoever runs the turn, now or later. */
  tell(id: string, message: string): ObservableInput<unknown>;
  /** The messages of `tell()`, in lists as with `read()`. */
  told(id: string): Observable<readonly string[]>;
  /** Releases what the log holds: connections, timers. */
  close(): ObservableInput<unknown>;
}
