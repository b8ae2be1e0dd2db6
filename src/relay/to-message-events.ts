import type { OperatorFunction } from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import {
  type ServerSentEventsOptions,
  type ServerSentMessage,
  serverSentMessages,
} from './server-sent-protocol.js';

/**
 * The messages of `toServerSentEvents()` as objects, for NestJS's `@Sse()`: `fromServerSentEvents()`
 * and an `EventSource` read what it sends.
 *
 * An error is a message too, whenever it comes: for one in the middle of a stream NestJS has a text of
 * its own. Silence is filled with events named `ping`, as not every NestJS sends comments.
 *
 * ```
 * source   --Hel--#
 *          toMessageEvents()
 * result   --{ data: '{…Hel…}' }--({ type: 'error', data: '{…}' }|)
 * ```
 *
 * @example
 * ```ts
 * @Sse('chat')
 * chat(@Query('question') question: string) {
 *   return streamChatCompletions(question, options).pipe(toMessageEvents());
 * }
 * ```
 *
 * It errors only with what `toError` throws.
 *
 * @throws TypeError where `heartbeat` is no number of at least 1
 */
export function toMessageEvents(
  options: ServerSentEventsOptions = {},
): OperatorFunction<ResponseEvent, ServerSentMessage> {
  return serverSentMessages(options);
}
