import { isWithinDepth } from '../../turn/extras.js';
import { isRecord, own, stringOf, textOf } from '../../turn/wire.js';

/** The names under which providers send the same reasoning; the first that says something counts. */
const reasoningAliases = ['reasoning_content', 'reasoning', 'thinking', 'reasoning_text'] as const;

export type ReasoningAlias = (typeof reasoningAliases)[number];

/** What is new of a model's reasoning in one delta: never the sum of two aliases. */
export const reasoningText = (delta: Record<string, unknown>): string =>
  firstText(delta, reasoningAliases, textIn);

/**
 * The provider's own account of it, as it came. What is nested beyond reason is left out: JSON can be read at any
 * depth, but not written, and the conversation that it became a part of could not be sent again.
 */
export function reasoningDetails(delta: Record<string, unknown>): readonly unknown[] {
  const details = own(delta, 'reasoning_details');
  return Array.isArray(details) ? details.filter(isWithinDepth) : [];
}

/** What details say in words, for providers that send nothing else. */
export function textOfDetails(details: readonly unknown[]): string {
  let text = '';
  for (const detail of details) if (isRecord(detail)) text += firstText(detail, ['text', 'summary'], textIn);
  return text;
}

/** The text of a thinking part of a message's content: Mistral nests text parts in it, others a summary. */
export const thinkingText = (part: Record<string, unknown>): string =>
  firstText(part, ['thinking', 'reasoning', 'text', 'content', 'summary'], textIn);

/** A string, an object with text, content or a summary, or a list of these. */
const textIn = (value: unknown): string =>
  Array.isArray(value) ? value.map(plainText).join('') : plainText(value);

const plainText = (value: unknown): string =>
  isRecord(value) ? firstText(value, ['text', 'content', 'summary'], textInside) : textOf(value);

/** What an object says: a string, or a list of strings and of objects with text. */
const textInside = (value: unknown): string =>
  Array.isArray(value)
    ? value.map((part) => stringOf(isRecord(part) ? own(part, 'text') : part)).join('')
    : stringOf(value);

/** What the first of these fields says that says something. */
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
