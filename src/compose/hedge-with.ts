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
   * How long the first turn may be without content before the second begins, in milliseconds; or a function whose
   * first value begins it (one that ends without a value does not, and its error ends the turn).
   */
  readonly after: number | (() => ObservableInput<unknown>);
  /** For the milliseconds. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Starts a second turn if the first has no content in time, and mirrors the one whose content arrives first.
 *
 * At that moment the other is unsubscribed, and so aborted. If the first fails earlier, the second starts at once; if
 * both fail, the result is the last error, as with `fallbackWith()`.
 *
 * A hedge costs what it doubles: with `after` at the slowest tenth of the first tokens, one request in ten is sent
 * twice, and its prompt is billed twice. Retries of the first turn are not seen: a turn that waits for its
 * next attempt is a slow one.
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
        // What is no turn is an error of it.
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
