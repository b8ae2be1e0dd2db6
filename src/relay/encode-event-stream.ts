import { map, type OperatorFunction, pipe } from 'rxjs';
import { heartbeat, type HeartbeatOptions } from './heartbeat.js';
import { checkMessage, type ServerSentMessage } from './server-sent-message.js';

/**
 * Encodes server-sent events as text (`text/event-stream`), by the rules of the WHATWG standard: the
 * inverse of `decodeEventStream()`.
 *
 * Each message becomes one string, data of several lines as several `data:` lines. Silence is filled with
 * comments.
 *
 * ```
 * source   --{data: 'a'}-------{event: 'x', data: 'b'}----------|
 *          encodeEventStream()
 * result   --"data: a\n\n"-----"event: x\ndata: b\n\n"----------|
 * ```
 *
 * What is decoded again is the same message, except that
 * - every line break in the data is a `\n` then, since CR, LF and CRLF all end a line;
 * - an empty `event` is none;
 * - half a surrogate pair is a replacement character, as everywhere in UTF-8.
 *
 * @example
 * ```ts
 * response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
 * const writing = turn.pipe(toServerSentEvents(), encodeEventStream()).subscribe({
 *   next: (text) => response.write(text),
 *   complete: () => response.end(),
 * });
 * response.on('close', () => writing.unsubscribe()); // aborts the turn
 * ```
 *
 * Errors with a `TypeError` at a message that cannot be written: its `event` or `id` has a line break, or
 * its `id` a NUL.
 *
 * @throws TypeError if `heartbeat` is not a number of at least 1
 */
export function encodeEventStream(
  options: HeartbeatOptions = {},
): OperatorFunction<ServerSentMessage, string> {
  return pipe(
    map(encode),
    // Nobody listens to a comment, and it counts as life all the same.
    heartbeat(() => ': ping\n\n', options),
  );
}

function encode(message: ServerSentMessage): string {
  checkMessage(message);
  const { data, event = '', id } = message;
  const lines = data.replace(/\r\n|\r|\n/g, '\ndata: ');
  return `${event && `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}data: ${lines}\n\n`;
}
