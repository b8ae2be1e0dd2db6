import { isRecord, own, parseJson } from '../wire.js';
import { reasoningAliases } from './reasoning.js';

/**
 * Recognises the next chunk where it is the last one again but for its text, and reads that text
 * without parsing the rest: `JSON.parse` is most of what a chunk costs.
 *
 * Nothing is taken on trust. What stands before and after the text is compared character by character
 * with a chunk that was parsed, and that the text stands where `choices[0].delta.content` is read from
 * is found out by parsing that chunk once more with other strings in those places. OpenAI's
 * `obfuscation`, random letters at the end of each chunk, may vary too.
 */
export interface ChunkPattern {
  /** The text of a chunk that fits; `undefined` where it must be parsed. */
  textOf(data: string): string | undefined;
  /** The field of the delta that the text stands in. */
  readonly key: TextKey;
  /** Takes the last chunk that was parsed as the pattern. */
  learn(data: string): void;
}

/** A delta's fields that hold text, and one of them where it is not empty. */
const textKeys = ['content', ...reasoningAliases] as const;
const textKey = new RegExp(`"(?:${textKeys.join('|')})": ?(?="[^"])`);
const paddingKey = /"obfuscation": ?(?=")/;

/** Strings that no provider sends. */
const textProbe = '"\\u0001text"';
const paddingProbe = '"\\u0001padding"';

export type TextKey = (typeof textKeys)[number];

/** What a plain string between quotes does not hold. */
const needsParsing = /[\\\0-\x1f]/;

/** Learning a pattern costs as much as two recognised chunks gain; so many may be spent in advance. */
const price = 2;
const credit = 16;

export function chunkPattern(): ChunkPattern {
  let known = false;
  // A chunk is head, text, tail; or head, text, middle, padding, tail.
  let head = '';
  let middle: string | undefined;
  let tail = '';
  let key: TextKey = 'content';
  // A stream whose chunks are never alike stops paying for the second parse.
  let balance = credit;

  return {
    get key() {
      return key;
    },
    textOf(data) {
      // Comparing slices is several times as fast as `startsWith`, and that as a loop over characters.
      if (!known || data.slice(0, head.length) !== head) return undefined;
      const textEnd = stringEnd(data, head.length);
      if (textEnd === -1) return undefined;
      let end = textEnd;
      if (middle !== undefined) {
        const padding = textEnd + middle.length;
        if (data.slice(textEnd, padding) !== middle) return undefined;
        end = stringEnd(data, padding);
        if (needsParsing.test(data.slice(padding, end))) return undefined;
      }
      if (end === -1 || data.slice(end) !== tail) return undefined;
      if (balance < credit) balance += 1;
      return readString(data, head.length, textEnd);
    },
    learn(data) {
      known = false;
      if (balance < price) return;
      balance -= price;
      const text = startOf(textKey, data);
      const textEnd = stringEnd(data, text);
      if (textEnd === -1) return;
      const padding = startOf(paddingKey, data);
      const paddingEnd = padding > textEnd ? stringEnd(data, padding) : -1;
      const before = data.slice(0, text);
      const between = paddingEnd === -1 ? undefined : data.slice(textEnd, padding);
      const after = data.slice(paddingEnd === -1 ? textEnd : paddingEnd);
      const found = keyOf(before, between, after);
      if (found === undefined) return;
      known = true;
      key = found;
      head = copyOf(before);
      middle = between === undefined ? undefined : copyOf(between);
      tail = copyOf(after);
    },
  };
}

function startOf(key: RegExp, data: string): number {
  const match = key.exec(data);
  return match === null ? -1 : match.index + match[0].length;
}

/** The index after a JSON string that begins at `start`; -1 where none does, or none is complete. */
function stringEnd(data: string, start: number): number {
  if (data.charCodeAt(start) !== 0x22) return -1;
  let quote = data.indexOf('"', start + 1);
  while (quote !== -1 && isEscaped(data, quote)) quote = data.indexOf('"', quote + 1);
  return quote + 1 || -1;
}

function isEscaped(data: string, index: number): boolean {
  let before = index;
  while (data.charCodeAt(before - 1) === 0x5c) before -= 1;
  return (index - before) % 2 === 1;
}

/** Engines keep a slice of 13 characters or more as a view that holds the whole network read in memory. */
const longestCopy = 12;

const copyOf = (text: string): string => parseJson(JSON.stringify(text)) as string;

function readString(data: string, start: number, end: number): string | undefined {
  const inner = data.slice(start + 1, end - 1);
  const isPlain = inner.length <= longestCopy && !needsParsing.test(inner);
  const text = isPlain ? inner : parseJson(data.slice(start, end));
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** The field that the text stands in; `undefined` where the chunk says more than that text. */
function keyOf(head: string, middle: string | undefined, tail: string): TextKey | undefined {
  const padded = middle === undefined ? '' : middle + paddingProbe;
  const chunk = parseJson(head + textProbe + padded + tail);
  if (!isRecord(chunk)) return undefined;
  if (middle !== undefined && own(chunk, 'obfuscation') !== parseJson(paddingProbe)) return undefined;
  const choices = own(chunk, 'choices');
  if (!Array.isArray(choices) || choices.length !== 1) return undefined;
  const choice: unknown = choices[0];
  if (!isRecord(choice)) return undefined;
  if ((own(choice, 'index') ?? 0) !== 0) return undefined;
  const delta = own(choice, 'delta');
  if (!isRecord(delta)) return undefined;
  const key = textKeys.find((name) => own(delta, name) === parseJson(textProbe));
  const saysMore = Object.keys(delta).some(
    (name) => name !== key && name !== 'role' && !isEmpty(own(delta, name)),
  );
  return saysMore ? undefined : key;
}

/** Whether a field says nothing, so that it cannot have had an effect which the next chunk repeats. */
const isEmpty = (value: unknown): boolean =>
  (value ?? '') === '' || (Array.isArray(value) && value.length === 0);
