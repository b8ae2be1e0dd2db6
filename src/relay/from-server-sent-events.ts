import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { StreamError } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import { type EndingReader, untilEnd } from '../flow/until-end.js';
import { isRecord, own, parseJson } from '../turn/wire.js';
import { readResponseEvent } from './read-response-event.js';
import { RemoteTurnError } from './remote-turn-error.js';
import type { ServerSentMessage } from './server-sent-message.js';
import { endMark, readReport } from './server-sent-protocol.js';

export interface FromServerSentEventsOptions {
  /** How many values of JSON a message may hold, opening brackets, commas and colons counted. Default 1,000,000. */
  readonly maxEventValues?: number | undefined;
  /** For the grace after `[DONE]`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Reads the events of a turn from server-sent events: the inverse of `toServerSentEvents()`.
 *
 * At `[DONE]` it completes; it then keeps reading the source, dropping what comes, until that ends or 1,000 ms
 * have passed, so that the connection can be used again. Unsubscribing at a `completed` leaves it that grace
 * too, unless another turn follows; any earlier unsubscribe ends the source at once.
 *
 * The error of a `retrying` or `restarting` event is made anew, without what the backend keeps to itself. Skipped is what only
 * a later version of this library knows, and events of other names, which the backend may send in between
 * for its own purposes.
 *
 * ```
 * source   --{data: '{…Hel…}'}--{data: '{…completed…}'}--{data: '[DONE]'}--|
 *          fromServerSentEvents()
 * result   --Hel----------------completed----------------|
 * ```
 *
 * @example
 * ```ts
 * response.body
 *   .pipe(decodeEventStream(), fromServerSentEvents(), textDeltas())
 *   .subscribe((text) => show(text));
 * ```
 *
 * Errors with a `RemoteTurnError` if the turn failed on the server, and with a `StreamError` if the stream
 * ends without `[DONE]`, holds something else, or holds more
 * than `maxEventValues` in one message. Errors of the source pass, until `[DONE]`.
 */
export function fromServerSentEvents(
  options: FromServerSentEventsOptions = {},
): OperatorFunction<ServerSentMessage, ResponseEvent> {
  return untilEnd(() => messageReader(options), options.scheduler);
}

function messageReader({
  maxEventValues,
}: FromServerSentEventsOptions): EndingReader<ServerSentMessage, ResponseEvent> {
  let isDone = false;
  let isCompleted = false;

  function read({ data, event = '' }: ServerSentMessage): ResponseEvent | undefined {
    if (isDone || !(event === '' || event === 'message' || event === 'error')) return undefined;
    if (event !== 'error' && data === endMark) {
      isDone = true;
      return undefined;
    }
    const value = parseJson(data, maxEventValues);
    const fields = isRecord(value) ? value : {};
    if (event === 'error' || own(fields, 'type') === 'error') {
      throw new RemoteTurnError(readReport(own(fields, 'error')));
    }
    const responseEvent = readResponseEvent(value);
    if (responseEvent !== undefined) isCompleted = responseEvent.type === 'completed';
    return responseEvent;
  }

  return {
    read,
    isDone: () => isDone,
    // Another turn may follow in the stream, or the end mark.
    mayBeDone: () => isCompleted,
    end: () => {
      throw new StreamError({ message: "The backend's stream ended before the end of the turn." });
    },
  };
}
