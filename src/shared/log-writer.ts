import {
  defaultIfEmpty,
  from,
  type Observable,
  retry,
  type SchedulerLike,
  Subject,
  type Subscription,
  take,
} from 'rxjs';
import { monotonicClock } from '../flow/monotonic-clock.js';
import { timerOf } from '../flow/timers.js';
import { idText } from './entry-id.js';
import { end, entryData } from './log-parts.js';
import type { TurnLog } from './turn-log.js';

export interface LogWriterOptions {
  readonly log: TurnLog;
  readonly id: string;
  readonly epoch: number;
  /** How long the log is kept, in milliseconds. */
  readonly ttl: number;
  /** How often that is said anew, in milliseconds. */
  readonly heartbeat: number;
  /** How many characters may wait. */
  readonly maxWaiting: number;
  readonly scheduler: SchedulerLike;
}

/** Writes the parts of one epoch, in order, at the pace of the log. */
export interface LogWriter {
  /** Adds a part, and says which place it has. Never waits. */
  write(part: string): string;
  /** Milliseconds since something was last written. */
  idleFor(): number;
  /** Nothing comes any more: what waits is written, for a minute at most. */
  finish(): void;
  /** Completes when all is written, or the log takes no more of it: it has a later epoch, or too much waits. */
  readonly written: Observable<never>;
  /** Emits where the log has a later epoch: another instance runs the turn. */
  readonly superseded: Observable<void>;
}

/** The most that one entry holds, in characters. */
const longestEntry = 65_536;
/** How long what is left is offered to a log that cannot be reached, in milliseconds. */
const lastTry = 60_000;
const longestWait = 2_000;

/**
 * What comes while an entry is being written goes in the next one: the slower the log, the fewer and larger its entries,
 * and the turn is never held up.
 */
export function logWriter(options: LogWriterOptions): LogWriter {
  const { log, id, epoch, ttl, scheduler } = options;
  const clock = monotonicClock(scheduler);
  const written = new Subject<never>();
  const superseded = new Subject<void>();
  let waiting: string[] = [];
  let waitingLength = 0;
  let seq = 0;
  let writtenSeq = 0;
  let writtenAt = clock.now();
  let finishedAt: number | undefined;
  let isClosed = false;
  let writing: Subscription | undefined;

  function close(): void {
    isClosed = true;
    waiting = [];
    writing?.unsubscribe();
    written.complete();
  }

  function flush(): void {
    while (writing === undefined && !isClosed && waiting.length > 0) send(nextParts());
    if (finishedAt !== undefined && writing === undefined && waiting.length === 0) close();
  }

  function nextParts(): readonly string[] {
    let length = 0;
    const most = waiting.findIndex((part) => (length += part.length) > longestEntry);
    return waiting.splice(0, most === -1 ? waiting.length : Math.max(most, 1));
  }

  function send(parts: readonly string[]): void {
    for (const part of parts) waitingLength -= part.length;
    writtenSeq += parts.length;
    const entry = { id: idText({ epoch, seq: writtenSeq }), data: entryData(parts) };
    const keep = idleFor() >= options.heartbeat || parts.at(-1) === end ? ttl : undefined;
    writtenAt = clock.now();
    let isAccepted = true;
    let isDone = false;
    // The same entry again where it failed: a log that has it says so.
    const appended = from(log.append(id, entry, keep)).pipe(
      take(1),
      defaultIfEmpty(true),
      retry({ delay: nextTry }),
    );
    const subscription = appended.subscribe({
      next: (accepted) => (isAccepted = accepted),
      error: close,
      complete() {
        isDone = true;
        writing = undefined;
        if (isAccepted) {
          flush();
          return;
        }
        close();
        superseded.next();
      },
    });
    if (!isDone) writing = subscription;
  }

  function nextTry(error: unknown, attempt: number): Observable<unknown> {
    if (finishedAt !== undefined && clock.now() - finishedAt >= lastTry) throw error;
    return timerOf(Math.min(50 * 2 ** (attempt - 1), longestWait), scheduler);
  }

  const idleFor = (): number => clock.now() - writtenAt;

  return {
    write(part) {
      seq += 1;
      if (!isClosed) {
        waiting.push(part);
        waitingLength += part.length;
        // Nothing that the log does may fill the memory.
        if (waitingLength > options.maxWaiting) close();
        else if (writing === undefined) flush();
      }
      return idText({ epoch, seq });
    },
    idleFor,
    finish() {
      finishedAt = clock.now();
      flush();
    },
    written,
    superseded,
  };
}
