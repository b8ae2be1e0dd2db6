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
  /** How many characters may be queued. */
  readonly maxWaiting: number;
  readonly scheduler: SchedulerLike;
}

/** Writes the parts of one epoch, in order, at the pace of the log. */
export interface LogWriter {
  /** Claims the epoch, and keeps trying until the log answers. */
  open(): void;
  /** Adds a part and returns its id, in epoch 0 until the epoch is claimed. Never waits. */
  write(part: string): string;
  /** Adds the end of a turn. Anything added synchronously after it shares its entry: the end of the log, or tools. */
  writeTurnEnd(part: string): string;
  /** Writes a heartbeat, unless something was written since the last call or is queued. */
  beat(): void;
  /** Emits once everything added so far is in the log, or will never be. */
  settled(): Observable<unknown>;
  /** Nothing more will be added: keeps trying to write the queue for a minute. */
  finish(): void;
  /** Drops the queue. */
  abort(): void;
  /** Emits when the epoch is claimed. */
  readonly claimed: Observable<unknown>;
  /** Completes when everything is written, or nothing more will be. */
  readonly written: Observable<never>;
  /** Emits if the log has another runner. */
  readonly superseded: Observable<void>;
}

/** Maximum size of an entry, in characters. */
const longestEntry = 65_536;
/** How long to keep trying to write the rest to an unreachable log, in milliseconds. */
const lastTry = 60_000;
/** How long the log may take to answer before it is asked again, in milliseconds. */
const longestCall = 10_000;
const longestWait = 2_000;

/**
 * Parts that arrive while an entry is being written go into the next one: the slower the log, the fewer and larger its
 * entries, and the turn never waits. This reads no clock and uses only timers.
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

  /** One call to the log at a time, repeated until it is answered. */
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
    // Identifies the claim, in case the reply is lost.
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
    // The end is in the same entry as the last part.
    return waiting.splice(0, waiting[most] === end ? most + 1 : Math.max(most, 1));
  }

  function send(parts: readonly string[]): void {
    for (const part of parts) waitingLength -= part.length;
    sentSeq += parts.length;
    const entry = { id: idText({ epoch, seq: sentSeq }), data: entryData(parts) };
    const keep = isKeepDue || parts.at(-1) === end ? ttl : undefined;
    isKeepDue = false;
    ask(
      // Repeats the same entry after a failure; a log that already has it returns `true`.
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

  /** There is another runner, or the log has lost the turn: the turn goes on without followers. */
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
      // A slow log must not fill the memory.
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
