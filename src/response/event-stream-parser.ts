import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { StreamError } from '../turn/errors.js';

export interface EventStreamOptions {
  /**
   * How much of one event may be held while the rest is waited for: its data so far and the line that
   * is being read, in the UTF-16 code units of the decoded text, which are never more than its bytes.
   * As many short lines weigh more than their text, no more than one for each 64 of it (or 1,024) may
   * follow one another without an event. Default 67,108,864 (64 MiB).
   */
  readonly maxEventSize?: number | undefined;
}

export interface EventStreamParser {
  /**
   * The events that these bytes complete, in order. Throws a `StreamError` beyond `maxEventSize`: at
   * once, or where events came before it, at the next call.
   */
  push(bytes: Uint8Array): EventSourceMessage[];
  /**
   * The event that was being read, which the standard drops: no blank line has ended it. Throws what `push` still
   * had to throw.
   */
  end(): EventSourceMessage[];
}

export interface EventStreamParserOptions extends EventStreamOptions {
  readonly onComment?: (() => void) | undefined;
  /** Asked about each line that is no field of an event stream. Default: it is ignored, as the standard says. */
  readonly eventOf?: ((line: string) => EventSourceMessage | undefined) | undefined;
}

/** Real image events reach 28 MiB. */
export const defaultMaxEventSize = 64 * 1024 * 1024;

/** What an engine holds of a line of data beside its text: two sums of strings. */
const lineWeight = 64;

/** As many lines are nothing beside the rest of a process. */
const freeLines = 1_024;

/** Reads that are smaller, and end no line, are put together: the parser would hold each by itself. */
const smallRead = 4_096;

const CR = '\r';
const LF = '\n';

/**
 * Bytes to server-sent events (WHATWG HTML, 9.2.6), however the network has cut them: one streaming
 * UTF-8 decoder in front of `eventsource-parser`. An event is dispatched by its blank line alone, so
 * what a broken connection left unfinished is dropped.
 */
export function eventStreamParser(options: EventStreamParserOptions = {}): EventStreamParser {
  const { maxEventSize = defaultMaxEventSize, onComment, eventOf } = options;
  const decoder = new TextDecoder();
  let events: EventSourceMessage[] = [];
  let failure: StreamError | undefined;
  let afterCarriageReturn = false;
  let fedSinceEvent = 0;
  let linesSinceEvent = 0;
  let smallReads = '';
  const tooLarge = () => {
    failure = new StreamError({
      message: `An event of the stream is larger than ${maxEventSize} bytes (maxEventSize).`,
    });
  };
  const parser = createParser({
    maxBufferSize: maxEventSize,
    onEvent: (event) => events.push(event),
    onError: ({ type, line }) => {
      if (type === 'max-buffer-size-exceeded') tooLarge();
      else if (type === 'unknown-field' && line !== undefined) {
        const event = eventOf?.(line);
        if (event !== undefined) events.push(event);
      }
    },
    ...(onComment && { onComment }),
  });
  // The decoder has dropped a leading byte order mark. The parser would drop a second one, spelled in
  // Latin-1, from its first text: it gets an empty one.
  parser.feed('');

  /**
   * Carriage returns at the end end their lines at once: the parser would wait for what follows, and a
   * stream that ends lines with CR alone would run late. A line feed after them belongs to the last.
   */
  function endLines(text: string): string {
    const rest = afterCarriageReturn && text.startsWith(LF) ? text.slice(1) : text;
    afterCarriageReturn = rest.endsWith(CR);
    return afterCarriageReturn ? rest + LF : rest;
  }

  /** The parser checks its bound between two texts: line by line, the bound is the same however they are cut. */
  function feedLines(text: string): void {
    let start = 0;
    for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) {
      parser.feed(text.slice(start, index));
      if (failure !== undefined) return;
      parser.feed(LF);
      start = index + end.length;
    }
    parser.feed(text.slice(start));
  }

  return {
    push(bytes) {
      if (failure !== undefined) throw failure;
      const decoded = decoder.decode(bytes, { stream: true });
      if (decoded === '') return [];
      const read = endLines(decoded);
      fedSinceEvent += read.length;
      const text = smallReads + read;
      const endsNoLine = !read.includes(LF) && !read.includes(CR);
      smallReads = endsNoLine && text.length < smallRead && fedSinceEvent <= maxEventSize ? text : '';
      if (smallReads !== '') return [];
      if (fedSinceEvent <= maxEventSize) parser.feed(text);
      else feedLines(text);
      // Nothing of a read is held until the next: V8 would take it for long-lived (docs/decisions/0007).
      const completed = events;
      events = [];
      if (completed.length > 0) {
        fedSinceEvent = text.length;
        linesSinceEvent = 0;
      } else {
        linesSinceEvent += linesIn(text);
        if (linesSinceEvent > Math.max(freeLines, maxEventSize / lineWeight)) tooLarge();
        if (failure !== undefined) throw failure;
      }
      return completed;
    },
    end() {
      if (failure !== undefined) throw failure;
      parser.feed(smallReads + LF + LF);
      return events;
    },
  };
}

function linesIn(text: string): number {
  let lines = 0;
  for (let end = text.indexOf(LF); end !== -1; end = text.indexOf(LF, end + 1)) lines += 1;
  return lines;
}
