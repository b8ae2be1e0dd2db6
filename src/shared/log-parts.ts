import { continues, append, type Delta, deltaOf, eventOf } from '../turn/delta.js';
import type { RunEvent } from '../turn/run-events.js';
import type { FunctionCallArgumentsDeltaEvent, OutputItemDoneEvent } from '../turn/events.js';
import { parseJson, writeJson } from '../turn/wire.js';
import { isWithinDepth } from '../turn/extras.js';
import { publicFields, readReport, type TurnErrorReport } from '../relay/server-sent-protocol.js';
import { readRunEvent } from '../relay/read-run-event.js';
import { comesAfter, type EntryId, idText, readId } from './entry-id.js';
import type { LogEntry } from './turn-log.js';

// The data of an entry: one part, or several as a JSON list of strings. The first character of a part is its type.
// Eight to an entry, 1,000 deltas of four characters take 8 kB (14 in Redis); as JSON events over 100 kB (150).
//
//   t…      a piece of the assistant's text          c…  a runner has begun, and a word of its own
//   r…      a piece of reasoning                     h   a heartbeat
//   a[…]    a piece of a call's arguments            l   the runner has left: another may take over at once
//   j{…}    any other event, as JSON                 .   the end
//   x{…}    the error that ended the turn            -   an event that cannot be written

/** An event of a shared turn with its id, for `Last-Event-ID`. */
export type Logged<E extends RunEvent = RunEvent> = E & { readonly id: string };

/** One part of a log. */
export type LogPart =
  | { readonly type: 'event'; readonly id: string; readonly event: RunEvent }
  | { readonly type: 'begun'; readonly id: string; readonly by: string }
  | { readonly type: 'heartbeat' | 'left' | 'end'; readonly id: string }
  | { readonly type: 'error'; readonly id: string; readonly report: TurnErrorReport };

const begun = 'c';
/** The first part of each epoch. */
export const begunBy = (by: string): string => begun + by;
export const heartbeat = 'h';
export const left = 'l';
export const end = '.';
const unwritable = '-';
export const errorPart = (error: unknown): string => `x${JSON.stringify(readReport(publicFields(error)))}`;

/** An event as a part. An error has the same fields as in `toServerSentEvents()`, without any text from the provider. */
export function eventPart(event: RunEvent): string {
  const said = bareText(event);
  if (said !== undefined) return said;
  if (event.type === 'function_call_arguments_delta' && event.choice === undefined) {
    const { index, callId, name, delta } = event;
    return `a${JSON.stringify([index, callId, name, delta])}`;
  }
  if ('error' in event && event.error !== undefined)
    return `j${JSON.stringify({ ...event, error: readReport(publicFields(event.error)) })}`;
  const json = writeJson(event);
  return json === undefined || !isWithinDepth(JSON.parse(json)) ? unwritable : `j${json}`;
}

/** A piece of text or reasoning without other fields. */
function bareText(event: RunEvent): string | undefined {
  if (event.type !== 'output_item_done' || event.choice !== undefined) return undefined;
  const { item } = event;
  if (item.type === 'message') {
    const [part, second] = item.content;
    const isBare = item.role === 'assistant' && part?.type === 'output_text' && second === undefined;
    return isBare && isOnly(item, 3) && isOnly(part, 2) ? `t${part.text}` : undefined;
  }
  if (item.type !== 'reasoning') return undefined;
  const [part, second] = item.content;
  return part !== undefined && second === undefined && isOnly(item, 2) && isOnly(part, 2)
    ? `r${part.text}`
    : undefined;
}

const isOnly = (record: object, fields: number): boolean => Object.keys(record).length === fields;

/** The data of an entry for several parts. Half a surrogate pair, as some providers send, survives only as an escape. */
export function entryData(parts: readonly string[]): string {
  const [only, second] = parts;
  return only === undefined || second !== undefined || /\p{Surrogate}/u.test(only)
    ? JSON.stringify(parts)
    : only;
}

/** The parts of an entry, each with its id: the entry has the id of its last part. */
export const partsOf = (entry: LogEntry): readonly LogPart[] => readEntry(entry).parts;

/** The parts of an entry, and the id of the first, whose type may be known only to a later version. */
function readEntry(entry: LogEntry): {
  readonly parts: readonly LogPart[];
  readonly first: EntryId | undefined;
} {
  const last = readId(entry.id);
  if (last === undefined) return { parts: [], first: undefined };
  const texts = textsOf(entry);
  const { epoch } = last;
  const first = { epoch, seq: last.seq - Math.max(texts.length - 1, 0) };
  const parts = texts.flatMap((text, place) =>
    typeof text === 'string' ? partOf(text, idText({ epoch, seq: first.seq + place })) : [],
  );
  return { parts, first };
}

/** Whether a part is the last of its turn. */
export const endsTurn = ({ type }: LogPart): boolean => type === 'end' || type === 'error';

function textsOf({ data }: LogEntry): readonly unknown[] {
  const texts = data.startsWith('[') ? parseJson(data) : [data];
  return Array.isArray(texts) ? texts : [];
}

/** Whether an entry begins where the previous one ends, or begins an epoch, so nothing is missing in between. */
function isNext(first: EntryId | undefined, before: string): boolean {
  const last = readId(before);
  if (first === undefined) return true;
  if (last === undefined || first.epoch > last.epoch) return first.seq === 0;
  return first.seq <= last.seq + 1;
}

/** The parts after a position, up to the first gap. A reader may have stopped inside an entry. */
export function entriesAfter(
  entries: readonly LogEntry[],
  after: string,
): { readonly parts: readonly LogPart[]; readonly place: string; readonly isWhole: boolean } {
  const parts: LogPart[] = [];
  let place = after;
  for (const entry of entries) {
    const read = readEntry(entry);
    if (!isNext(read.first, place)) return { parts, place, isWhole: false };
    for (const part of read.parts) if (comesAfter(part.id, after)) parts.push(part);
    place = entry.id;
  }
  return { parts, place, isWhole: true };
}

/** None for types that only a later version knows. */
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
      const event = readRunEvent(parseJson(rest));
      return event === undefined ? [] : [{ type: 'event', id, event }];
    }
    case 'x':
      return [{ type: 'error', id, report: readReport(parseJson(rest)) }];
    case begun:
      return [{ type: 'begun', id, by: rest }];
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

/** Joins consecutive pieces, so that late readers get few of them. Each has the id of its last piece. */
export function joined(parts: readonly LogPart[]): readonly LogPart[] {
  const all: LogPart[] = [];
  let open: { readonly delta: Delta; id: string } | undefined;
  const close = (): void => {
    if (open !== undefined) all.push({ type: 'event', id: open.id, event: eventOf(open.delta) });
    open = undefined;
  };
  for (const part of parts) {
    // Past heartbeats carry no information.
    if (part.type === 'heartbeat') continue;
    const delta = part.type === 'event' ? deltaOf(part.event) : undefined;
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
