import { concat, defer, map, of, type OperatorFunction } from 'rxjs';
import type { AnswerMessage } from '../../src/response/chunks/chunk-decoder.js';
import { bodyReader, type BodyReaderOptions } from '../../src/response/body-reader.js';

/** What a reader of bodies gives: one batch for each read, and one at the end. */
export function bodyEvents(
  options: BodyReaderOptions,
): OperatorFunction<Uint8Array, readonly AnswerMessage[]> {
  return (source) =>
    defer(() => {
      const reader = bodyReader(options);
      return concat(
        source.pipe(map((bytes) => reader.push(bytes))),
        defer(() => of(reader.end())),
      );
    });
}
