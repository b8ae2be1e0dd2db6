import {
  catchError,
  distinctUntilChanged,
  filter,
  from,
  interval,
  map,
  merge,
  mergeMap,
  NEVER,
  Observable,
  type ObservableInput,
  share,
  Subject,
  Subscription,
  switchMap,
  tap,
} from 'rxjs';
import { monotonicClock } from '../flow/monotonic-clock.js';
import { inBackground, timerOf } from '../flow/timers.js';
import { stopWhen } from '../operators/stop-when.js';
import type { RunEvent } from '../turn/run-events.js';
import { end, errorPart, eventPart, heartbeat, left, type Logged } from './log-parts.js';
import { type LogWriterOptions, logWriter } from './log-writer.js';

/** What happens when the last reader of a turn has gone. */
export type WhenLeft = 'finish' | 'abort' | { readonly abortAfter: number };

export interface RunnerOptions extends LogWriterOptions {
  readonly source: ObservableInput<RunEvent>;
  readonly whenLeft: WhenLeft;
}

/** A turn that this instance runs, and writes down. */
export interface Runner {
  /** Its events, for the one who runs it here: the first subscription begins the turn. Others read the log. */
  readonly events: Observable<Logged>;
  /** Leaves the turn, so that another instance may take over at once. Completes when that is written. */
  leave(): Observable<never>;
  /** Completes when all is written. */
  readonly written: Observable<never>;
}

/** Ends the events of a runner whose turn another instance runs now. */
export class SupersededError extends Error {}

/** What is told to whoever runs a turn: that it is to end, and that somebody follows it on another instance. */
export const stop = 'stop';
export const here = 'here';

/** Runs a turn for all who follow it. It begins when its events are subscribed to, and no one's leaving ends it. */
export function runner(options: RunnerOptions): Runner {
  const { log, id, whenLeft } = options;
  const writer = logWriter(options);
  const background = inBackground(options.scheduler);
  const direct = new Subject<Logged>();
  const readersChanged = new Subject<void>();
  const running = new Subscription();
  let readers = 0;

  const messages = log.told(id).pipe(
    mergeMap((list) => list),
    // The turn goes on where the log cannot be reached.
    catchError(() => NEVER),
    share(),
  );
  const stopped = messages.pipe(filter((message) => message === stop));

  /** Emits once nobody has read the turn for as long as `whenLeft` says. */
  function abandoned(): Observable<unknown> {
    if (whenLeft === 'finish') return NEVER;
    const clock = monotonicClock(options.scheduler);
    const patience = whenLeft === 'abort' ? 0 : whenLeft.abortAfter;
    let hereAt = -Infinity;
    const signs = messages.pipe(
      filter((message) => message === here),
      tap(() => (hereAt = clock.now())),
    );
    return merge(signs, readersChanged, interval(options.heartbeat, background)).pipe(
      map(() => readers > 0 || clock.now() - hereAt < 3 * options.heartbeat),
      distinctUntilChanged(),
      switchMap((isRead) => (isRead ? NEVER : timerOf(patience, options.scheduler))),
    );
  }

  function finish(part: string): void {
    writer.write(part);
    writer.finish();
    running.unsubscribe();
  }

  function run(): void {
    const beats = interval(options.heartbeat, background).pipe(
      filter(() => writer.idleFor() >= options.heartbeat),
      tap(() => writer.write(heartbeat)),
    );
    const isTaken = writer.superseded.pipe(
      map(() => {
        throw new SupersededError();
      }),
    );
    running.add(
      merge(beats, isTaken).subscribe({
        error(error: unknown) {
          running.unsubscribe();
          direct.error(error);
        },
      }),
    );
    running.add(
      from(options.source)
        .pipe(
          stopWhen(merge(stopped, abandoned())) as never as (
            source: Observable<RunEvent>,
          ) => Observable<RunEvent>,
        )
        .subscribe({
          next: (event) => direct.next({ ...event, id: writer.write(eventPart(event)) }),
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
    written: writer.written,
    events: new Observable((subscriber) => {
      const reading = direct.subscribe(subscriber);
      readers += 1;
      run();
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
  };
}
