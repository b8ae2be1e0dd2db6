import { StreamError } from './errors.js';

/** Parsing this many takes up to a second and 110 MiB; real events have a few thousand. */
export const defaultMaxEventValues = 1_000_000;

/**
 * Checks the number of values in a JSON text before it is parsed: a value of a few characters can take a
 * hundred times its size in memory.
 *
 * @throws StreamError if it holds more than `maxEventValues` values
 */
export function checkValues(text: string, maxEventValues = defaultMaxEventValues): void {
  // Each value has at least one character, so shorter texts need no check.
  if (text.length <= maxEventValues || countValues(text, maxEventValues) <= maxEventValues) return;
  throw new StreamError({
    message: `An event or a JSON response contains more than ${maxEventValues} values (maxEventValues).`,
    retryable: false,
  });
}

/**
 * Counts the values of a JSON text, keys included: its opening brackets, commas and colons outside strings.
 * Stops beyond `most`.
 */
export function countValues(text: string, most: number): number {
  let values = 0;
  for (let at = 0; at < text.length && values <= most; at += 1) {
    const character = text.charCodeAt(at);
    if (character === 0x2c || character === 0x3a || character === 0x5b || character === 0x7b) values += 1;
    else if (character === 0x22) {
      const end = stringEnd(text, at);
      if (end === -1) break;
      at = end - 1;
    }
  }
  return values;
}

/** The index after the JSON string that begins at `start`; -1 if there is none, or it is incomplete. */
export function stringEnd(text: string, start: number): number {
  if (text.charCodeAt(start) !== 0x22) return -1;
  let quote = text.indexOf('"', start + 1);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote + 1 || -1;
}

function isEscaped(text: string, index: number): boolean {
  let before = index;
  while (text.charCodeAt(before - 1) === 0x5c) before -= 1;
  return (index - before) % 2 === 1;
}
