import {
  asyncScheduler,
  defer,
  type MonoTypeOperatorFunction,
  Observable,
  type ObservableInput,
  type SchedulerLike,
  type Subscription,
  take,
} from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import type { RunEvent } from '../turn/run-events.js';
import { observe } from '../flow/observe.js';
import { timerOf } from '../flow/timers.js';
import { append, type Delta, deltaOf, eventOf, continues } from '../turn/delta.js';

/**
 * Merges the deltas of a turn, or of a run's turns: one event per interval, or per animation frame.
 *
 * Consecutive deltas of text, reasoning, a refusal or one call's arguments become one event. Nothing is lost
 * and the order is kept: if kinds or choices alternate, each stretch is one event. Any other event (a complete
 * call, `completed`, a tool's, each `chunk` of `includeChunks`) passes at once, after the collected deltas; so
 * does an error. `restarting` drops the collected deltas. No timer runs while nothing is collected.
 *
 * With a number, events are at least that many milliseconds apart; the first delta, or one after a silence,
 * passes at once. With a function, the collected deltas wait for the first value of what it returns:
 * `coalesce(animationFrames)` emits once per frame (in a hidden tab, only when the turn ends).
 *
 * ```
 * source   --a-b-c---d--------e-(completed|)
 *          coalesce(5)
 * result   --a----bc---d------e-(completed|)
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(coalesce(50), accumulate()).subscribe(({ text }) => render(text));
 * turn.pipe(coalesce(animationFrames), accumulate()).subscribe(({ text }) => render(text));
 * ```
 *
 * @param due - milliseconds (`0`: the deltas of one task; `Infinity`: until another event), or a function that
 *   is called with the first collected delta; an error of what it returns ends the turn, and completion counts
 *   as a value
 * @param scheduler - times the milliseconds; default `asyncScheduler`
 */
export function coalesce<T extends RunEvent = ResponseEvent>(
  due: number | (() => ObservableInput<unknown>),
  scheduler: SchedulerLike = asyncScheduler,
): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      let runs: Delta[] = [];
      let given = 0;
      let givenAt = -Infinity;
      let timing: Subscription | undefined;

      function flush(): void {
        timing?.unsubscribe();
        if (given === runs.length) return;
        givenAt = scheduler.now();
        // A consumer may make the source emit, so the state is consistent at every step.
        for (let run = runs[given]; run !== undefined; run = runs[given]) {
          given += 1;
          // A delta's event is of the original kind.
          subscriber.next(eventOf(run) as T);
        }
        runs = [];
        given = 0;
      }

      function fail(error: unknown): void {
        flush();
        subscriber.error(error);
      }

      /** When the collected deltas are due; `undefined` for now. */
      function opening(): Observable<unknown> | undefined {
        if (typeof due === 'function') return defer(due);
        // A clock that is set back, or that tells no time, must not hold back text.
        const wait = Math.min(due, givenAt + due - scheduler.now());
        if (!(wait >= 0) || givenAt === -Infinity) return undefined;
        return timerOf(wait, scheduler);
      }

      function collect(delta: Delta): void {
        const last = given < runs.length ? runs[runs.length - 1] : undefined;
        if (last !== undefined && continues(last, delta)) append(last, delta);
        else runs.push(delta);
        if (last !== undefined) return;
        const end = opening();
        if (end === undefined) flush();
        else timing = end.pipe(take(1)).subscribe({ error: fail, complete: flush });
      }

      const subscription = observe(source, subscriber, {
        next: (event) => {
          const delta = deltaOf(event);
          if (delta !== undefined) {
            collect(delta);
            return;
          }
          if (event.type === 'restarting') runs.length = given;
          flush();
          subscriber.next(event);
        },
        error: fail,
        complete: () => {
          flush();
          subscriber.complete();
        },
      });
      return () => {
        timing?.unsubscribe();
        subscription.unsubscribe();
      };
    });
}
