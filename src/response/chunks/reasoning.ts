import { isRecord, own } from '../../turn/wire.js';

/** The names under which providers send the same reasoning; the first that says something counts. */
const reasoningAliases = ['reasoning_content', 'reasoning', 'thinking', 'reasoning_text'] as const;

export type ReasoningAlias = (typeof reasoningAliases)[number];

/** What is new of a model's reasoning in one delta: never the sum of two aliases. */
export function reasoningText(delta: Record<string, unknown>): string {
  for (const alias of reasoningAliases) {
    const text = textOf(own(delta, alias));
    if (text !== '') return text;
  }
  return '';
}

/** Real details are a few levels deep. */
const deepest = 100;

/**
 * The provider's own account of it, as it came. What is nested beyond reason is left out: JSON can be read at any
 * depth, but not written, and the conversation that it became a part of could not be sent again.
 */
export function reasoningDetails(delta: Record<string, unknown>): readonly unknown[] {
  const details = own(delta, 'reasoning_details');
  return Array.isArray(details) ? details.filter((detail) => isWithin(deepest, detail)) : [];
}

function isWithin(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithin(depth - 1, inner));
}

/** What details say in words, for providers that send nothing else. */
export function textOfDetails(details: readonly unknown[]): string {
  let text = '';
  for (const detail of details) {
    if (isRecord(detail)) text += textOf(own(detail, 'text')) || textOf(own(detail, 'summary'));
  }
  return text;
}

/** The text of a thinking part of a message's content: Mistral nests text parts in it, others a summary. */
export function thinkingText(part: Record<string, unknown>): string {
  for (const name of ['thinking', 'reasoning', 'text', 'content', 'summary'] as const) {
    const text = textOf(own(part, name));
    if (text !== '') return text;
  }
  return '';
}

/** A string, an object with text, content or a summary, or a list of these. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(plainText).join('');
  return plainText(value);
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  // A token that looks like a number.
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (!isRecord(value)) return '';
  for (const name of ['text', 'content', 'summary'] as const) {
    const inner = own(value, name);
    const text = Array.isArray(inner) ? inner.map(shallowText).join('') : inner;
    if (typeof text === 'string' && text !== '') return text;
  }
  return '';
}

/** What stands at the bottom: a string, or an object with text. */
function shallowText(value: unknown): string {
  const text = isRecord(value) ? own(value, 'text') : value;
  return typeof text === 'string' ? text : '';
}
