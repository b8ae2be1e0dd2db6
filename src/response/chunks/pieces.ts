import { countValues, defaultMaxEventValues } from '../../turn/json-values.js';
import { parseJson } from '../../turn/wire.js';
import { jsonNesting } from './json-nesting.js';

/** A part of an event's data. */
export interface Piece {
  readonly data: string;
  /** The JSON object or list that it is; `undefined` where it is none. */
  readonly value: unknown;
}

/** Where one value may end and the next begin: at a line feed, else between `}` and `{`. */
const seams = [/\n/g, /\}(?=[ \t]*(?:data:|[{[]))/g] as const;

/** So many parts of one event are tried, and fewer where they are no JSON: to find that out costs many times as much. */
const maxParts = 65_536;
const failureCost = 64;

/** Data longer than this, in UTF-16 code units, that is not valid JSON is neither mended nor split. */
const longestMended = 2_097_152;

/**
 * The data of an event in pieces: one as a rule. Where the data as a whole is no JSON, it is tried line by line, since
 * servers forget the blank line between two events (llama.cpp#14268), and gateways write their error into an event
 * that their upstream left unfinished (sub2api#1471). Parts that are no JSON stay together, and are one piece.
 *
 * The cost is linear, whatever the data, and only data of up to 2,097,152 characters is read more than once: data that
 * is longer, holds a chunk somewhere and is not valid JSON is one malformed piece.
 *
 * @param isNoJson - whether the data is already known not to be valid JSON
 * @throws StreamError where the data holds more than `maxEventValues` values
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

  /** Brackets that the whole hides in a string count where a part shows them. */
  function partOf(text: string): unknown {
    room -= countValues(text, room);
    return room < 0 ? undefined : valueOf(text, maxEventValues);
  }

  /** The values that the data holds one after another; `undefined` where anything else stands among them. */
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

/** What a chunk begins with; an error may stand in a list, and some write the name of the field twice. */
const maybeValue = /^\s*(?:data:\s*)?(?=[[{])/;

/** A JSON object or list, control characters inside its strings forgiven. */
function valueOf(text: string, maxEventValues: number, isNoJson = false): unknown {
  // To find out that something is no JSON costs many times what it costs to read a chunk.
  if (!maybeValue.test(text) || isEndMark(text)) return undefined;
  const json = text.replace(maybeValue, '');
  const value = isNoJson ? undefined : parseJson(json, maxEventValues);
  if (value !== undefined || json.length > longestMended) return value;
  const escaped = withEscapes(json);
  return escaped === json ? undefined : parseJson(escaped);
}

/** Escapes the control characters inside strings, which JSON does not allow and some servers leave as they are (pi#4446). */
function withEscapes(json: string): string {
  const escaped: string[] = [];
  let isInside = false;
  let isPlain = true;
  /** What stands before is in `escaped`, and what follows is plain up to `start`. */
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
