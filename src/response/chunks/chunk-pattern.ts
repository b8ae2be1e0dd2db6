import { stringEnd } from '../../turn/json-values.js';
import { isRecord, own, parseJson, stringOf } from '../../turn/wire.js';
import type { TextKey } from './chunk-decoder.js';

/**
 * Recognises a chunk that differs from the previous one only in its text, and reads that text without parsing
 * the rest: `JSON.parse` is most of the cost of a chunk.
 *
 * Nothing is taken on trust. The characters before and after the text are compared one by one with a chunk that
 * was parsed. Parsing that chunk once more, with other strings in those places, verifies that the text is where
 * `choices[0].delta.content` is read from. One more string may vary after the text: OpenAI's `obfuscation`
 * (random letters), or the same text repeated in OpenRouter's `reasoning_details`.
 */
export interface ChunkPattern {
  /** The text of a chunk that matches; `undefined` if it must be parsed. */
  textOf(data: string): string | undefined;
  /** The field of the delta that contains the text. */
  readonly key: TextKey;
  /** The `reasoning_details` that come with such a text. */
  detailsOf(text: string): readonly unknown[];
  /** Learns the last parsed chunk as the pattern, if it is short. */
  learn(data: string): void;
}

/** The text fields of a delta, and one that is not empty. */
const textKeys: readonly TextKey[] = [
  'content',
  'reasoning_content',
  'reasoning',
  'thinking',
  'reasoning_text',
];
const textKey = /"(?:content|reasoning_content|reasoning|thinking|reasoning_text)": ?(?="[^"])/;
const paddingKey = /"obfuscation": ?(?=")/;

/** The text fields of a detail. */
const pieceKeys = ['text', 'summary'] as const;
const pieceKey = /"(?:text|summary)": ?(?=")/;

/** Strings that no provider sends. */
const textProbe = '"\\u0001text"';
const paddingProbe = '"\\u0001padding"';

/** How a chunk is written: head, text, tail; or head, text, middle, a second string, tail. */
interface Shape {
  readonly head: string;
  readonly middle: string | undefined;
  readonly tail: string;
  readonly key: TextKey;
  /** What contains the second string if it repeats the text; otherwise the string is padding. */
  readonly detail: Detail | undefined;
}

interface Detail {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly key: (typeof pieceKeys)[number];
}

/** Characters that a plain string between quotes cannot contain. */
const needsParsing = /[\\\0-\x1f]/;

/** Learning a pattern costs as much as two recognised chunks save; this many may be spent in advance. */
const price = 2;
const credit = 16;

/** Repeating chunks have some hundred characters, or a few thousand with log probabilities. */
const longestChunk = 16_384;

export function chunkPattern(): ChunkPattern {
  let shape: Shape | undefined;
  // If chunks are never alike, stop paying for the second parse.
  let balance = credit;

  return {
    get key() {
      return shape?.key ?? 'content';
    },
    textOf(data) {
      if (shape === undefined) return undefined;
      const { head, middle, tail, detail } = shape;
      // Comparing slices is several times as fast as `startsWith`, which is several times as fast as a loop over characters.
      if (data.slice(0, head.length) !== head) return undefined;
      const textEnd = stringEnd(data, head.length);
      let end = textEnd;
      if (middle !== undefined) {
        const second = textEnd + middle.length;
        if (data.slice(textEnd, second) !== middle) return undefined;
        end = detail === undefined ? stringEnd(data, second) : second + textEnd - head.length;
        const string = data.slice(second, end);
        const fits =
          detail === undefined ? !needsParsing.test(string) : string === data.slice(head.length, textEnd);
        if (!fits) return undefined;
      }
      if (end === -1 || data.slice(end) !== tail) return undefined;
      if (balance < credit) balance += 1;
      return readString(data, head.length, textEnd);
    },
    detailsOf(text) {
      const detail = shape?.detail;
      return detail === undefined ? [] : [{ ...detail.fields, [detail.key]: text }];
    },
    learn(data) {
      shape = undefined;
      if (balance < price || data.length > longestChunk) return;
      balance -= price;
      const text = startOf(textKey, data, 0);
      const textEnd = stringEnd(data, text);
      if (textEnd === -1) return;
      const piece = startOf(pieceKey, data, textEnd);
      const repeatsText = data.slice(piece, stringEnd(data, piece)) === data.slice(text, textEnd);
      const second = repeatsText ? piece : startOf(paddingKey, data, textEnd);
      const secondEnd = stringEnd(data, second);
      const middle = secondEnd === -1 ? undefined : data.slice(textEnd, second);
      const tail = data.slice(secondEnd === -1 ? textEnd : secondEnd);
      shape = shapeOf(data.slice(0, text), middle, tail, repeatsText);
    },
  };
}

function startOf(key: RegExp, data: string, from: number): number {
  const match = key.exec(data.slice(from));
  return match === null ? -1 : from + match.index + match[0].length;
}

/** Engines store a slice of 13 characters or more as a view that keeps the whole network read in memory. */
const longestCopy = 12;

const copyOf = (text: string): string => parseJson(JSON.stringify(text)) as string;

function readString(data: string, start: number, end: number): string | undefined {
  const inner = data.slice(start + 1, end - 1);
  const isPlain = inner.length <= longestCopy && !needsParsing.test(inner);
  const text = isPlain ? inner : parseJson(data.slice(start, end));
  return stringOf(text) || undefined;
}

/** What the probes show about a chunk; `undefined` if it contains more than that text. */
function shapeOf(
  head: string,
  middle: string | undefined,
  tail: string,
  repeatsText: boolean,
): Shape | undefined {
  const second = repeatsText ? textProbe : paddingProbe;
  const chunk = parseJson(head + textProbe + (middle === undefined ? '' : middle + second) + tail);
  if (!isRecord(chunk)) return undefined;
  const isPadded = middle !== undefined && !repeatsText;
  if (isPadded && own(chunk, 'obfuscation') !== parseJson(paddingProbe)) return undefined;
  const choices = own(chunk, 'choices');
  if (!Array.isArray(choices) || choices.length !== 1) return undefined;
  const choice: unknown = choices[0];
  if (!isRecord(choice)) return undefined;
  if ((own(choice, 'index') ?? 0) !== 0) return undefined;
  const delta = own(choice, 'delta');
  if (!isRecord(delta)) return undefined;
  const key = textKeys.find((name) => own(delta, name) === parseJson(textProbe));
  const detail = repeatsText ? detailOf(own(delta, 'reasoning_details')) : undefined;
  if (key === undefined || (repeatsText && (detail === undefined || key === 'content'))) return undefined;
  const isRead = (name: string) =>
    name === key || name === 'role' || (detail !== undefined && name === 'reasoning_details');
  const saysMore = Object.keys(delta).some((name) => !isRead(name) && !isEmpty(own(delta, name)));
  if (saysMore) return undefined;
  return {
    head: copyOf(head),
    middle: middle === undefined ? undefined : copyOf(middle),
    tail: copyOf(tail),
    key,
    detail,
  };
}

/** The only entry of details, which contains the probe, if events can share the rest of it. */
function detailOf(details: unknown): Detail | undefined {
  if (!Array.isArray(details) || details.length !== 1) return undefined;
  const fields: unknown = details[0];
  if (!isRecord(fields)) return undefined;
  const key = pieceKeys.find((name) => own(fields, name) === parseJson(textProbe));
  const isFlat = Object.values(fields).every((value) => typeof value !== 'object' || value === null);
  return key !== undefined && isFlat ? { fields, key } : undefined;
}

/** Whether a field is empty, so it cannot have had an effect that the next chunk repeats. */
const isEmpty = (value: unknown): boolean =>
  (value ?? '') === '' || (Array.isArray(value) && value.length === 0);
