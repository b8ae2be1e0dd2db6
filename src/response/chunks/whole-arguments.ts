import { isRecord, parseJson } from '../../turn/wire.js';
import { jsonNesting } from './json-nesting.js';

/**
 * Joins the fragments of a call's arguments. Most providers send only what is new. Some send everything again at
 * the end, send it twice, send it a little longer each time, or send it after a placeholder `{}`. Which one it
 * was is known once the call has ended:
 *
 * 1. If the joined fragments are JSON: the joined fragments.
 * 2. If the joined fragments are a sequence of complete values: the last non-empty object.
 * 3. If the last fragment alone is an object, and cannot continue the text before it: that fragment.
 * 4. Otherwise the joined fragments: arguments that were cut off stay as the model wrote them.
 *
 * @throws StreamError if they contain more than `maxEventValues` values
 */
export function wholeArguments(pieces: readonly string[], maxEventValues?: number): string {
  const joined = pieces.join('');
  if (parseJson(joined, maxEventValues) !== undefined) return joined;
  const value = lastOfValues(joined, maxEventValues);
  if (value !== undefined) return value;
  const last = pieces.slice(-1).join('');
  return isRecord(parseJson(last, maxEventValues)) && isSnapshot(pieces, last) ? last : joined;
}

/** Whether the final object repeats everything. JSON that was merely cut off must not count as such a stream. */
function isSnapshot(pieces: readonly string[], last: string): boolean {
  const before = pieces.slice(0, -1).join('');
  const previous = pieces.slice(-2, -1).join('');
  if (last.startsWith(before) || (beginsObject(previous) && last.startsWith(previous))) return true;
  const nesting = jsonNesting();
  nesting.read(before);
  // In JSON, an object begins after one of these characters, or is text inside a string.
  return !nesting.isInString && !':[,'.includes(before.trimEnd().slice(-1));
}

export const beginsObject = (text: string): boolean => text.trimStart().startsWith('{');

/** The last non-empty object in a sequence of complete values; `undefined` if the text is not such a sequence. */
function lastOfValues(text: string, maxEventValues: number | undefined): string | undefined {
  let start = 0;
  let isSequence = true;
  let last: string | undefined;
  let isEmpty = true;

  jsonNesting().read(text, (end) => {
    if (!isSequence) return;
    const value = withoutNull(text.slice(start, end));
    const parsed = parseJson(value, maxEventValues);
    start = end;
    isSequence = parsed !== undefined;
    if (!isRecord(parsed)) return;
    const hasContent = Object.keys(parsed).length > 0;
    if (!hasContent && !isEmpty) return;
    last = value.trim();
    isEmpty = !hasContent;
  });
  return isSequence && withoutNull(text.slice(start)).trim() === '' ? last : undefined;
}

/** `null` is a placeholder, like `{}`. */
const withoutNull = (text: string): string => text.replace(/^\s*null/, '');
