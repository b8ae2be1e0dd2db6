import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { StreamError } from '../turn/errors.js';
import type { ResponseEvent } from '../turn/events.js';
import type { RunEvent } from '../turn/run-events.js';
import { type EndingReader, untilEnd } from '../flow/until-end.js';
import { isRecord, own, parseJson } from '../turn/wire.js';
import { readRunEvent } from './read-run-event.js';
import { RemoteTurnError } from './remote-turn-error.js';
import { isEventId, type ServerSentMessage } from './server-sent-message.js';
import { endMark, readReport } from './server-sent-protocol.js';

export interface FromServerSentEventsOptions {
  /**
   * Maximum number of JSON values in a message, counted as opening brackets, commas and colons. Default
   * 1,000,000.
   */
  readonly maxEventValues?: number | undefined;
  /** Times the grace period after `[DONE]`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** An event with the `id` of its message, if it had one, to send as `Last-Event-ID`. */
export type ReceivedEvent<E extends RunEvent = ResponseEvent> = E & { readonly id?: string };

/**
 * Reads the events of a turn, or of a run, from server-sent events: the inverse of `toServerSentEvents()`.
 *
 * If the backend sends a run, set the type: `fromServerSentEvents<RunEvent>()`.
 *
 * It completes at `[DONE]`, then keeps reading and dropping until the source ends or 1,000 ms have passed, so
 * that the connection can be reused. Unsubscribing at a `completed` or a `run_completed` leaves that grace
 * period too, unless another event follows; an earlier unsubscribe ends the source at once.
 *
 * An event has the `id` of its message. After a disconnect, send the last one as `Last-Event-ID` to get the
 * rest, if the backend supports it, as it does with a shared turn.
 *
 * The error of a `retrying`, `restarting` or `tool_finished` event is rebuilt from what the backend sends: a
 * `RemoteTurnError` has the `code` of a `ToolError`. Events of a later version of this library are skipped, and
 * so are events with other names, which the backend may send for its own purposes.
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
 *
 * response.body
 *   .pipe(decodeEventStream(), fromServerSentEvents<RunEvent>(), toRunState())
 *   .subscribe((state) => render(state));
 * ```
 *
 * Errors with a `RemoteTurnError` if the turn failed on the server, and with a `StreamError` if the stream ends
 * without `[DONE]`, contains anything else, or exceeds `maxEventValues` in one message. Errors of the source
 * pass until `[DONE]`.
 */
export function fromServerSentEvents<T extends RunEvent = ResponseEvent>(
  options: FromServerSentEventsOptions = {},
): OperatorFunction<ServerSentMessage, ReceivedEvent<T | ResponseEvent>> {
  // Only the caller knows which events the backend sends.
  const reader = () =>
    messageReader(options) as EndingReader<ServerSentMessage, ReceivedEvent<T | ResponseEvent>>;
  return untilEnd(reader, options.scheduler);
}

function messageReader({
  maxEventValues,
}: FromServerSentEventsOptions): EndingReader<ServerSentMessage, ReceivedEvent<RunEvent>> {
  let isDone = false;
  let mayBeLast = false;

  function read({ data, event = '', id }: ServerSentMessage): ReceivedEvent<RunEvent> | undefined {
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
    const runEvent = readRunEvent(value);
    if (runEvent === undefined) return undefined;
    mayBeLast = runEvent.type === 'completed' || runEvent.type === 'run_completed';
    return withId(runEvent, id);
  }

  return {
    read,
    isDone: () => isDone,
    // More events may follow, or the end mark.
    mayBeDone: () => mayBeLast,
    end: () => {
      throw new StreamError({ message: "The backend's stream ended before the end of the turn." });
    },
  };
}

/** Only the message's: an `id` in the data does not count. */
function withId(event: RunEvent, id: string | undefined): ReceivedEvent<RunEvent> {
  if (isEventId(id)) return { ...event, id };
  if (!Object.hasOwn(event, 'id')) return event;
  const { id: _id, ...rest } = event as RunEvent & { readonly id?: unknown };
  return rest;
}
