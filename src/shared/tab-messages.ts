import type { LogEntry } from './turn-log.js';

/** Messages between tabs. A tab only identifies itself, since tabs of one origin have no secrets from each other. */
export type TabMessage =
  /** An entry was written. */
  | {
      readonly type: 'entry';
      readonly id: string;
      readonly entry: LogEntry;
      /** The id of the previous entry: a tab with a different one has a gap. */
      readonly before: string;
      readonly until: number;
      /** The tab that began the epoch. */
      readonly writer: string;
    }
  | { readonly type: 'tell'; readonly id: string; readonly message: string }
  /** Asks which tabs have more of a turn than this. */
  | {
      readonly type: 'ask';
      readonly id: string;
      readonly from: string;
      readonly ask: number;
      readonly last: string;
      /** The epoch that is about to be claimed, or 0. */
      readonly epoch: number;
    }
  /** The reply: no entries if there are no more. */
  | {
      readonly type: 'copy';
      readonly id: string;
      readonly from: string;
      readonly to: string;
      readonly ask: number;
      readonly entries: readonly LogEntry[];
      readonly messages: readonly string[];
      readonly until: number;
      readonly writer: string;
    };

const text = (value: unknown): boolean => typeof value === 'string';
const number = (value: unknown): boolean => typeof value === 'number';
const entry = (value: unknown): boolean => isShaped(value, { id: text, data: text });
const listOf =
  (shape: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(shape);

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

const shapes: ReadonlyMap<unknown, Shape> = new Map<unknown, Shape>([
  ['entry', { id: text, entry, before: text, until: number, writer: text }],
  ['tell', { id: text, message: text }],
  ['ask', { id: text, from: text, ask: number, last: text, epoch: number }],
  [
    'copy',
    {
      id: text,
      from: text,
      to: text,
      ask: number,
      entries: listOf(entry),
      messages: listOf(text),
      until: number,
      writer: text,
    },
  ],
]);

function isShaped(value: unknown, shape: Shape): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(shape).every(
    ([name, isValid]) => Object.hasOwn(value, name) && isValid((value as Record<string, unknown>)[name]),
  );
}

/** Parses a message; `undefined` if another version, or other code of the page, sent it. */
export function readTabMessage(data: unknown): TabMessage | undefined {
  if (typeof data !== 'object' || data === null || !('type' in data)) return undefined;
  const shape = shapes.get(data.type);
  return shape !== undefined && isShaped(data, shape) ? (data as TabMessage) : undefined;
}
