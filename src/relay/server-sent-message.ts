/**
 * A server-sent event: what `toServerSentEvents()` and `toChatCompletionChunks()` give, `encodeEventStream()`
 * writes as text, and `fromServerSentEvents()` reads. The messages of `decodeEventStream()` are such.
 */
export interface ServerSentMessage {
  readonly data: string;
  /** The event's name, if it has one. */
  readonly event?: string | undefined;
  readonly id?: string | undefined;
}

/**
 * Checks that every field of a message is one line of an event stream, or for its data lines.
 *
 * @throws TypeError if one is not; its text is not in the message
 */
export function checkMessage({ data, event = '', id = '' }: ServerSentMessage): void {
  if (typeof data !== 'string') throw new TypeError('The data of a server-sent event must be a string.');
  if (typeof event !== 'string' || /[\r\n]/.test(event)) {
    throw new TypeError('The event of a server-sent event must be a string without line breaks.');
  }
  // A client ignores an id with a NUL (WHATWG HTML, 9.2.6).
  if (typeof id !== 'string' || /[\r\n\0]/.test(id)) {
    throw new TypeError('The id of a server-sent event must be a string without line breaks or NUL.');
  }
}

/**
 * Whether an id can be sent back as a `Last-Event-ID`, by an `EventSource` as by `fetch`, and past proxies: 1 to 1,024
 * visible characters of ASCII.
 */
export const isEventId = (id: unknown): id is string =>
  typeof id === 'string' && /^[\x21-\x7e]{1,1024}$/.test(id);
