/**
 * A server-sent event, as emitted by `toServerSentEvents()`, `toChatCompletionChunks()` and
 * `decodeEventStream()`. `encodeEventStream()` writes it as text, and `fromServerSentEvents()` reads it.
 */
export interface ServerSentMessage {
  readonly data: string;
  /** The event's name, if it has one. */
  readonly event?: string | undefined;
  readonly id?: string | undefined;
}

/**
 * Checks that `event` and `id` fit on one line of an event stream, and that the data is a string.
 *
 * @throws TypeError if not, without quoting the field
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
 * Whether an id can be sent back as a `Last-Event-ID`, by `EventSource` and `fetch`, through proxies: 1 to
 * 1,024 visible ASCII characters.
 */
export const isEventId = (id: unknown): id is string =>
  typeof id === 'string' && /^[\x21-\x7e]{1,1024}$/.test(id);
