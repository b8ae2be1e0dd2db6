import { countValues, stringEnd } from '../turn/json-values.js';
import type { OutputErrorCode } from './output-error.js';
import { maxDepth, maxValues } from './json-limits.js';

/** A bracket and what may follow it in JSON, so that `{x}`, `[note]`, `list[0]` and `[ ]` in prose do not match. */
const valueStart = /\{\s*["}]|(?<![\w)\]])\[(?:\]|\s*(?:[[{"]|-?\d|true\b|false\b|null\b))/g;

/** A bracket that needs more characters to decide. */
const openStart = /[[{]\s*(?:-|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?)?$/;

/** The start of the first JSON object or array at or after an index; -1 if there is none. */
export function startOfValue(text: string, from = 0): number {
  valueStart.lastIndex = from;
  return valueStart.exec(text)?.index ?? -1;
}

/** The last few characters of a text without JSON, to check again when more arrives. */
export function openEnd(text: string): string {
  const start = openStart.exec(text)?.index ?? text.length;
  const before = text.slice(Math.max(start - 1, 0), start);
  return before + text.slice(start).replace(/\s+/, ' ');
}

/** The JSON value that a text is or contains, or why there is none. */
export function valueIn(text: string): { readonly value: unknown } | { readonly code: OutputErrorCode } {
  if (countValues(text, maxValues) > maxValues) return { code: 'too_large' };
  const scalar = /^\s*[[{]/.test(text) ? undefined : parsed(text);
  if (scalar !== undefined) return scalar;
  const start = startOfValue(text);
  if (start === -1) return { code: 'invalid_json' };
  const end = endOfValue(text, start);
  if (end === undefined) return { code: 'too_large' };
  const first = end === -1 ? undefined : parsed(text.slice(start, end));
  if (first === undefined) return { code: 'invalid_json' };
  return hasValue(text, end) ? { code: 'several_values' } : first;
}

/** Whether a text contains or begins an object or array at or after an index. */
function hasValue(text: string, from: number): boolean {
  let start = startOfValue(text, from);
  while (start !== -1) {
    const end = endOfValue(text, start);
    if (end === undefined || end === -1 || parsed(text.slice(start, end)) !== undefined) return true;
    start = startOfValue(text, end);
  }
  return false;
}

/** The index after the bracket that closes the one at `start`; -1 if none does, `undefined` if it is nested too deeply. */
function endOfValue(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character === 0x22) {
      const end = stringEnd(text, at);
      if (end === -1) return -1;
      at = end - 1;
    } else if (character === 0x5b || character === 0x7b) {
      depth += 1;
      if (depth > maxDepth) return undefined;
    } else if (character === 0x5d || character === 0x7d) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
