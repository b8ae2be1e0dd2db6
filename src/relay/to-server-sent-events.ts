import { catchError, endWith, filter, map, of, type OperatorFunction, pipe } from 'rxjs';
import { isWithinDepth } from '../turn/extras.js';
import type { RunEvent } from '../turn/run-events.js';
import { writeJson } from '../turn/wire.js';
import { isEventId, type ServerSentMessage } from './server-sent-message.js';
import { endMark, publicFields, readReport, type TurnErrorReport } from './server-sent-protocol.js';

export interface ToServerSentEventsOptions {
  /**
   * What the front end is told about an error, including that of a `retrying`, `restarting` or `tool_finished` event. Default: its name,
   * status, code and `retryAfter`, which hold nothing that the provider, the user or the model said, and
   * about an error that is not this library's nothing at all.
   */
  readonly toError?: ((error: unknown) => TurnErrorReport) | undefined;
}

/**
 * Turns the events of a turn, or of a run, into server-sent events, for the HTTP answer of a backend to its own front
 * end: the inverse of `fromServerSentEvents()`.
 *
 * Each event is one message, its JSON as the data. The last message is `[DONE]`, or if the source errors
 * an event named `error`: a front end can tell a turn that ended from a connection that was cut.
 * `encodeEventStream()` writes the messages as text, `toMessageEvents()` hands them to NestJS. An
 * `EventSource` reads them too.
 *
 * An event with an `id`, such as those of shared turns, is a message with that `id`, which the data does not repeat: what a
 * client sends as `Last-Event-ID` to go on from there. Left out is one that no header can carry: any but 1 to 1,024 visible
 * characters of ASCII.
 *
 * Progress of a call whose name or id is longer than 1,024 UTF-16 code units is left out, since each of its
 * messages would repeat them; the call arrives whole. Left out, too, is a tool's progress that JSON cannot write (a cycle,
 * a BigInt, a function, more than 100 levels), and such `arguments` of a `tool_started`.
 *
 * Everything else that a run tells goes to the front end: calls, outputs, the `items` of `run_completed`. Filter or map
 * the events before, where it must not see them.
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
 *
 * turns
 *   .follow(id, { after: request.headers['last-event-id'] })
 *   .pipe(toServerSentEvents(), encodeEventStream())
 *   .subscribe((text) => response.write(text));
 * ```
 *
 * Errors only with what `toError` throws.
 */
export function toServerSentEvents(
  options: ToServerSentEventsOptions = {},
): OperatorFunction<RunEvent, ServerSentMessage> {
  const { toError = publicFields } = options;
  const reportOf = (error: unknown) => readReport(toError(error));
  return pipe(
    filter(isWorthwhile),
    map((received): ServerSentMessage => {
      const { id, event } = apart(received);
      const data = JSON.stringify(
        'error' in event && event.error !== undefined
          ? { ...event, error: reportOf(event.error) }
          : withWritableArguments(event),
      );
      return isEventId(id) ? { data, id } : { data };
    }),
    endWith({ data: endMark }),
    catchError((error: unknown) =>
      of<ServerSentMessage>({
        data: JSON.stringify({ type: 'error', error: reportOf(error) }),
        event: 'error',
      }),
    ),
  );
}

/** An event, and its place in a log if it has one. */
function apart(event: RunEvent): { readonly id?: unknown; readonly event: RunEvent } {
  if (!('id' in event)) return { event };
  const { id, ...rest } = event;
  return { id, event: rest };
}

const maxIdentityLength = 1_024;

/** A name or an id of 1 MiB would be written with each of the call's deltas: a stream of 1 MiB became one of 300. */
function isWorthwhile(event: RunEvent): boolean {
  if (event.type === 'function_call_arguments_delta')
    return Math.max(event.callId.length, event.name.length) <= maxIdentityLength;
  return event.type !== 'tool_progress' || isWritable(event.value);
}

/** Whether a value can be written, and read again. */
function isWritable(value: unknown): boolean {
  const json = writeJson(value);
  return json !== undefined && isWithinDepth(JSON.parse(json));
}

/** What an approval changed the arguments to may be anything that a schema makes of them. */
function withWritableArguments(event: RunEvent): RunEvent {
  if (event.type !== 'tool_started' || event.arguments === undefined || isWritable(event.arguments))
    return event;
  const { arguments: _arguments, ...started } = event;
  return started;
}
