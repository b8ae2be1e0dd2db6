import type { EventSourceMessage } from 'eventsource-parser';
import { asyncScheduler, Observable, type OperatorFunction, type SchedulerLike, takeWhile } from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import { scheduleInBackground } from '../flow/timers.js';
import type { ChunkDecoderOptions } from './chunks/chunk-decoder.js';
import { idleTimer } from './idle-timer.js';
import { patternDecoder } from './chunks/pattern-decoder.js';

/** Finds the server-sent events in an answer that comes in parts: in its bytes, as a rule. */
export interface AnswerReader<T> {
  /** The events that this part completes. What it throws is an error of the answer. */
  push(part: T): readonly EventSourceMessage[];
  /** Those that the end of the answer completes. */
  end(): readonly EventSourceMessage[];
}

export interface DecodeAnswerOptions extends ChunkDecoderOptions {
  /** Milliseconds without a sign of life. Default: no limit. */
  readonly idleTimeout?: number | undefined;
  /** What is a sign of life: a part that completed an event, or any. Default `'events'`. */
  readonly idleOn?: 'events' | 'bytes' | undefined;
  /** The clock of `idleTimeout`. Default `scheduler`. */
  readonly idleClock?: SchedulerLike | undefined;
  /** For the grace after `[DONE]`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
  /** Told how many events have come with a part, those before `[DONE]`. */
  readonly onEvents?: ((count: number) => void) | undefined;
  /** Told that the answer is over, before `completed`. */
  readonly onEnd?: (() => void) | undefined;
}

/** How long a connection may take to end by itself after `[DONE]`, in milliseconds. */
const grace = 1_000;

/** Whether an event says that the answer is complete (C12). */
export function isDone({ data }: EventSourceMessage): boolean {
  // Nearly every event begins with a brace.
  return data.charCodeAt(0) !== 0x7b && data.trim() === '[DONE]';
}

/**
 * An answer to the events of its turn, and `completed` where it ends (C11, C12).
 *
 * At `[DONE]` it completes and keeps the connection: the source is read on, values dropped, until it ends by
 * itself or a grace of 1,000 ms has passed, so that the connection can be used for the next turn. An
 * unsubscribe before `[DONE]` ends it at once. That the answer is done is marked before `completed` is
 * emitted: whoever unsubscribes because of it (`first()`, `firstValueFrom`) leaves the connection its grace too.
 *
 * ```
 * source   --data--(data data)--[DONE]-----|
 *          decodeAnswer(reader)
 * result   --x-----(yz)---------(C|)
 * read     ^-------------------------------!
 * ```
 *
 * One operator from bytes to events: a paced network gives one event at a time, and each operator on its way
 * is memory that has left the processor's cache meanwhile. Five in its place cost a fifth more CPU.
 */
export function decodeAnswer<T>(
  readerOf: () => AnswerReader<T>,
  options: DecodeAnswerOptions = {},
): OperatorFunction<T, ResponseEvent> {
  const { scheduler = asyncScheduler, idleClock = scheduler, idleTimeout = Infinity } = options;
  const { idleOn, onEvents, onEnd } = options;
  return (source) =>
    new Observable((subscriber) => {
      const reader = readerOf();
      const decoder = patternDecoder((event) => subscriber.next(event), options);
      const timer = idleTimer(subscriber, idleTimeout, idleClock);
      let done = false;
      let isSubscribed = false;

      function complete(): void {
        done = true;
        timer.stop();
        try {
          onEnd?.();
          decoder.end();
          subscriber.complete();
        } catch (error) {
          subscriber.error(error);
        }
      }

      function decode(messages: readonly EventSourceMessage[]): void {
        const end = messages.findIndex(isDone);
        const events = end === -1 ? messages : messages.slice(0, end);
        onEvents?.(events.length);
        for (const event of events) {
          decoder.push(event);
          if (subscriber.closed) return;
        }
        if (end !== -1) complete();
      }

      // The work is done where it can stop the source: one that emits synchronously is known to nothing else yet.
      const isWanted = (part: T): boolean => {
        const messages = reader.push(part);
        if (done) return isSubscribed || messages.length === 0;
        if (messages.length > 0 || idleOn === 'bytes') timer.heard();
        decode(messages);
        return done || !subscriber.closed;
      };
      const connection = source.pipe(takeWhile(isWanted)).subscribe({
        error: (error: unknown) => {
          if (!done) subscriber.error(error);
        },
        complete: () => {
          if (done || subscriber.closed) return;
          try {
            decode(reader.end());
            if (!subscriber.closed) complete();
          } catch (error) {
            subscriber.error(error);
          }
        },
      });
      isSubscribed = true;
      // After the source, so that a part which comes at the very end of the limit is in time.
      timer.start();
      return () => {
        if (!done) connection.unsubscribe();
        else if (!connection.closed)
          connection.add(scheduleInBackground(scheduler, () => connection.unsubscribe(), grace));
      };
    });
}
