import type { EventSourceMessage } from 'eventsource-parser';
import { StreamError, UnexpectedContentError } from '../turn/errors.js';
import { maxErrorSize, readProviderError } from '../turn/provider-error.js';
import { isRecord, own, parseJson } from '../turn/wire.js';
import { endMarkOf } from './read-events.js';
import { defaultMaxEventSize, type EventStreamOptions, eventStreamParser } from './event-stream-parser.js';
import type { AnswerMessage } from './chunks/chunk-decoder.js';
import { piecesOf } from './chunks/pieces.js';

/** Finds the server-sent events in an answer that arrives in parts, usually bytes. */
export interface AnswerReader<T> {
  /** The events that this part completes. Anything it throws is an error of the answer. */
  push(part: T): AnswerMessage[];
  /** The events that the end of the answer completes. */
  end(): AnswerMessage[];
}

/** What is known about an answer before its first byte. */
export interface BodyReaderOptions extends EventStreamOptions {
  readonly status: number;
  /** The answer's `Content-Type`; `null` if it has none. */
  readonly contentType: string | null;
  readonly onComment?: (() => void) | undefined;
  readonly redact?: (text: string) => string;
}

/** Matches text that begins with a comment or a field of an event stream. */
const eventStreamStart = /^(?:data|event|id|retry)?[:\r\n]/;

/** Whether the text so far may still become such a field. */
const mayBeField = (start: string) =>
  ['data', 'event', 'id', 'retry'].some((field) => field.startsWith(start));

/**
 * Reads the server-sent events of an answer's body: those that each network read completes.
 *
 * It inspects the body as well as its type, since some providers mislabel them. A JSON body produces, at its end,
 * the events that a stream would have had. Throws an `UnexpectedContentError` if the body is neither an event stream
 * nor a completion.
 */
export function bodyReader(options: BodyReaderOptions): AnswerReader<Uint8Array> {
  const { contentType, maxEventSize = defaultMaxEventSize, maxEventValues } = options;
  const mediaType =
    /^\s*([\w.+-]{1,64}\/[\w.+-]{1,64})(?=[\s,;]|$)/.exec(contentType ?? '')?.[1]?.toLowerCase() ?? '';
  const isEventStream = mediaType === 'text/event-stream';
  const parser = eventStreamParser({ ...options, eventOf: strayErrors() });
  let kind: 'unknown' | 'events' | 'json' | 'other' = 'unknown';
  /** The text before the kind was known, or the whole answer if it is not an event stream. */
  let held = new Uint8Array();
  let size = 0;
  let start = '';

  function sniffKind(): typeof kind {
    if (start.startsWith('{') || start.startsWith('[')) return 'json';
    if (start.startsWith('<')) return 'other';
    if (isEventStream) return start === '' ? 'unknown' : 'events';
    if (eventStreamStart.test(start)) return 'events';
    return mayBeField(start) ? 'unknown' : 'other';
  }

  /** One buffer: a view for each one-byte read would take a hundred times its size. */
  function hold(bytes: Uint8Array): void {
    if (size + bytes.byteLength > held.byteLength) {
      const larger = new Uint8Array(
        Math.max(size + bytes.byteLength, Math.min(2 * held.byteLength, maxEventSize)),
      );
      larger.set(held.subarray(0, size));
      held = larger;
    }
    held.set(bytes, size);
    size += bytes.byteLength;
  }

  const heldText = () => new TextDecoder().decode(held.subarray(0, size), { stream: true });

  const unexpected = () => {
    const { status, redact = (text: string) => text } = options;
    return new UnexpectedContentError({
      status,
      // The body may repeat a secret.
      contentType: redact(mediaType) === mediaType ? mediaType : '',
      snippet: redact(heldText().slice(0, 4_096)),
    });
  };

  return {
    push(bytes) {
      if (kind === 'unknown') {
        start = longerStart(start, bytes);
        kind = sniffKind();
      }
      if (kind === 'events' && size === 0) return parser.push(bytes);
      hold(bytes);
      if (kind === 'events') {
        const all = held.subarray(0, size);
        held = new Uint8Array();
        size = 0;
        return parser.push(all);
      }
      // A few hundred bytes are enough to tell what it is.
      if (kind === 'other' && size >= 256) throw unexpected();
      if (size > maxEventSize) {
        throw new StreamError({
          message: `The response is larger than ${maxEventSize} bytes (maxEventSize).`,
          retryable: false,
        });
      }
      return [];
    },
    end() {
      if (kind === 'events') return parser.end().flatMap((event) => whole(event, maxEventValues));
      const text = heldText();
      const events = eventsOfJson(text, maxEventValues);
      if (events !== undefined) return events;
      // An empty answer with the right type, or without one, is an empty stream.
      if ((isEventStream || mediaType === '') && text.trim() === '') return [];
      throw unexpected();
    },
  };
}

/**
 * An event that is complete although its blank line never came: a whole chunk, `[DONE]`, or an error. Returns a list,
 * empty if the event is incomplete. The stream ended normally, and some servers forget that line
 * (openai-node#2725).
 */
function whole(message: EventSourceMessage, maxEventValues: number | undefined): readonly AnswerMessage[] {
  const { event, data } = message;
  if (event === 'error' || endMarkOf(data) !== -1) return [message];
  const pieces = piecesOf(data, maxEventValues);
  if (pieces.length > 1) return pieces.some(({ value }) => value !== undefined) ? [message] : [];
  // Parsed only once.
  const json = pieces[0]?.value;
  return json === undefined ? [] : [{ ...message, json }];
}

/**
 * Finds errors between the events as bare JSON, on one line or several: gateways forward an upstream error
 * unchanged (lemonade#2826).
 */
function strayErrors(): (line: string) => EventSourceMessage | undefined {
  let held = '';
  return (line) => {
    const isStart = /^[[{]/.test(line);
    held = isStart ? line : `${held}\n${line}`;
    if (held.length > maxErrorSize) held = '';
    // An indented line continues the JSON, so each line is parsed only once.
    if (!/^(?:[[{].*)?[\]}]\s*$/.test(line)) return undefined;
    const data = held;
    held = '';
    return readProviderError(parseJson(data)) === undefined ? undefined : { data };
  };
}

/** White space, or a byte of a byte order mark. */
const blanks: readonly (number | undefined)[] = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xef, 0xbb, 0xbf];

/** The first few characters of an answer, without leading blanks. Only ASCII matters here. */
function longerStart(start: string, bytes: Uint8Array): string {
  let first = 0;
  if (start === '') while (blanks.includes(bytes[first])) first += 1;
  return start + String.fromCharCode(...bytes.subarray(first, first + 8));
}

/** The events that a whole JSON answer represents; `undefined` if it is not a completion. */
function eventsOfJson(text: string, maxEventValues: number | undefined): AnswerMessage[] | undefined {
  const json = parseJson(text, maxEventValues);
  if (readProviderError(json) !== undefined) return [{ data: text, json }];
  const choices = isRecord(json) ? own(json, 'choices') : undefined;
  if (!isRecord(json) || !Array.isArray(choices)) return undefined;
  return [{ data: text, json: { ...json, choices: choices.map(withDelta) } }];
}

const withDelta = (choice: unknown): unknown =>
  isRecord(choice) ? { ...choice, delta: own(choice, 'message') } : choice;
