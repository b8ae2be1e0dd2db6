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

/** Heartbeats for a silent stream. */
export interface HeartbeatOptions {
  /**
   * Milliseconds of silence before a heartbeat is sent, because proxies cut silent connections. Default 15,000,
   * as WHATWG HTML (9.2.7) recommends; `Infinity`: none.
   */
  readonly heartbeat?: number | undefined;
  /** Times the heartbeat. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Emits an extra value for each period of silence.
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
