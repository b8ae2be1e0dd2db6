import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { StreamError } from '../turn/errors.js';

export interface EventStreamOptions {
  /**
   * Maximum size of an incomplete event: its data so far and the current line, in UTF-16 code units of the
   * decoded text, which are never more than its bytes. Because many short lines take more memory than their
   * text, at most one line for every 32 units (or 1,024 lines) may follow one another without an event; lines
   * without data, such as comments, count from the 17th of a read. Default 33,554,432 (32 MiB).
   */
  readonly maxEventSize?: number | undefined;
  /**
   * Maximum number of JSON values in the data of one event, counted as opening brackets, commas and colons.
   * Default 1,000,000.
   */
  readonly maxEventValues?: number | undefined;
}

export interface EventStreamParser {
  /**
   * The events that these bytes complete, in order. Throws a `StreamError` beyond `maxEventSize`: at once, or at
   * the next call if events came before it.
   */
  push(bytes: Uint8Array): EventSourceMessage[];
  /**
   * The unfinished event, which the standard drops because no blank line ended it. Throws the error that `push`
   * deferred, if any.
   */
  end(): EventSourceMessage[];
}

export interface EventStreamParserOptions extends EventStreamOptions {
  readonly onComment?: (() => void) | undefined;
  /** Called for each line that is not a field of an event stream. Default: ignored, as the standard says. */
  readonly eventOf?: ((line: string) => EventSourceMessage | undefined) | undefined;
}

/** Events with images are known to reach 28 MiB. */
export const defaultMaxEventSize = 32 * 1024 * 1024;

/** An engine holds a line of data as its text plus two string concatenations, which take twice as much. */
const lineWeight = 32;

/** This many lines are negligible in any process. */
const freeLines = 1_024;

/** Keep-alives arrive one by one, so this many lines without data are free in each read. */
const freeInRead = 16;

/** A line that is not a field is reported as an error, which costs as much as many lines. */
const unknownLineWeight = 16;

/** Smaller reads that end no line are joined: the parser would hold each one separately. */
const smallRead = 4_096;

const CR = '\r';
const LF = '\n';

/**
 * Decodes bytes into server-sent events (WHATWG HTML, 9.2.6), wherever the network has split them: a streaming
 * UTF-8 decoder in front of `eventsource-parser`. Only a blank line dispatches an event, so an event that a
 * broken connection left unfinished is dropped.
 */
export function eventStreamParser(options: EventStreamParserOptions = {}): EventStreamParser {
  const { maxEventSize = defaultMaxEventSize, onComment, eventOf } = options;
  const decoder = new TextDecoder();
  let events: EventSourceMessage[] = [];
  let failure: StreamError | undefined;
  const maxLines = Math.max(freeLines, maxEventSize / lineWeight);
  let afterCarriageReturn = false;
  let fedSinceEvent = 0;
  /** Lines since the last event: those that may be data, held until the event is complete, and others. */
  let dataLines = 0;
  let otherLines = 0;
  /** The beginning of the current line; `''` if there is none. */
  let lineStart = '';
  let smallReads = '';
  const fail = (what: string) => {
    failure = new StreamError({ message: `${what} (maxEventSize).`, retryable: false });
  };
  const parser = createParser({
    maxBufferSize: maxEventSize,
    onEvent: (event) => events.push(event),
    onError: ({ type, line }) => {
      if (type === 'max-buffer-size-exceeded') {
        const what = lineStart === ':' ? 'A comment' : 'An event';
        fail(`${what} of the stream is larger than ${maxEventSize} bytes`);
        return;
      }
      otherLines += unknownLineWeight;
      const event = type === 'unknown-field' && line !== undefined ? eventOf?.(line) : undefined;
      if (event !== undefined) events.push(event);
    },
    ...(onComment && { onComment }),
  });
  // The decoder has dropped a leading byte order mark. The parser would drop a second one, decoded as
  // Latin-1, from its first text, so it gets an empty text first.
  parser.feed('');

  /**
   * Ends each line with a line feed: if both kinds occur, the parser searches to the end for either, for every line.
   * A carriage return at the end ends its line at once, and a line feed after it belongs to it. The parser would wait
   * for the next character.
   */
  function endLines(text: string): string {
    const rest = afterCarriageReturn && text.startsWith(LF) ? text.slice(1) : text;
    afterCarriageReturn = rest.endsWith(CR);
    return rest.includes(CR) ? rest.replace(/\r\n?/g, LF) : rest;
  }

  /** The parser checks its limit between texts: fed line by line, the limit does not depend on how reads are split. */
  function feedLines(text: string): void {
    let start = 0;
    for (let end = text.indexOf(LF); end !== -1; end = text.indexOf(LF, start)) {
      lineStart ||= text.charAt(start);
      parser.feed(text.slice(start, end));
      if (failure !== undefined) return;
      parser.feed(LF);
      lineStart = '';
      start = end + 1;
    }
    lineStart ||= text.charAt(start);
    parser.feed(text.slice(start));
  }

  /** Lines that hold nothing are limited too, if they come faster than keep-alives do. */
  function countLines(text: string, isWithinLine: boolean): void {
    const ofData = occurrences(isWithinLine ? text : LF + text, `${LF}d`);
    const others = occurrences(text, LF) - ofData;
    dataLines += ofData;
    otherLines += Math.max(0, others - freeInRead);
    if (dataLines > maxLines) fail(`An event of the stream is larger than ${maxEventSize} bytes`);
    else if (otherLines > maxLines)
      fail('Too many lines of the stream in a row contain no data (comments, blank lines)');
  }

  return {
    push(bytes) {
      if (failure !== undefined) throw failure;
      const decoded = decoder.decode(bytes, { stream: true });
      if (decoded === '') return [];
      const read = endLines(decoded);
      fedSinceEvent += read.length;
      const text = smallReads + read;
      const endsNoLine = !read.includes(LF);
      smallReads = endsNoLine && text.length < smallRead && fedSinceEvent <= maxEventSize ? text : '';
      if (smallReads !== '') return [];
      const isWithinLine = lineStart !== '';
      if (fedSinceEvent > maxEventSize) feedLines(text);
      else {
        parser.feed(text);
        const start = text.lastIndexOf(LF) + 1;
        if (start > 0 || !isWithinLine) lineStart = text.charAt(start);
      }
      // Keep no reference to a read until the next: V8 would promote it to the old generation (docs/decisions/0007).
      const completed = events;
      events = [];
      if (completed.length > 0) {
        fedSinceEvent = text.length;
        dataLines = 0;
        otherLines = 0;
      } else {
        countLines(text, isWithinLine);
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

function occurrences(text: string, searched: string): number {
  let count = 0;
  for (let at = text.indexOf(searched); at !== -1; at = text.indexOf(searched, at + 1)) count += 1;
  return count;
}
