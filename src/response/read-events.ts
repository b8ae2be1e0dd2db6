import type { EventSourceMessage } from 'eventsource-parser';
import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { type EndingReader, untilEnd } from '../flow/until-end.js';
import type { AnswerReader } from './body-reader.js';

export interface ReadEventsOptions {
  /** Which parts are passed on, as signs of life: those that complete an event, or all. Default `'events'`. */
  readonly pass?: 'events' | 'bytes' | undefined;
  /** For the grace after `[DONE]`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
  /** Told how many events have come with a part, those before `[DONE]`. */
  readonly onEvents?: ((count: number) => void) | undefined;
  /** Told that `[DONE]` has come. */
  readonly onDone?: (() => void) | undefined;
  /** The error in place of the source's own. Default: that one. */
  readonly errorOf?: ((error: unknown) => unknown) | undefined;
}

/**
 * An answer to the server-sent events in it: those that each part completes, until `[DONE]` (C11, C12).
 *
 * At `[DONE]` it completes and keeps the connection for the next turn, as {@link untilEnd} does. Each array is the
 * subscriber's own, to be emptied once it is read: what holds on to its last value, such as RxJS's `timeout`,
 * then holds nothing of it.
 *
 * ```
 * source   --data--(data data)--[DONE]-----|
 *          readEvents(reader)
 * result   --[e]---[e,e]--------|
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
    const end = done ? -1 : events.findIndex(isDone);
    if (end !== -1) {
      done = true;
      events.length = end;
      onDone?.();
    }
    if (!done || end !== -1) onEvents?.(events.length);
    return events.length > 0 || (pass === 'bytes' && !done) ? events : undefined;
  }

  return {
    read: (part) => take(reader.push(part)),
    isDone: () => done,
    end: () => take(reader.end()),
    errorOf,
  };
}

/** Whether an event says that the answer is complete (C12). */
export function isDone({ data }: EventSourceMessage): boolean {
  // Nearly every event begins with a brace.
  return data.charCodeAt(0) !== 0x7b && data.trim() === '[DONE]';
}
