import { catchError, endWith, filter, map, of, type OperatorFunction, pipe } from 'rxjs';
import { isWithinDepth } from '../turn/extras.js';
import type { RunEvent } from '../turn/run-events.js';
import { writeJson } from '../turn/wire.js';
import { isEventId, type ServerSentMessage } from './server-sent-message.js';
import { endMark, publicFields, readReport, type TurnErrorReport } from './server-sent-protocol.js';

export interface ToServerSentEventsOptions {
  /**
   * The report that the front end gets of an error, also in a `retrying`, `restarting` or `tool_finished`
   * event. By default it sees only the name, status, code and `retryAfter`, never the words of the provider,
   * the user or the model, and nothing of an error that is not this library's.
   */
  readonly toError?: ((error: unknown) => TurnErrorReport) | undefined;
}

/**
 * Converts the events of a turn, or of a run, to server-sent events, for the response of a backend to its own
 * front end: the inverse of `fromServerSentEvents()`.
 *
 * Each event is one message with its JSON as the data. The last message is `[DONE]` or, if the source errors,
 * an event named `error`, so a front end can tell the end of a turn from a lost connection.
 * `encodeEventStream()` writes the messages as text, `toMessageEvents()` converts them for NestJS. An
 * `EventSource` can read them too.
 *
 * The `id` of an event, such as one of a shared turn, becomes the `id` of its message instead of its data; a
 * client sends it as `Last-Event-ID` to resume. An id that no header can carry is left out: it must have 1 to
 * 1,024 visible ASCII characters.
 *
 * Progress of a call whose name or id is longer than 1,024 UTF-16 code units is left out, since each message
 * would repeat them; the complete call is sent. A tool's progress, or the `arguments` of a `tool_started`, is
 * left out if JSON cannot represent it (a cycle, a BigInt, a function, more than 100 levels).
 *
 * Everything else in a run is sent to the front end: calls, outputs, the `items` of `run_completed`. Filter or
 * map the events first if it must not see them.
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
 * Errors only if `toError` throws.
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

/** Splits an event from its id, if it has one. */
function apart(event: RunEvent): { readonly id?: unknown; readonly event: RunEvent } {
  if (!('id' in event)) return { event };
  const { id, ...rest } = event;
  return { id, event: rest };
}

const maxIdentityLength = 1_024;

/** A name or id of 1 MiB would be repeated in each of the call's deltas: 1 MiB became 300. */
function isWorthwhile(event: RunEvent): boolean {
  if (event.type === 'function_call_arguments_delta')
    return Math.max(event.callId.length, event.name.length) <= maxIdentityLength;
  return event.type !== 'tool_progress' || isWritable(event.value);
}

/** Whether a value survives JSON. */
function isWritable(value: unknown): boolean {
  const json = writeJson(value);
  return json !== undefined && isWithinDepth(JSON.parse(json));
}

/** Arguments changed by an approval may be anything that a schema produces. */
function withWritableArguments(event: RunEvent): RunEvent {
  if (event.type !== 'tool_started' || event.arguments === undefined || isWritable(event.arguments))
    return event;
  const { arguments: _arguments, ...started } = event;
  return started;
}
