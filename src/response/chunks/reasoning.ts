import { isWithinDepth } from '../../turn/extras.js';
import { isRecord, own, stringOf, textOf } from '../../turn/wire.js';

/** The names under which providers send the same reasoning; the first non-empty one counts. */
const reasoningAliases = ['reasoning_content', 'reasoning', 'thinking', 'reasoning_text'] as const;

export type ReasoningAlias = (typeof reasoningAliases)[number];

/** The new reasoning in one delta: never the sum of two aliases. */
export const reasoningText = (delta: Record<string, unknown>): string =>
  firstText(delta, reasoningAliases, textIn);

/**
 * The provider's own details, unchanged. Details that are nested too deeply are left out: JSON can be parsed at any
 * depth, but not serialized, so the conversation could not be sent again.
 */
export function reasoningDetails(delta: Record<string, unknown>): readonly unknown[] {
  const details = own(delta, 'reasoning_details');
  return Array.isArray(details) ? details.filter(isWithinDepth) : [];
}

/** The text in the details, for providers that send nothing else. */
export function textOfDetails(details: readonly unknown[]): string {
  let text = '';
  for (const detail of details) if (isRecord(detail)) text += firstText(detail, ['text', 'summary'], textIn);
  return text;
}

/** The text of a thinking part of a message's content: Mistral nests text parts in it, others nest a summary. */
export const thinkingText = (part: Record<string, unknown>): string =>
  firstText(part, ['thinking', 'reasoning', 'text', 'content', 'summary'], textIn);

/** A string, an object with text, content or a summary, or a list of these. */
const textIn = (value: unknown): string =>
  Array.isArray(value) ? value.map(plainText).join('') : plainText(value);

const plainText = (value: unknown): string =>
  isRecord(value) ? firstText(value, ['text', 'content', 'summary'], textInside) : textOf(value);

/** The text of an object's field: a string, or a list of strings and of objects with text. */
const textInside = (value: unknown): string =>
  Array.isArray(value)
    ? value.map((part) => stringOf(isRecord(part) ? own(part, 'text') : part)).join('')
    : stringOf(value);

/** The text of the first of these fields that is not empty. */
function firstText(
  record: Record<string, unknown>,
  names: readonly string[],
  read: (value: unknown) => string,
): string {
  for (const name of names) {
    const text = read(own(record, name));
    if (text !== '') return text;
  }
  return '';
}
