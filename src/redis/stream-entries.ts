import { RedisLogError } from './redis-log-error.js';

/** An entry of a stream: its fields by name. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Before every entry. */
export const start = '0-0';

const partsOf = (id: string): readonly [number, number] => {
  const [, first = 0, second = 0] = /^(\d{1,15})-(\d{1,15})$/.exec(id) ?? [];
  return [Number(first), Number(second)];
};

/** Whether an id comes after another. */
export function isAfter(id: string, other: string): boolean {
  const [first, second] = partsOf(id);
  const [otherFirst, otherSecond] = partsOf(other);
  return first > otherFirst || (first === otherFirst && second > otherSecond);
}

/** The lowest id after another. Anything that is not an id sorts first. */
export function next(id: string): string {
  const [first, second] = partsOf(id);
  return `${first}-${second + 1}`;
}

/** The reply to XRANGE. */
export const entriesOf = (reply: unknown): readonly StreamEntry[] => listOf('XRANGE', reply).map(entryOf);

/**
 * The reply to XREAD, by key; empty if there was nothing new. It is a list of pairs or, with RESP3, a map, which clients
 * return as an object, as a `Map` or as a list of alternating keys and values.
 */
export function streamsOf(reply: unknown): ReadonlyMap<string, readonly StreamEntry[]> {
  return new Map(
    pairsOf(reply).map(([key, entries]) => [String(key), listOf('XREAD', entries).map(entryOf)]),
  );
}

function pairsOf(reply: unknown): readonly (readonly unknown[])[] {
  if (reply === null || reply === undefined) return [];
  if (reply instanceof Map) return [...(reply as ReadonlyMap<unknown, unknown>)];
  if (!Array.isArray(reply)) return Object.entries(reply);
  const list: readonly unknown[] = reply;
  if (list.every(Array.isArray)) return list as readonly (readonly unknown[])[];
  return list.flatMap((key, at) => (at % 2 === 0 ? [[key, list[at + 1]]] : []));
}

function entryOf(entry: unknown): StreamEntry {
  const [id, list] = listOf('XRANGE', entry);
  const words = listOf('XRANGE', list).map(String);
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) fields.set(words[at] ?? '', words[at + 1] ?? '');
  return { id: String(id), fields };
}

function listOf(command: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new RedisLogError(command, 'REPLY');
  return value;
}
