import { isRecord, parseJson } from '../../turn/wire.js';
import { jsonNesting } from './json-nesting.js';

/**
 * The arguments of a call, from the fragments in which they came. Most providers send what is new; some
 * send all of it again at the end, twice, each time a little longer, or after a placeholder `{}`. Which
 * it was is known when the call has ended:
 *
 * 1. The joined fragments are JSON: that.
 * 2. The joined fragments are whole values one after another: the last that is an object and not empty.
 * 3. The last fragment alone is an object, and cannot go on with what came before it: that.
 * 4. Otherwise the joined fragments: arguments that were cut stay as the model wrote them.
 *
 * @throws StreamError where they hold more than `maxEventValues` values
 */
export function wholeArguments(pieces: readonly string[], maxEventValues?: number): string {
  const joined = pieces.join('');
  if (parseJson(joined, maxEventValues) !== undefined) return joined;
  const value = lastOfValues(joined, maxEventValues);
  if (value !== undefined) return value;
  const last = pieces.slice(-1).join('');
  return isRecord(parseJson(last, maxEventValues)) && isSnapshot(pieces, last) ? last : joined;
}

/** Whether an object that came last says all again: JSON that is only cut must not pass for such a stream. */
function isSnapshot(pieces: readonly string[], last: string): boolean {
  const before = pieces.slice(0, -1).join('');
  const previous = pieces.slice(-2, -1).join('');
  if (last.startsWith(before) || (beginsObject(previous) && last.startsWith(previous))) return true;
  const nesting = jsonNesting();
  nesting.read(before);
  // In JSON an object begins after one of these, or is the text of a string.
  return !nesting.isInString && !':[,'.includes(before.trimEnd().slice(-1));
}

export const beginsObject = (text: string): boolean => text.trimStart().startsWith('{');

/** The last object with content in a sequence of whole values; `undefined` where it is no such sequence. */
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

/** `null` is a placeholder, as `{}` is. */
const withoutNull = (text: string): string => text.replace(/^\s*null/, '');
