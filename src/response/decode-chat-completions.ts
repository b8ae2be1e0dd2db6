import type { EventSourceMessage } from 'eventsource-parser';
import { type OperatorFunction, pipe, type SchedulerLike } from 'rxjs';
import type { ResponseEvent } from '../turn/events.js';
import type { AnswerReader } from './body-reader.js';
import { readEvents } from './read-events.js';
import { toResponseEvents, type ToResponseEventsOptions } from './to-response-events.js';

export interface DecodeChatCompletionsOptions extends Pick<
  ToResponseEventsOptions,
  | 'includeChunks'
  | 'deltas'
  | 'finishTimeout'
  | 'maxEventValues'
  | 'onMalformed'
  | 'onNameless'
  | 'onBreak'
  | 'provider'
  | 'random'
> {
  /** For `finishTimeout` and the grace after `[DONE]`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Decodes the server-sent events of one Chat Completions answer into the events of a turn.
 *
 * At `[DONE]` it emits `completed` and completes; it then keeps reading the source, dropping what
 * comes, until that ends or 1,000 ms have passed, so that the connection can be used again. An
 * unsubscribe before `completed` ends the source at once. A source that completes without `[DONE]`
 * gives `completed` too, and so does one that breaks, or is silent for `finishTimeout`, after each choice has had its
 * finish reason. Data that is not JSON is skipped.
 *
 * ```
 * source   --{"choices":[{"delta":{"content":"Hi"}}]}--[DONE]---|
 *          decodeChatCompletions()
 * result   --output_item_done "Hi"---------------------(completed|)
 * ```
 *
 * @example
 * ```ts
 * bytes.pipe(decodeEventStream(), decodeChatCompletions()).subscribe((event) => console.log(event.type));
 * ```
 *
 * Errors with a `ProviderStreamError` where the provider reports an error, and with a `StreamError` where one event
 * holds more than `maxEventValues`.
 */
export function decodeChatCompletions(
  options: DecodeChatCompletionsOptions = {},
): OperatorFunction<EventSourceMessage, ResponseEvent> {
  return pipe(
    readEvents(() => singly, { scheduler: options.scheduler }),
    toResponseEvents(options),
  );
}

/** Events that are there already, one by one. */
const singly: AnswerReader<EventSourceMessage> = {
  push: (message) => [message],
  end: () => [],
};
