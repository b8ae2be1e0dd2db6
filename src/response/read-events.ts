import type { EventSourceMessage } from 'eventsource-parser';
import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { type EndingReader, untilEnd } from '../flow/until-end.js';
import type { AnswerReader } from './body-reader.js';

export interface ReadEventsOptions {
  /** Which parts are emitted, as signs of life: those that complete an event, or all. Default `'events'`. */
  readonly pass?: 'events' | 'bytes' | undefined;
  /** Times the grace period after `[DONE]`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
  /** Called with the number of events in a part, up to `[DONE]`. */
  readonly onEvents?: ((count: number) => void) | undefined;
  /** Called when `[DONE]` arrives. */
  readonly onDone?: (() => void) | undefined;
  /** Maps the source's error. Default: unchanged. */
  readonly errorOf?: ((error: unknown) => unknown) | undefined;
}

/**
 * Reads the server-sent events of an answer: an array of those that each part completes, up to and including
 * `[DONE]`.
 *
 * At `[DONE]` it completes and keeps the connection for the next turn, as {@link untilEnd} does. The subscriber owns
 * each array and empties it after reading, so operators that keep their last value, such as RxJS's `timeout`,
 * retain no events.
 *
 * ```
 * source   --data--(data data)--[DONE]-----|
 *          readEvents(reader)
 * result   --[e]---[e,e]--------([D]|)
 * read     ^-------------------------------!
 * ```
 */
export function readEvents<T>(
  readerOf: () => AnswerReader<T>,
  options: ReadEventsOptions = {},
): OperatorFunction<T, EventSourceMessage[]> {
  return untilEnd(() => untilDone(readerOf(), options), options.scheduler);
}

function untilDone<T>(
  reader: AnswerReader<T>,
  { pass = 'events', onEvents, onDone, errorOf }: ReadEventsOptions,
): EndingReader<T, EventSourceMessage[]> {
  let done = false;

  function take(events: EventSourceMessage[]): EventSourceMessage[] | undefined {
    // Anything but silence after the end tells `untilEnd` to stop a source that nothing else could end.
    if (done) return events.length > 0 ? events : undefined;
    const place = events.findIndex(hasEndMark);
    const last = events[place];
    if (last !== undefined) {
      done = true;
      events.length = place;
      // If a line feed is missing, the mark is part of the event before it.
      const data = last.data.slice(0, endMarkOf(last.data));
      if (data !== '') events.push({ ...last, data });
      onDone?.();
    }
    onEvents?.(events.length);
    if (done) events.push(endOfAnswer);
    return events.length > 0 || pass === 'bytes' ? events : undefined;
  }

  return {
    read: (part) => take(reader.push(part)),
    isDone: () => done,
    end: () => take(reader.end()),
    errorOf,
  };
}

const hasEndMark = ({ data }: EventSourceMessage): boolean => endMarkOf(data) !== -1;

/** The event for `[DONE]`, however it is spelled. */
const endOfAnswer: EventSourceMessage = /* @__PURE__ */ Object.freeze({ data: '[DONE]' });

/**
 * The index of the `[DONE]` that ends an event's data, whether alone, on a separate line or directly after a chunk; -1
 * if there is none.
 */
export function endMarkOf(data: string): number {
  // Nearly every event ends with a brace.
  if (data.charCodeAt(data.length - 1) === 0x7d) return -1;
  const text = data.trimEnd();
  if (!text.endsWith('[DONE]')) return -1;
  const before = text.slice(0, -'[DONE]'.length);
  // Some servers write the field name twice.
  const said = before
    .trimEnd()
    .replace(/data:$/, '')
    .trimEnd();
  const isApart = said === '' || said.endsWith('}') || /[\r\n]/.test(before.slice(said.length));
  return isApart ? said.length : -1;
}
