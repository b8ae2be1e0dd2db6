import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { StreamError } from '../errors.js';

export interface EventStreamOptions {
  /**
   * How much one event may hold, from its first line to its blank line: counted in the UTF-16 code
   * units of the decoded text, which are never more than its bytes. Default 67,108,864 (64 MiB).
   */
  readonly maxEventSize?: number | undefined;
}

export interface EventStreamParser {
  /** The events that these bytes complete, in order. Throws a `StreamError` beyond `maxEventSize`. */
  push(bytes: Uint8Array): readonly EventSourceMessage[];
}

/** Real image events reach 28 MiB. */
export const defaultMaxEventSize = 64 * 1024 * 1024;

const CR = '\r';
const LF = '\n';

/**
 * Bytes to server-sent events (WHATWG HTML, 9.2.6), however the network has cut them: one streaming
 * UTF-8 decoder in front of `eventsource-parser`. An event is dispatched by its blank line alone, so
 * what a broken connection left unfinished is dropped.
 */
export function eventStreamParser(
  options: EventStreamOptions & { onComment?: (() => void) | undefined } = {},
): EventStreamParser {
  const { maxEventSize = defaultMaxEventSize, onComment } = options;
  const decoder = new TextDecoder();
  let events: EventSourceMessage[] = [];
  let tooLarge = false;
  let afterCarriageReturn = false;
  const parser = createParser({
    maxBufferSize: maxEventSize,
    onEvent: (event) => {
      // The parser bounds what waits between two pushes; an event that came in one push counts too,
      // so that the bound does not depend on how the network has cut it.
      if (event.data.length > maxEventSize) tooLarge = true;
      else events.push(event);
    },
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') tooLarge = true;
    },
    ...(onComment && { onComment }),
  });
  // The decoder has dropped a leading byte order mark. The parser would drop a second one, spelled in
  // Latin-1, from its first text: it gets an empty one.
  parser.feed('');

  return {
    push(bytes) {
      let text = decoder.decode(bytes, { stream: true });
      if (text === '') return [];
      // A carriage return ends its line at once (the parser would wait for what follows it, and a stream
      // that ends lines with CR alone would run one event late). A line feed after it belongs to it.
      if (afterCarriageReturn && text.startsWith(LF)) text = text.slice(1);
      afterCarriageReturn = text === '' ? false : text.endsWith(CR);
      if (afterCarriageReturn) text = text.slice(0, -1) + LF;
      events = [];
      parser.feed(text);
      if (tooLarge) {
        throw new StreamError({
          message: `An event of the stream is larger than ${maxEventSize} bytes (maxEventSize).`,
        });
      }
      return events;
    },
  };
}
