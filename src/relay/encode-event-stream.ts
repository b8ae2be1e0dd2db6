import { map, type OperatorFunction, pipe } from 'rxjs';
import { heartbeat, type HeartbeatOptions } from './heartbeat.js';
import { checkMessage, type ServerSentMessage } from './server-sent-message.js';

/**
 * Encodes server-sent events as text (`text/event-stream`), following the WHATWG standard: the inverse of
 * `decodeEventStream()`.
 *
 * Each message becomes one string, with one `data:` line for each line of its data. During silence it sends
 * comments.
 *
 * ```
 * source   --{data: 'a'}-------{event: 'x', data: 'b'}----------|
 *          encodeEventStream()
 * result   --"data: a\n\n"-----"event: x\ndata: b\n\n"----------|
 * ```
 *
 * Decoding gives the same message, except that
 * - every line break in the data becomes `\n`, since CR, LF and CRLF all end a line;
 * - an empty `event` is dropped;
 * - half a surrogate pair becomes a replacement character, as always in UTF-8.
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
 * Errors with a `TypeError` if the `event` or `id` of a message has a line break, or the `id` a NUL.
 *
 * @throws TypeError if `heartbeat` is not a number of at least 1
 */
export function encodeEventStream(
  options: HeartbeatOptions = {},
): OperatorFunction<ServerSentMessage, string> {
  return pipe(
    map(encode),
    // Clients ignore comments, but they keep the connection alive.
    heartbeat(() => ': ping\n\n', options),
  );
}

function encode(message: ServerSentMessage): string {
  checkMessage(message);
  const { data, event = '', id } = message;
  const lines = data.replace(/\r\n|\r|\n/g, '\ndata: ');
  return `${event && `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}data: ${lines}\n\n`;
}
