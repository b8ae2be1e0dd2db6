import {
  asyncScheduler,
  defer,
  type MonoTypeOperatorFunction,
  Observable,
  type ObservableInput,
  type SchedulerLike,
  Subscription,
  take,
} from 'rxjs';
import { observe } from '../flow/observe.js';
import { timerOf } from '../flow/timers.js';
import { allFailed } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { holding } from './hold-chunks.js';

export interface HedgeOptions {
  /**
   * How long to wait for the first turn's content before the second turn starts, in milliseconds; or a function
   * whose first value starts it. Completing without a value does not start it, and an error ends the turn.
   */
  readonly after: number | (() => ObservableInput<unknown>);
  /** Times `after`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Starts a second turn if the first has no content in time, and mirrors the one with the first content.
 *
 * The other one is then unsubscribed, which aborts its request. If the first turn fails earlier, the second
 * starts at once; if both fail, it emits the last error, as `fallbackWith()` does.
 *
 * A hedged request is billed twice: with `after` at the 90th percentile of the time to the first token, that is
 * one request in ten. Retries of the first turn do not count: a turn that waits for its next attempt is a slow
 * one.
 *
 * ```
 * source   ^-----------------x--    (unsubscribed at the first content of the other)
 * other          ----Hel--lo--(completed|)
 *          hedgeWith(other, { after: 6 })
 * result   ----------Hel--lo--(completed|)
 * ```
 *
 * @example
 * ```ts
 * const ask = () => streamChatCompletions(prompt, options);
 * ask().pipe(hedgeWith(defer(ask), { after: 2_000 }), textDeltas()).subscribe(show);
 * ```
 *
 * @param other - the second turn, subscribed once at most
 */
export function hedgeWith(
  other: ObservableInput<ResponseEvent>,
  { after, scheduler = asyncScheduler }: HedgeOptions,
): MonoTypeOperatorFunction<ResponseEvent> {
  return (source) =>
    new Observable((subscriber) => {
      const failures: unknown[] = [];
      const waiting = new Subscription();
      const running = new Set<Subscription>();

      function run(turn: Observable<ResponseEvent>): void {
        const contender = new Subscription();
        running.add(contender);
        subscriber.add(contender);
        const speak = () => {
          waiting.unsubscribe();
          for (const another of running) if (another !== contender) another.unsubscribe();
          running.clear();
          running.add(contender);
        };
        contender.add(
          observe(turn, subscriber, {
            next: holding(subscriber, (given) => given !== 'nothing' && speak()),
            error(error) {
              running.delete(contender);
              const isAlone = running.size === 0;
              if (isAlone && waiting.closed) {
                subscriber.error(allFailed(error, failures));
                return;
              }
              failures.push(error);
              if (isAlone) begin();
            },
            complete() {
              speak();
              subscriber.complete();
            },
          }),
        );
      }

      function begin(): void {
        waiting.unsubscribe();
        // Anything but a turn makes it error.
        run(defer(() => other));
      }

      subscriber.add(waiting);
      run(source);
      if (waiting.closed) return;
      const due = typeof after === 'function' ? defer(after) : timerOf(after, scheduler);
      waiting.add(
        due.pipe(take(1)).subscribe({ next: begin, error: (error: unknown) => subscriber.error(error) }),
      );
    });
}
