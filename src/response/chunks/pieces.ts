import { countValues, defaultMaxEventValues } from '../../turn/json-values.js';
import { parseJson } from '../../turn/wire.js';
import { jsonNesting } from './json-nesting.js';

/** A part of an event's data. */
export interface Piece {
  readonly data: string;
  /** The part as a JSON object or array; `undefined` if it is neither. */
  readonly value: unknown;
}

/** Where one value may end and the next begin: at a line feed, else between `}` and `{`. */
const seams = [/\n/g, /\}(?=[ \t]*(?:data:|[{[]))/g] as const;

/** How many parts of one event to try; fewer if they are not JSON, since detecting that costs many times as much. */
const maxParts = 65_536;
const failureCost = 64;

/** Longer data, in UTF-16 code units, that is not valid JSON is neither repaired nor split. */
const longestMended = 2_097_152;

/**
 * Splits the data of an event into pieces: usually one. If the data as a whole is not JSON, it is tried line by line,
 * since some servers forget the blank line between two events (llama.cpp#14268), and gateways write their error into
 * an event that their upstream left unfinished (sub2api#1471). Adjacent parts that are not JSON stay one piece.
 *
 * The cost is linear for any data, and only data of up to 2,097,152 characters is read more than once: longer data that
 * contains a chunk but is not valid JSON is one malformed piece.
 *
 * @param isNoJson - whether the data is already known not to be valid JSON
 * @throws StreamError if the data contains more than `maxEventValues` values
 */
export function piecesOf(
  data: string,
  maxEventValues = defaultMaxEventValues,
  isNoJson = false,
): readonly Piece[] {
  const whole = valueOf(data, maxEventValues, isNoJson);
  if (whole !== undefined || isEndMark(data) || data.length > longestMended) return [{ data, value: whole }];
  let budget = maxParts;
  let room = maxEventValues;

  /** Brackets inside a string of the whole data count if a part exposes them. */
  function partOf(text: string): unknown {
    room -= countValues(text, room);
    return room < 0 ? undefined : valueOf(text, maxEventValues);
  }

  /** The values in the data, one after another; `undefined` if there is anything else between them. */
  function values(): readonly Piece[] | undefined {
    const ends: number[] = [];
    jsonNesting().read(data, (end) => ends.push(end));
    if (ends.length < 2 || ends.length > maxParts || data.slice(ends.at(-1)).trim() !== '') return undefined;
    const pieces: Piece[] = [];
    let start = 0;
    for (let end of ends) {
      while (/\s/.test(data.charAt(end))) end += 1;
      const part = data.slice(start, end);
      const value = partOf(part);
      if (value === undefined && !isEndMark(part)) return undefined;
      pieces.push({ data: part, value });
      start = end;
    }
    return pieces;
  }

  function split(text: string, level: number): Piece[] {
    const pieces: Piece[] = [];
    const seam = seams[level];
    if (seam === undefined || text.search(seam) === -1) return pieces;
    let held = '';
    let start = 0;
    const release = () => {
      if (held.trim() !== '') pieces.push({ data: held, value: held === text ? undefined : partOf(held) });
      held = '';
    };
    const take = (end: number) => {
      const part = text.slice(start, end);
      start = end;
      const isTried = budget > 0 && part !== text && /[}\]]\s*$/.test(part.slice(-8));
      const value = isTried ? partOf(part) : undefined;
      if (isTried) budget -= value === undefined ? failureCost : 1;
      const isRead = value !== undefined || isEndMark(part);
      const found = isRead ? [{ data: part, value }] : split(part, level + 1);
      if (isRead || found.some((piece) => piece.value !== undefined)) {
        release();
        for (const piece of found) pieces.push(piece);
      } else held += part;
    };
    for (const { index, 0: end } of text.matchAll(seam)) take(index + end.length);
    take(text.length);
    release();
    return pieces;
  }

  const inOrder = values();
  if (inOrder !== undefined) return inOrder;
  const lines = split(data, 0);
  const pieces = lines.length > 0 ? lines : split(data, 1);
  return pieces.length === 0 ? [{ data, value: undefined }] : pieces;
}

export const isEndMark = (data: string): boolean =>
  data.length < 64 && /^\s*(?:data:\s*)?\[DONE\]\s*$/.test(data);

/** The beginning of a chunk. An error may be inside a list, and some servers write the field name twice. */
const maybeValue = /^\s*(?:data:\s*)?(?=[[{])/;

/** A JSON object or array; control characters inside its strings are tolerated. */
function valueOf(text: string, maxEventValues: number, isNoJson = false): unknown {
  // Detecting that something is not JSON costs many times as much as reading a chunk.
  if (!maybeValue.test(text) || isEndMark(text)) return undefined;
  const json = text.replace(maybeValue, '');
  const value = isNoJson ? undefined : parseJson(json, maxEventValues);
  if (value !== undefined || json.length > longestMended) return value;
  const escaped = withEscapes(json);
  return escaped === json ? undefined : parseJson(escaped);
}

/** Escapes the control characters inside strings, which JSON forbids and some servers leave unescaped (pi#4446). */
function withEscapes(json: string): string {
  const escaped: string[] = [];
  let isInside = false;
  let isPlain = true;
  /** Earlier text is in `escaped`; the text from here up to `start` is plain. */
  let end = 0;
  let start = 0;
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charCodeAt(at);
    if (character < 0x20 && isInside) isPlain = false;
    if (character !== 0x22 && character !== 0x5c) continue;
    if (!isPlain) {
      escaped.push(json.slice(end, start), JSON.stringify(json.slice(start, at)).slice(1, -1));
      end = at;
      isPlain = true;
    }
    if (character === 0x22) isInside = !isInside;
    else at += 1;
    start = at + 1;
  }
  return escaped.length === 0 ? json : escaped.join('') + json.slice(end);
}
