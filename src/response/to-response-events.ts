import type { EventSourceMessage } from 'eventsource-parser';
import { asyncScheduler, noop, Observable, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { observe } from '../flow/observe.js';
import { type RearmingClock, rearmingClock } from '../flow/rearming-clock.js';
import { clampDelay } from '../flow/timers.js';
import { IdleTimeoutError, ProviderStreamError } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import type { ChunkDecoderOptions } from './chunks/chunk-decoder.js';
import { patternDecoder } from './chunks/pattern-decoder.js';

export interface ToResponseEventsOptions extends ChunkDecoderOptions {
  /** How long to wait for more once each choice has a finish reason, in milliseconds. Default 10,000. */
  readonly finishTimeout?: number | undefined;
  /** Times `finishTimeout`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
  /** Called with a source error that came after the finish reason. */
  readonly onBreak?: ((error: unknown) => void) | undefined;
}

/** Usage and `[DONE]` follow a finish reason almost immediately. */
export const defaultFinishTimeout = 10_000;

/**
 * Decodes the server-sent events of an answer into the events of its turn, with `completed` at the end.
 *
 * Once each choice has a finish reason, the answer is complete: silence for `finishTimeout` or an error of the source,
 * except one that the provider reports, then ends it normally. Events that still arrive are read.
 *
 * It empties each array after reading it. Written by hand instead of with `concatMap`, since an inner Observable for
 * each network read costs 0.6 µs.
 *
 * ```
 * source   --[a]--[b,c]------|
 *          toResponseEvents()
 * result   --x----(yz)-------(completed|)
 *
 * source   --[a]--[finish]--[usage]----------
 *          toResponseEvents({ finishTimeout: 6 })
 * result   --x---------------------(completed|)
 * ```
 *
 * @see docs/decisions/0002-the-end-and-its-grace.md
 */
export function toResponseEvents(
  options: ToResponseEventsOptions = {},
): OperatorFunction<EventSourceMessage[], ResponseEvent> {
  const { finishTimeout = defaultFinishTimeout, scheduler = asyncScheduler, onBreak = noop } = options;
  return (source) =>
    new Observable((subscriber) => {
      const decoder = patternDecoder((event) => subscriber.next(event), options);
      let clock: RearmingClock | undefined;
      const complete = () => {
        try {
          decoder.end();
        } catch (error) {
          // Too many values in a call's arguments are only detected at the end.
          subscriber.error(error);
          return;
        }
        subscriber.complete();
      };

      function waitForRest(): void {
        if (clock === undefined) subscriber.add((clock = rearmingClock(scheduler)));
        clock.schedule(complete, clampDelay(finishTimeout));
      }

      return observe(source, subscriber, {
        next(events) {
          for (const event of events) {
            decoder.push(event);
            if (subscriber.closed) return;
          }
          // A part without an event does not count as a sign of life here, whatever `idleOn` says.
          const isOver = events.length > 0 && decoder.endedBy() === 'finish_reason';
          events.length = 0;
          if (isOver && finishTimeout !== Infinity) waitForRest();
        },
        error(error) {
          if (decoder.endedBy() === 'eof' || error instanceof ProviderStreamError) {
            subscriber.error(error);
            return;
          }
          if (!(error instanceof IdleTimeoutError)) onBreak(error);
          complete();
        },
        complete,
      });
    });
}
