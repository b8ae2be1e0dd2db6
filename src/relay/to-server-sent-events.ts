import { map, type OperatorFunction, pipe } from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import { type ServerSentEventsOptions, serverSentMessages } from './server-sent-protocol.js';

/**
 * Writes a turn as server-sent events, for the HTTP answer (`text/event-stream`) of a backend to its
 * own front end, which reads it with `fromServerSentEvents()` or with an `EventSource`.
 *
 * Each event is one message, its JSON as the data. The last message is `data: [DONE]`, or where the
 * source errors an event named `error`, and then it completes: a front end can tell a turn that ended
 * from a connection that was cut. Unless `toError` says otherwise, the front end learns of an error no
 * more than its name, status, code and `retryAfter`. Silence is filled with comments.
 *
 * ```
 * source   --Hel--lo--(completed|)
 *          toServerSentEvents()
 * result   --'data: {…Hel…}'--'data: {…lo…}'--('data: {…completed…}' 'data: [DONE]'|)
 * ```
 *
 * @example
 * ```ts
 * response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
 * const writing = turn.pipe(toServerSentEvents()).subscribe({
 *   next: (text) => response.write(text),
 *   complete: () => response.end(),
 * });
 * response.on('close', () => writing.unsubscribe()); // aborts the turn
 * ```
 *
 * It errors only with what `toError` throws.
 *
 * @throws TypeError where `heartbeat` is no number of at least 1
 */
export function toServerSentEvents(
  options: ServerSentEventsOptions = {},
): OperatorFunction<ResponseEvent, string> {
  return pipe(
    serverSentMessages(options),
    map(({ type, data }) => {
      // Nobody listens to a comment, and it counts as life all the same.
      if (type === 'ping') return ': ping\n\n';
      return type === undefined ? `data: ${data}\n\n` : `event: ${type}\ndata: ${data}\n\n`;
    }),
  );
}
