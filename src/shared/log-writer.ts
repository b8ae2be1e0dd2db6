import {
  AsyncSubject,
  defaultIfEmpty,
  defer,
  filter,
  from,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  retry,
  type SchedulerLike,
  Subject,
  Subscription,
  take,
  timeout,
} from 'rxjs';
import { randomId } from '../flow/random-id.js';
import { inBackground, timerOf } from '../flow/timers.js';
import { idText, readId } from './entry-id.js';
import { logNow } from './log-now.js';
import { begunBy, end, entryData, heartbeat } from './log-parts.js';
import type { TurnLog } from './turn-log.js';

export interface LogWriterOptions {
  readonly log: TurnLog;
  readonly id: string;
  readonly epoch: number;
  /** How long the log is kept, in milliseconds. */
  readonly ttl: number;
  /** How many characters may wait. */
  readonly maxWaiting: number;
  readonly scheduler: SchedulerLike;
}

/** Writes the parts of one epoch, in order, at the pace of the log. */
export interface LogWriter {
  /** Claims the epoch, for as long as it takes the log to answer. */
  open(): void;
  /** Adds a part, and says which place it has: one of epoch 0 until the epoch is claimed. Never waits. */
  write(part: string): string;
  /** Adds the end of a turn. What follows in the same moment is in the same entry: the end of the log, or its tools. */
  writeTurnEnd(part: string): string;
  /** Writes a sign of life, unless something was written since the last call, or waits. */
  beat(): void;
  /** Emits once all that was added by now is in the log, or will never be. */
  settled(): Observable<unknown>;
  /** Nothing comes any more: what waits is offered to the log for a minute. */
  finish(): void;
  /** Drops what waits. */
  abort(): void;
  /** Emits when the epoch was claimed. */
  readonly claimed: Observable<unknown>;
  /** Completes when all is written, or the log gets no more of it. */
  readonly written: Observable<never>;
  /** Emits where the log has another runner. */
  readonly superseded: Observable<void>;
}

/** The most that one entry holds, in characters. */
const longestEntry = 65_536;
/** How long what is left is offered to a log that cannot be reached, in milliseconds. */
const lastTry = 60_000;
/** How long the log may take to answer before it is asked again, in milliseconds. */
const longestCall = 10_000;
const longestWait = 2_000;

/**
 * What comes while an entry is being written goes in the next one: the slower the log, the fewer and larger its entries,
 * and the turn is never held up. No clock is read here, only timers run.
 */
export function logWriter(options: LogWriterOptions): LogWriter {
  const { log, id, epoch, ttl, scheduler } = options;
  const background = inBackground(scheduler);
  const claimed = new AsyncSubject<unknown>();
  const written = new Subject<never>();
  const superseded = new Subject<void>();
  const progress = new Subject<void>();
  const timers = new Subscription();
  let waiting: string[] = [];
  let waitingLength = 0;
  let seq = 0;
  let sentSeq = 0;
  let settledSeq = 0;
  let isClaimed = false;
  let isFinished = false;
  let isClosed = false;
  let isHeld = false;
  let hasWritten = false;
  let isKeepDue = false;
  let writing: Subscription | undefined;

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    waiting = [];
    writing?.unsubscribe();
    timers.unsubscribe();
    progress.next();
    written.complete();
  }

  /** One call of the log at a time, repeated until it is answered. */
  function ask(call: Observable<boolean>, answered: (isAccepted: boolean) => void): void {
    let isAccepted = false;
    let isDone = false;
    const asked = call.pipe(
      take(1),
      timeout({ first: longestCall, scheduler: background }),
      retry({ delay: (_, attempt) => timerOf(Math.min(50 * 2 ** (attempt - 1), longestWait), scheduler) }),
    );
    const subscription = asked.subscribe({
      next: (accepted) => (isAccepted = accepted),
      error: close,
      complete() {
        isDone = true;
        writing = undefined;
        if (!isClosed) answered(isAccepted);
      },
    });
    if (!isDone) writing = subscription;
  }

  function open(): void {
    // Whose claim it was, where the reply is lost.
    const by = randomId();
    let hasFailed = false;
    const isOurs = logNow(log, id).pipe(
      map((parts) => parts.some((part) => part.type === 'begun' && part.by === by)),
    );
    const first = { id: idText({ epoch, seq: 0 }), data: begunBy(by) };
    ask(
      defer(() => {
        const isRepeated = hasFailed;
        hasFailed = true;
        return from(log.claim(id, first, ttl)).pipe(
          defaultIfEmpty(false),
          mergeMap((isNew) => (isNew || !isRepeated ? of(isNew) : isOurs)),
        );
      }),
      (isOurOwn) => {
        if (!isOurOwn) {
          lose();
          return;
        }
        isClaimed = true;
        claimed.next(true);
        claimed.complete();
        flush();
      },
    );
  }

  function lose(): void {
    close();
    superseded.next();
  }

  function flush(): void {
    while (isClaimed && !isHeld && writing === undefined && !isClosed && waiting.length > 0)
      send(nextParts());
    if (isFinished && isClaimed && writing === undefined && waiting.length === 0) close();
  }

  function nextParts(): readonly string[] {
    let length = 0;
    const most = waiting.findIndex((part) => (length += part.length) > longestEntry);
    if (most === -1) return waiting.splice(0);
    // The end is with what it ends.
    return waiting.splice(0, waiting[most] === end ? most + 1 : Math.max(most, 1));
  }

  function send(parts: readonly string[]): void {
    for (const part of parts) waitingLength -= part.length;
    sentSeq += parts.length;
    const entry = { id: idText({ epoch, seq: sentSeq }), data: entryData(parts) };
    const keep = isKeepDue || parts.at(-1) === end ? ttl : undefined;
    isKeepDue = false;
    ask(
      // The same entry again where it failed: a log that has it says so.
      defer(() => from(log.append(id, entry, keep)).pipe(defaultIfEmpty(true))),
      (isAccepted) => {
        if (!isAccepted) {
          refused();
          return;
        }
        settledSeq = Number(readId(entry.id)?.seq);
        progress.next();
        flush();
      },
    );
  }

  /** Another runner, or a log that has lost the turn: then the turn goes on, and nobody follows it. */
  function refused(): void {
    const hasLater = logNow(log, id).pipe(
      map((parts) => parts.some((part) => (readId(part.id)?.epoch ?? 0) > epoch)),
    );
    ask(hasLater, (isTaken) => (isTaken ? lose() : close()));
  }

  function add(part: string): string {
    seq += 1;
    hasWritten = true;
    if (!isClosed) {
      waiting.push(part);
      waitingLength += part.length;
      // Nothing that the log does may fill the memory.
      if (waitingLength > options.maxWaiting) close();
    }
    return idText({ epoch: isClaimed ? epoch : 0, seq });
  }

  function release(): void {
    isHeld = false;
    flush();
  }

  function write(part: string): string {
    const place = add(part);
    flush();
    return place;
  }

  return {
    open,
    write,
    writeTurnEnd(part) {
      const place = add(part);
      if (!isHeld && !isClosed) {
        isHeld = true;
        timers.add(scheduler.schedule(release));
      }
      return place;
    },
    beat() {
      isKeepDue = true;
      if (!hasWritten && isClaimed && writing === undefined) write(heartbeat);
      hasWritten = false;
    },
    settled: () =>
      defer(() => {
        const last = seq;
        return merge(of(0), progress).pipe(
          filter(() => isClosed || settledSeq >= last),
          take(1),
        );
      }),
    finish() {
      isFinished = true;
      isHeld = false;
      if (!isClosed) timers.add(background.schedule(close, lastTry));
      flush();
    },
    abort: close,
    claimed,
    written,
    superseded,
  };
}
