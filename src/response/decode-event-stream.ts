import type { EventSourceMessage } from 'eventsource-parser';
import { concat, defer, EMPTY, map, mergeAll, type OperatorFunction, tap } from 'rxjs';
import { checkValues } from '../turn/json-values.js';
import { type EventStreamOptions, eventStreamParser } from './event-stream-parser.js';

/**
 * Decodes bytes into server-sent events, following the WHATWG standard.
 *
 * Bytes may be split anywhere, even inside a character. Comments are dropped, and so is an event without its
 * final blank line.
 *
 * ```
 * source   --"data: a\n\nda"---"ta: b\n\n"--|
 *          decodeEventStream()
 * result   --{data: 'a'}-------{data: 'b'}--|
 * ```
 *
 * @example
 * ```ts
 * response.body.pipe(decodeEventStream()).subscribe(({ data }) => console.log(data));
 * ```
 *
 * Errors with a `StreamError` if an event is larger than `maxEventSize`, or its data is a JSON object or array
 * that exceeds `maxEventValues`.
 */
export function decodeEventStream(
  options: EventStreamOptions = {},
): OperatorFunction<Uint8Array, EventSourceMessage> {
  return (source) =>
    defer(() => {
      const parser = eventStreamParser(options);
      const end = defer(() => {
        parser.end();
        return EMPTY;
      });
      return concat(source.pipe(map((bytes) => parser.push(bytes))), end).pipe(
        mergeAll(),
        tap(({ data }) => {
          if (/^\s*[[{]/.test(data)) checkValues(data, options.maxEventValues);
        }),
      );
    });
}
