import { parseJson } from '../../turn/wire.js';

/** A part of an event's data. */
export interface Piece {
  readonly data: string;
  /** The JSON object or list that it is; `undefined` where it is none. */
  readonly value: unknown;
}

/** Where one value may end and the next begin: at a line feed, and between `}` and `{`. */
const seam = /\n|\}(?=[ \t]*(?:data:|[{[]))/g;

/** So many parts of one event are tried, and fewer where they are no JSON: to find that out costs many times as much. */
const maxParts = 65_536;
const failureCost = 64;

/**
 * The data of an event in pieces: one as a rule. Where the data as a whole is no JSON, it is tried line by line, since
 * servers forget the blank line between two events (llama.cpp#14268), and gateways write their error into an event
 * that their upstream left unfinished (sub2api#1471). Lines that are no JSON stay together, and are one piece.
 *
 * `[DONE]` is the last piece. The cost is linear, whatever the data.
 */
export function piecesOf(data: string): readonly Piece[] {
  const whole = valueOf(data);
  if (whole !== undefined) return [{ data, value: whole }];
  const pieces: Piece[] = [];
  let held = '';
  let start = 0;
  let budget = maxParts;

  function release(): void {
    if (held.trim() !== '' || held === data)
      pieces.push({ data: held, value: held === data ? undefined : valueOf(held) });
    held = '';
  }

  function take(end: number): Piece {
    const part = data.slice(start, end);
    start = end;
    const isTried = budget > 0 && part.length < data.length && /[}\]]\s*$/.test(part.slice(-8));
    const value = isTried ? valueOf(part) : undefined;
    const piece = { data: part, value };
    if (isTried) budget -= value === undefined ? failureCost : 1;
    if (value === undefined && !isEndMark(part)) {
      held += part;
      return piece;
    }
    release();
    pieces.push(piece);
    return piece;
  }

  for (const { index, 0: end } of data.matchAll(seam)) {
    if (isEndMark(take(index + end.length).data)) return pieces;
  }
  take(data.length);
  release();
  return pieces;
}

export const isEndMark = (data: string): boolean =>
  data.length < 64 && /^\s*(?:data:\s*)?\[DONE\]\s*$/.test(data);

/** What a chunk begins with; an error may stand in a list, and some write the name of the field twice. */
const maybeValue = /^\s*(?:data:\s*)?(?=[[{])/;

/** A JSON object or list, control characters inside its strings forgiven. */
function valueOf(text: string): unknown {
  // To find out that something is no JSON costs many times what it costs to read a chunk.
  if (!maybeValue.test(text)) return undefined;
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
