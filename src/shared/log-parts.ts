import { continues, append, type Delta, deltaOf, eventOf } from '../turn/delta.js';
import type { RunEvent } from '../turn/run-events.js';
import type { FunctionCallArgumentsDeltaEvent, OutputItemDoneEvent } from '../turn/events.js';
import { isTextDelta } from '../turn/is-text-delta.js';
import { parseJson } from '../turn/wire.js';
import { publicFields, readReport, type TurnErrorReport } from '../relay/server-sent-protocol.js';
import { readResponseEvent } from '../relay/read-response-event.js';
import { type EntryId, idText, readId } from './entry-id.js';
import type { LogEntry } from './turn-log.js';

// What stands in the data of an entry: one part, or several as a JSON list of strings. The first character of a part
// says what it is. 1,000 deltas of four characters take 14 kB eight to an entry; as JSON events they would take 150.
//
//   t…      a piece of the assistant's text          c   a runner has begun
//   r…      a piece of reasoning                     h   a heartbeat
//   a[…]    a piece of a call's arguments            l   the runner has left: another may take over at once
//   j{…}    any other event, as JSON                 .   the end
//   x{…}    the error that ended the turn

/** An event of a shared turn, and its place: what `Last-Event-ID` carries. */
export type Logged<E extends RunEvent = RunEvent> = E & { readonly id: string };

/** One part of a log. */
export type LogPart =
  | { readonly type: 'event'; readonly id: string; readonly event: RunEvent }
  | { readonly type: 'begun' | 'heartbeat' | 'left' | 'end'; readonly id: string }
  | { readonly type: 'error'; readonly id: string; readonly report: TurnErrorReport };

export const begun = 'c';
export const heartbeat = 'h';
export const left = 'l';
export const end = '.';
export const errorPart = (error: unknown): string => `x${JSON.stringify(readReport(publicFields(error)))}`;

/** An event as a part. */
export function eventPart(event: RunEvent): string {
  if (isBareText(event)) return `t${event.item.content[0].text}`;
  const thought = bareReasoning(event);
  if (thought !== undefined) return `r${thought}`;
  if (event.type === 'function_call_arguments_delta' && event.choice === undefined) {
    const { index, callId, name, delta } = event;
    return `a${JSON.stringify([index, callId, name, delta])}`;
  }
  const told = 'error' in event ? { ...event, error: readReport(publicFields(event.error)) } : event;
  return `j${JSON.stringify(told)}`;
}

const isBareText = (event: RunEvent): event is OutputItemDoneEvent & TextEvent =>
  isTextDelta(event as never) &&
  !('choice' in event) &&
  (event as unknown as TextEvent).item.content.length === 1;

interface TextEvent {
  readonly item: { readonly content: readonly [{ readonly text: string }] };
}

function bareReasoning(event: RunEvent): string | undefined {
  if (event.type !== 'output_item_done' || event.choice !== undefined || event.item.type !== 'reasoning')
    return undefined;
  const { content, reasoning_details: details, extras, provider } = event.item;
  const isBare =
    content.length === 1 && details === undefined && extras === undefined && provider === undefined;
  return isBare ? content[0]?.text : undefined;
}

/** The data of an entry for several parts. */
export const entryData = (parts: readonly string[]): string =>
  parts.length === 1 && parts[0] !== undefined ? parts[0] : JSON.stringify(parts);

/** The parts of an entry, each with its own place: the entry has that of its last. */
export function partsOf(entry: LogEntry): readonly LogPart[] {
  const last = readId(entry.id);
  const texts = textsOf(entry);
  if (last === undefined) return [];
  return texts.flatMap((text: unknown, place) => {
    const seq = last.seq - (texts.length - 1 - place);
    return typeof text === 'string' ? partOf(text, idText({ epoch: last.epoch, seq })) : [];
  });
}

function textsOf({ data }: LogEntry): readonly unknown[] {
  const texts = data.startsWith('[') ? parseJson(data) : [data];
  return Array.isArray(texts) ? texts : [];
}

/** The place of an entry's first part. */
export function firstOf(entry: LogEntry): EntryId | undefined {
  const last = readId(entry.id);
  return last && { epoch: last.epoch, seq: last.seq - Math.max(textsOf(entry).length - 1, 0) };
}

/** Whether an entry begins where the one before ends, or with an epoch: nothing is missing between. */
export function isNext(entry: LogEntry, before: string): boolean {
  const first = firstOf(entry);
  const last = readId(before);
  if (first === undefined) return true;
  if (last === undefined || first.epoch > last.epoch) return first.seq === 0;
  return first.seq <= last.seq + 1;
}

/** None for what only a later version knows. */
function partOf(text: string, id: string): readonly LogPart[] {
  const rest = text.slice(1);
  switch (text.charAt(0)) {
    case 't':
      return [{ type: 'event', id, event: textEvent(rest) }];
    case 'r':
      return [{ type: 'event', id, event: reasoningEvent(rest) }];
    case 'a':
      return argumentsEvent(rest).map((event) => ({ type: 'event', id, event }));
    case 'j': {
      const event = readResponseEvent(parseJson(rest));
      return event === undefined ? [] : [{ type: 'event', id, event }];
    }
    case 'x':
      return [{ type: 'error', id, report: readReport(parseJson(rest)) }];
    case begun:
      return [{ type: 'begun', id }];
    case heartbeat:
      return [{ type: 'heartbeat', id }];
    case left:
      return [{ type: 'left', id }];
    case end:
      return [{ type: 'end', id }];
    default:
      return [];
  }
}

const textEvent = (text: string): OutputItemDoneEvent => ({
  type: 'output_item_done',
  item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
});

const reasoningEvent = (text: string): OutputItemDoneEvent => ({
  type: 'output_item_done',
  item: { type: 'reasoning', content: [{ type: 'reasoning_text', text }] },
});

function argumentsEvent(json: string): readonly FunctionCallArgumentsDeltaEvent[] {
  const [index, callId, name, delta] = (parseJson(json) ?? []) as readonly unknown[];
  const isWhole =
    typeof index === 'number' &&
    typeof callId === 'string' &&
    typeof name === 'string' &&
    typeof delta === 'string';
  return isWhole ? [{ type: 'function_call_arguments_delta', index, callId, name, delta }] : [];
}

/** Joins pieces that follow each other, so that whoever comes late gets few: each has the place of its last. */
export function joined(parts: readonly LogPart[]): readonly LogPart[] {
  const all: LogPart[] = [];
  let open: { readonly delta: Delta; id: string } | undefined;
  const close = (): void => {
    if (open !== undefined) all.push({ type: 'event', id: open.id, event: eventOf(open.delta) });
    open = undefined;
  };
  for (const part of parts) {
    const delta = part.type === 'event' ? deltaOf(part.event as never) : undefined;
    if (delta !== undefined && open !== undefined && continues(open.delta, delta)) {
      append(open.delta, delta);
      open.id = part.id;
      continue;
    }
    close();
    if (delta === undefined) all.push(part);
    else open = { delta, id: part.id };
  }
  close();
  return all;
}
