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

/**
 * The data of an event in pieces: one as a rule. Where the data as a whole is no JSON, it is tried line by line, since
 * servers forget the blank line between two events (llama.cpp#14268), and gateways write their error into an event
 * that their upstream left unfinished (sub2api#1471). Parts that are no JSON stay together, and are one piece.
 *
 * The cost is linear, whatever the data.
 */
export function piecesOf(data: string): readonly Piece[] {
  const whole = valueOf(data);
  if (whole !== undefined || isEndMark(data)) return [{ data, value: whole }];
  const values = valuesIn(data);
  if (values !== undefined) return values;
  let budget = maxParts;

  function split(text: string, level: number): Piece[] {
    const pieces: Piece[] = [];
    const seam = seams[level];
    if (seam === undefined || text.search(seam) === -1) return pieces;
    let held = '';
    let start = 0;
    const release = () => {
      if (held.trim() !== '') pieces.push({ data: held, value: held === text ? undefined : valueOf(held) });
      held = '';
    };
    const take = (end: number) => {
      const part = text.slice(start, end);
      start = end;
      const isTried = budget > 0 && part !== text && /[}\]]\s*$/.test(part.slice(-8));
      const value = isTried ? valueOf(part) : undefined;
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

  const lines = split(data, 0);
  const pieces = lines.length > 0 ? lines : split(data, 1);
  return pieces.length === 0 ? [{ data, value: undefined }] : pieces;
}

/** The values that a text holds one after another; `undefined` where anything else stands among them. */
function valuesIn(text: string): readonly Piece[] | undefined {
  const ends: number[] = [];
  jsonNesting().read(text, (end) => ends.push(end));
  if (ends.length < 2 || ends.length > maxParts || text.slice(ends.at(-1)).trim() !== '') return undefined;
  const pieces: Piece[] = [];
  let start = 0;
  for (let end of ends) {
    while (/\s/.test(text.charAt(end))) end += 1;
    const data = text.slice(start, end);
    const value = valueOf(data);
    if (value === undefined && !isEndMark(data)) return undefined;
    pieces.push({ data, value });
    start = end;
  }
  return pieces;
}

export const isEndMark = (data: string): boolean =>
  data.length < 64 && /^\s*(?:data:\s*)?\[DONE\]\s*$/.test(data);

/** What a chunk begins with; an error may stand in a list, and some write the name of the field twice. */
const maybeValue = /^\s*(?:data:\s*)?(?=[[{])/;

/** A JSON object or list, control characters inside its strings forgiven. */
function valueOf(text: string): unknown {
  // To find out that something is no JSON costs many times what it costs to read a chunk.
  if (!maybeValue.test(text) || isEndMark(text)) return undefined;
  const json = text.replace(maybeValue, '');
  const value = parseJson(json);
  if (value !== undefined) return value;
  const escaped = withEscapes(json);
  return escaped === json ? undefined : parseJson(escaped);
}

/** Escapes the control characters inside strings, which JSON does not allow and some servers leave as they are (pi#4446). */
function withEscapes(json: string): string {
  let isInside = false;
  return json.replace(/"|\\[^]|[\0-\x1f]/g, (match) => {
    if (match === '"') isInside = !isInside;
    if (!isInside || match === '"' || match.startsWith('\\')) return match;
    return JSON.stringify(match).slice(1, -1);
  });
}
