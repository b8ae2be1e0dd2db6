import type { EventSourceMessage } from 'eventsource-parser';
import { Observable, type OperatorFunction, takeWhile } from 'rxjs';
import type { ResponseEvent } from '../events.js';
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
      // A source that emits synchronously can be stopped only from inside: nothing else knows it yet.
      return source.pipe(takeWhile(() => !subscriber.closed)).subscribe({
        next: (messages) => {
          try {
            for (const message of messages) {
              decoder.push(message);
              if (subscriber.closed) return;
            }
          } catch (error) {
            subscriber.error(error);
          }
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          decoder.end();
          subscriber.complete();
        },
      });
    });
}
