import { map, type OperatorFunction, pipe } from 'rxjs';
import { heartbeat, type HeartbeatOptions } from './heartbeat.js';
import { checkMessage, type ServerSentMessage } from './server-sent-message.js';

/** A server-sent event in the shape of NestJS's `MessageEvent`. */
export interface MessageEventLike {
  readonly data: string;
  /** The event's name, if it has one. */
  readonly type?: string;
  readonly id?: string;
}

/**
 * Converts server-sent events for NestJS's `@Sse()`, which writes them as text; elsewhere use
 * `encodeEventStream()`.
 *
 * NestJS calls an event's name its `type`. During silence it sends events named `ping`, since not every NestJS
 * version sends comments.
 *
 * ```
 * source   --{data: 'a'}--{event: 'x', data: 'b'}--|
 *          toMessageEvents()
 * result   --{data: 'a'}--{type: 'x', data: 'b'}---|
 * ```
 *
 * @example
 * ```ts
 * @Sse('chat')
 * chat(@Query('question') question: string) {
 *   return streamChatCompletions(question, options).pipe(toServerSentEvents(), toMessageEvents());
 * }
 * ```
 *
 * Errors with a `TypeError` if the `event` or `id` of a message has a line break, or the `id` a NUL.
 *
 * @throws TypeError if `heartbeat` is not a number of at least 1
 */
export function toMessageEvents(
  options: HeartbeatOptions = {},
): OperatorFunction<ServerSentMessage, MessageEventLike> {
  return pipe(
    map(rename),
    heartbeat<MessageEventLike>(() => ({ data: '{"type":"ping"}', type: 'ping' }), options),
  );
}

/** Always a new object: NestJS adds ids to the objects it gets. */
function rename(message: ServerSentMessage): MessageEventLike {
  checkMessage(message);
  const { data, event, id } = message;
  return { data, ...(event !== undefined && { type: event }), ...(id !== undefined && { id }) };
}
