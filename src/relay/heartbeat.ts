import {
  asyncScheduler,
  identity,
  type MonoTypeOperatorFunction,
  Observable,
  type SchedulerLike,
} from 'rxjs';
import { observe } from '../flow/observe.js';
import { rearmingClock } from '../flow/rearming-clock.js';
import { checkLimit, clampDelay } from '../flow/timers.js';

/** The signs of life of a stream that is silent. */
export interface HeartbeatOptions {
  /**
   * Milliseconds of silence after which a sign of life is sent, because proxies cut silent connections.
   * Default 15,000, as WHATWG HTML (9.2.7) recommends; `Infinity`: none.
   */
  readonly heartbeat?: number | undefined;
  /** The heartbeat's timer. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Emits a value of its own for each stretch of silence.
 *
 * ```
 * source   --a---------b--|
 *          heartbeat(() => p, { heartbeat: 4 })
 * result   --a---p---p-b--|
 * ```
 *
 * @throws TypeError if `heartbeat` is not a number of at least 1
 */
export function heartbeat<T>(
  beat: () => T,
  { heartbeat: silence = 15_000, scheduler = asyncScheduler }: HeartbeatOptions,
): MonoTypeOperatorFunction<T> {
  checkLimit('heartbeat', silence);
  if (silence === Infinity) return identity;
  const period = clampDelay(silence);
  return (source) =>
    new Observable((subscriber) => {
      // Setting a timer for each value would cost more than the value.
      const clock = rearmingClock(scheduler);
      const listen = () => clock.schedule(beatAgain, period);
      const beatAgain = () => {
        listen();
        subscriber.next(beat());
      };
      subscriber.add(clock);
      listen();
      return observe(source, subscriber, {
        next: (value) => {
          listen();
          subscriber.next(value);
        },
      });
    });
}
