import {
  combineLatest,
  concat,
  concatMap,
  defer,
  distinctUntilChanged,
  filter,
  interval,
  map,
  merge,
  NEVER,
  Observable,
  type ObservableInput,
  of,
  retry,
  shareReplay,
  startWith,
  Subject,
  Subscription,
  switchMap,
  take,
  tap,
  timer,
} from 'rxjs';
import { inBackground, timerOf } from '../flow/timers.js';
import { stopWhen } from '../operators/stop-when.js';
import type { RunEvent } from '../turn/run-events.js';
import { end, errorPart, eventPart, left, type Logged } from './log-parts.js';
import { type LogWriterOptions, logWriter } from './log-writer.js';

/** What to do when a turn's last reader has left. */
export type WhenLeft = 'finish' | 'abort' | { readonly abortAfter: number };

export interface RunnerOptions extends LogWriterOptions {
  /** Subscribed to when the epoch is claimed; it learns when the events it has emitted are in the log. */
  readonly source: (written: Observable<unknown>) => ObservableInput<RunEvent>;
  readonly whenLeft: WhenLeft;
  /** Milliseconds between heartbeats. */
  readonly heartbeat: number;
  /** Milliseconds until it begins, or goes on, without the log's answer. */
  readonly logTimeout: number;
}

/** A turn that this instance runs and logs. */
export interface Runner {
  readonly id: string;
  /** Starts the turn, once. From then on, unsubscribing does not end it. */
  begin(): void;
  /** Its events, live, for the caller that started it here. Others read the log. */
  readonly events: Observable<Logged>;
  /** Gives up the turn, so that another instance can take over at once. Completes when that is written. */
  leave(): Observable<never>;
  /** Gives up the turn without writing anything. */
  abort(): void;
  /** Completes when everything is written, or nothing more will be. */
  readonly written: Observable<never>;
}

/** Ends the events of a runner whose turn another instance has taken over. */
export class SupersededError extends Error {}

/** Messages to a turn's runner: stop, and heartbeats of followers on other instances. */
export const stop = 'stop';
export const here = 'here';

/** Runs a turn for all its followers. */
export function runner(options: RunnerOptions): Runner {
  const { log, id, epoch, whenLeft, heartbeat, logTimeout, scheduler } = options;
  // A takeover waits for the log, which has the earlier events.
  const isHeir = epoch > 1;
  const writer = logWriter(options);
  const background = inBackground(scheduler);
  const direct = new Subject<Logged>();
  const readersChanged = new Subject<void>();
  const running = new Subscription();
  let readers = 0;

  const told = log.told(id).pipe(
    // If the log cannot be reached, the turn goes on.
    retry({ delay: () => timerOf(1_000, scheduler) }),
    // The first list has several subscribers.
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  const messages = told.pipe(concatMap((list) => list));

  /** Emits once the turn has had no reader for as long as `whenLeft` says. */
  function abandoned(): Observable<unknown> {
    if (whenLeft === 'finish') return NEVER;
    const wait = whenLeft === 'abort' ? 0 : whenLeft.abortAfter;
    const signs = messages.pipe(filter((message) => message === here));
    // Followers of the previous runner have yet to announce themselves.
    const isReadElsewhere = (isHeir ? signs.pipe(startWith(here)) : signs).pipe(
      switchMap(() => concat(of(true), timer(3 * heartbeat, background).pipe(map(() => false)))),
      startWith(false),
    );
    const isReadHere = readersChanged.pipe(
      startWith(undefined),
      map(() => readers > 0),
    );
    return combineLatest([isReadHere, isReadElsewhere]).pipe(
      map(([isHere, isElsewhere]) => isHere || isElsewhere),
      distinctUntilChanged(),
      switchMap((isRead) => (isRead ? NEVER : timerOf(wait, scheduler))),
    );
  }

  /** Emits when the turn may be requested. */
  function ready(): Observable<unknown> {
    if (!isHeir) return merge(writer.claimed, timerOf(logTimeout, scheduler)).pipe(take(1));
    // A stop sent to the previous runner ends the turn before any request.
    return writer.claimed.pipe(concatMap(() => told.pipe(take(1))));
  }

  const written = defer(() => merge(writer.settled(), timerOf(logTimeout, scheduler)).pipe(take(1)));
  const turn = ready().pipe(concatMap(() => options.source(written)));

  function finish(part: string): void {
    writer.write(part);
    writer.finish();
    running.unsubscribe();
  }

  function fail(error: unknown): void {
    running.unsubscribe();
    direct.error(error);
  }

  function begin(): void {
    const beats = interval(heartbeat / 2, background).pipe(tap(() => writer.beat()));
    const superseded = writer.superseded.pipe(
      map(() => {
        throw new SupersededError();
      }),
    );
    running.add(merge(beats, superseded).subscribe({ error: fail }));
    writer.open();
    if (running.closed) return;
    const stopped = messages.pipe(filter((message) => message === stop));
    running.add(
      turn.pipe(stopWhen<RunEvent>(merge(stopped, abandoned()))).subscribe({
        next(event) {
          const part = eventPart(event);
          const place = event.type === 'completed' ? writer.writeTurnEnd(part) : writer.write(part);
          direct.next({ ...event, id: place });
        },
        error(error: unknown) {
          finish(errorPart(error));
          direct.error(error);
        },
        complete() {
          finish(end);
          direct.complete();
        },
      }),
    );
  }

  return {
    id,
    begin,
    written: writer.written,
    events: new Observable((subscriber) => {
      const reading = direct.subscribe(subscriber);
      readers += 1;
      readersChanged.next();
      return () => {
        reading.unsubscribe();
        readers -= 1;
        readersChanged.next();
      };
    }),
    leave() {
      finish(left);
      direct.error(new SupersededError());
      return writer.written;
    },
    abort: () => {
      fail(new SupersededError());
      writer.abort();
    },
  };
}
