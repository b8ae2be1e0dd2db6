import type { Span } from '../request/secrets.js';

/** Deeper strings are no deltas. */
const deepest = 16;

/** How much of a property's name counts. */
const longestName = 64;

/** A string, a bracket, or the beginning of an event; a string that is cut off ends with its line. */
const token = /"(?:[^"\\\r\n]|\\.)*"?|[{}[\],:]|\d+|^data:/gm;

interface Frame {
  /** The property that is being read, `''` in a list: its entries have one place. */
  key: string;
  index: string;
  readonly isRecord: boolean;
  readonly strings: { readonly place: string; readonly span: Span }[];
}

/**
 * Where the strings of the JSON in a text stand, without their quotes, by their place in it: the names of the
 * properties that lead there, and the `index` of what they are in. What is no JSON does no harm.
 */
export function stringSpans(text: string): ReadonlyMap<string, readonly Span[]> {
  const places = new Map<string, Span[]>();
  const frames: Frame[] = [];

  /** Hands the strings of the innermost frame to the one around it, or tells of them. */
  function leave(): void {
    const frame = frames.pop();
    if (frame === undefined) return;
    const around = frames.at(-1);
    for (const { place, span } of frame.strings) {
      const named = `${frame.isRecord ? `${frame.index}.` : ''}${place}`;
      if (around !== undefined) around.strings.push({ place: `${around.key}/${named}`, span });
      else if (places.get(named)?.push(span) === undefined) places.set(named, [span]);
    }
  }

  let string: { readonly span: Span; readonly value: string } | undefined;
  let isValue = false;
  for (const { 0: found, index } of text.matchAll(token)) {
    const frame = frames.at(-1);
    if (found.startsWith('"')) {
      const end = index + found.length - (found.length > 1 && found.endsWith('"') ? 1 : 0);
      string = { span: [index + 1, end], value: text.slice(index + 1, Math.min(end, index + longestName)) };
      if (frame !== undefined && (isValue || !frame.isRecord) && frames.length <= deepest)
        frame.strings.push({ place: frame.key, span: string.span });
      continue;
    }
    if (found === ':' && frame?.isRecord) frame.key = string?.value ?? '';
    else if (found === '{' || found === '[')
      frames.push({ key: '', index: '', isRecord: found === '{', strings: [] });
    else if (found === '}' || found === ']') leave();
    else if (found === 'data:') while (frames.length > 0) leave();
    else if (isValue && frame?.key === 'index') frame.index = found;
    isValue = found === ':';
    string = undefined;
  }
  while (frames.length > 0) leave();
  return places;
}
