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
  /** Times `finishTimeout` and the grace period after `[DONE]`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Decodes the server-sent events of one Chat Completions response into the events of a turn.
 *
 * At `[DONE]` it emits `completed` and completes, then keeps reading and dropping until the source ends or
 * 1,000 ms have passed, so that the connection can be reused. Unsubscribing before `completed` ends the source
 * at once. It also emits `completed` if the source completes without `[DONE]`, or if it breaks or is silent for
 * `finishTimeout` after each choice has had its finish reason. Data that is not JSON is skipped.
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
 * Errors with a `ProviderStreamError` if the provider reports an error, and with a `StreamError` if an event
 * exceeds `maxEventValues`.
 */
export function decodeChatCompletions(
  options: DecodeChatCompletionsOptions = {},
): OperatorFunction<EventSourceMessage, ResponseEvent> {
  return pipe(
    readEvents(() => singly, { scheduler: options.scheduler }),
    toResponseEvents(options),
  );
}

/** Emits existing events one by one. */
const singly: AnswerReader<EventSourceMessage> = {
  push: (message) => [message],
  end: () => [],
};
