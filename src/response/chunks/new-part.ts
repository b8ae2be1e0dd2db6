import { parseJson } from '../../turn/wire.js';

/** So many snapshots that each begin with the one before them show that a text is sent as snapshots. */
const proof = 2;

/**
 * Finds what is new in a text that is sent whole each time (`deltas: 'cumulative'`).
 *
 * A provider may send one field so and another in deltas: one whose second or third value does not begin with the
 * value before it is taken for deltas from there on. Of a text that has proved to be snapshots, one that goes
 * back says nothing, and one that says something else counts from the length that is known.
 */
export function newPart(): (text: string) => string {
  let before = '';
  let growths = 0;
  let isDeltas = false;

  return (text) => {
    if (isDeltas) return text;
    if (growths < proof && !text.startsWith(before)) {
      isDeltas = true;
      return text;
    }
    if (before !== '' && text.length > before.length) growths += 1;
    if (text.length <= before.length) return '';
    const added = text.slice(before.length);
    before = text;
    // A slice would hold the whole snapshot in memory.
    return parseJson(JSON.stringify(added)) as string;
  };
}
