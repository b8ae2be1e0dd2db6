import type { EventSourceMessage } from 'eventsource-parser';
import { Observable, type OperatorFunction } from 'rxjs';
import { observe } from '../flow/observe.js';
import type { ResponseEvent } from '../turn/events.js';
import type { ChunkDecoderOptions } from './chunks/chunk-decoder.js';
import { patternDecoder } from './chunks/pattern-decoder.js';

/**
 * The server-sent events of an answer to the events of its turn, `completed` where they end.
 *
 * It empties each array that it has read. By hand where `concatMap` could stand: an inner Observable for each
 * network read costs 0.6 µs.
 *
 * ```
 * source   --[a]--[b,c]------|
 *          toResponseEvents()
 * result   --x----(yz)-------(completed|)
 * ```
 */
export function toResponseEvents(
  options: ChunkDecoderOptions = {},
): OperatorFunction<EventSourceMessage[], ResponseEvent> {
  return (source) =>
    new Observable((subscriber) => {
      const decoder = patternDecoder((event) => subscriber.next(event), options);
      return observe(source, subscriber, {
        next(events) {
          for (const event of events) {
            decoder.push(event);
            if (subscriber.closed) return;
          }
          events.length = 0;
        },
        complete() {
          decoder.end();
          subscriber.complete();
        },
      });
    });
}
