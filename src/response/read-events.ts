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
 * An answer to the server-sent events in it: those that each part completes, until `[DONE]`, which is the
 * last of them.
 *
 * At `[DONE]` it completes and keeps the connection for the next turn, as {@link untilEnd} does. Each array is the
 * subscriber's own, to be emptied once it is read: what holds on to its last value, such as RxJS's `timeout`,
 * then holds nothing of it.
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
    // What is more than silence after the end tells `untilEnd` to stop a source that nothing else could end.
    if (done) return events.length > 0 ? events : undefined;
    const place = events.findIndex(hasEndMark);
    const last = events[place];
    if (last !== undefined) {
      done = true;
      events.length = place;
      // One line feed too few, and the mark stands in the event before it.
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

/** What `[DONE]` becomes, however it is written. */
const endOfAnswer: EventSourceMessage = /* @__PURE__ */ Object.freeze({ data: '[DONE]' });

/**
 * Where data says that the answer is complete: the index of `[DONE]` at its end, alone, in a line of its own or
 * behind a chunk; -1 where it does not.
 */
export function endMarkOf(data: string): number {
  // Nearly every event ends with a brace.
  if (data.charCodeAt(data.length - 1) === 0x7d) return -1;
  const text = data.trimEnd();
  if (!text.endsWith('[DONE]')) return -1;
  const before = text.slice(0, -'[DONE]'.length);
  // Some write the name of the field twice.
  const said = before
    .trimEnd()
    .replace(/data:$/, '')
    .trimEnd();
  const isApart = said === '' || said.endsWith('}') || /[\r\n]/.test(before.slice(said.length));
  return isApart ? said.length : -1;
}
