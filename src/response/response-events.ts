import type { EventSourceMessage } from 'eventsource-parser';
import { Observable, type OperatorFunction } from 'rxjs';
import type { ResponseEvent } from '../events.js';
import { observe } from '../observe.js';
import type { ChunkDecoderOptions } from './chunk-decoder.js';
import { patternDecoder } from './pattern-decoder.js';

/**
 * Batches of server-sent events to the events of a turn, and `completed` where they end (C11, C12).
 *
 * ```
 * source   --[x, y]--[z]--|
 *          responseEvents()
 * result   --(xy)----z----(C|)
 * ```
 */
export function responseEvents(
  options: ChunkDecoderOptions = {},
): OperatorFunction<readonly EventSourceMessage[], ResponseEvent> {
  return (source) =>
    new Observable((subscriber) => {
      const decoder = patternDecoder((event) => subscriber.next(event), options);
      return observe(source, subscriber, {
        next: (messages) => {
          for (const message of messages) {
            decoder.push(message);
            if (subscriber.closed) return;
          }
        },
        complete: () => {
          decoder.end();
          subscriber.complete();
        },
      });
    });
}
