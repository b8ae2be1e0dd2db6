import { catchError, endWith, filter, map, of, type OperatorFunction, pipe } from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import type { ServerSentMessage } from './server-sent-message.js';
import { endMark, publicFields, readReport, type TurnErrorReport } from './server-sent-protocol.js';

export interface ToServerSentEventsOptions {
  /**
   * What the front end is told about an error, including that of a `retrying` or `restarting` event. Default: its name,
   * status, code and `retryAfter`, which hold nothing that the provider, the user or the model said, and
   * about an error that is not this library's nothing at all.
   */
  readonly toError?: ((error: unknown) => TurnErrorReport) | undefined;
}

/**
 * Turns the events of a turn into server-sent events, for the HTTP answer of a backend to its own front
 * end: the inverse of `fromServerSentEvents()`.
 *
 * Each event is one message, its JSON as the data. The last message is `[DONE]`, or if the source errors
 * an event named `error`: a front end can tell a turn that ended from a connection that was cut.
 * `encodeEventStream()` writes the messages as text, `toMessageEvents()` hands them to NestJS. An
 * `EventSource` reads them too.
 *
 * Progress of a call whose name or id is longer than 1,024 UTF-16 code units is left out, since each of its
 * messages would repeat them; the call arrives whole.
 *
 * ```
 * source   --Hel----------------lo---------------(completed|)
 *          toServerSentEvents()
 * result   --{data: '{…Hel…}'}--{data: '{…lo…}'}--({data: '{…completed…}'}{data: '[DONE]'}|)
 * ```
 *
 * @example
 * ```ts
 * turn.pipe(toServerSentEvents(), encodeEventStream()).subscribe((text) => response.write(text));
 * ```
 *
 * Errors only with what `toError` throws.
 */
export function toServerSentEvents(
  options: ToServerSentEventsOptions = {},
): OperatorFunction<ResponseEvent, ServerSentMessage> {
  const { toError = publicFields } = options;
  const reportOf = (error: unknown) => readReport(toError(error));
  return pipe(
    filter(isWorthwhile),
    map((event): ServerSentMessage => ({
      data: JSON.stringify('error' in event ? { ...event, error: reportOf(event.error) } : event),
    })),
    endWith({ data: endMark }),
    catchError((error: unknown) =>
      of<ServerSentMessage>({
        data: JSON.stringify({ type: 'error', error: reportOf(error) }),
        event: 'error',
      }),
    ),
  );
}

const maxIdentityLength = 1_024;

/** A name or an id of 1 MiB would be written with each of the call's deltas: a stream of 1 MiB became one of 300. */
const isWorthwhile = (event: ResponseEvent): boolean =>
  event.type !== 'function_call_arguments_delta' ||
  Math.max(event.callId.length, event.name.length) <= maxIdentityLength;
