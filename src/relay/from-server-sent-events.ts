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
  /** How many values of JSON a message may hold, opening brackets, commas and colons counted. Default 1,000,000. */
  readonly maxEventValues?: number | undefined;
  /** For the grace after `[DONE]`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** An event, and the `id` of the message that it came in, where that had one: what to send as `Last-Event-ID`. */
export type ReceivedEvent<E extends RunEvent = ResponseEvent> = E & { readonly id?: string };

/**
 * Reads the events of a turn, or of a run, from server-sent events: the inverse of `toServerSentEvents()`.
 *
 * What comes is given as it comes. Where the backend sends a run, say so: `fromServerSentEvents<RunEvent>()`.
 *
 * At `[DONE]` it completes; it then keeps reading the source, dropping what comes, until that ends or 1,000 ms
 * have passed, so that the connection can be used again. Unsubscribing at a `completed` or a `run_completed` leaves it
 * that grace too, unless another event follows; any earlier unsubscribe ends the source at once.
 *
 * An event has the `id` of its message. Whoever was cut off asks for the rest with the last of them as `Last-Event-ID`,
 * where the backend can go on from there, as it can with a shared turn.
 *
 * The error of a `retrying`, `restarting` or `tool_finished` event is made anew, without what the backend keeps to itself:
 * a `RemoteTurnError` has the `code` of a `ToolError`. Skipped is what only
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
 *
 * response.body
 *   .pipe(decodeEventStream(), fromServerSentEvents<RunEvent>(), toRunState())
 *   .subscribe((state) => render(state));
 * ```
 *
 * Errors with a `RemoteTurnError` if the turn failed on the server, and with a `StreamError` if the stream
 * ends without `[DONE]`, holds something else, or holds more
 * than `maxEventValues` in one message. Errors of the source pass, until `[DONE]`.
 */
export function fromServerSentEvents<T extends RunEvent = ResponseEvent>(
  options: FromServerSentEventsOptions = {},
): OperatorFunction<ServerSentMessage, ReceivedEvent<T | ResponseEvent>> {
  // Which of them come is the backend's to know, and the caller's to say.
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
    // More may follow in the stream, or the end mark.
    mayBeDone: () => mayBeLast,
    end: () => {
      throw new StreamError({ message: "The backend's stream ended before the end of the turn." });
    },
  };
}

/** Of the message alone: what the data has under this name is none. */
function withId(event: RunEvent, id: string | undefined): ReceivedEvent<RunEvent> {
  if (isEventId(id)) return { ...event, id };
  if (!Object.hasOwn(event, 'id')) return event;
  const { id: _id, ...rest } = event as RunEvent & { readonly id?: unknown };
  return rest;
}
