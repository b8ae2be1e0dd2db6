import { parseJson } from '../../turn/wire.js';

/** This many snapshots in a row, each beginning with the previous one, show that a text is sent as snapshots. */
const proof = 2;

/**
 * Finds the new part of a text that is sent in full each time (`deltas: 'cumulative'`).
 *
 * A provider may send one field this way and another in deltas. A field whose second or third value does not begin
 * with the value before it is read as deltas from then on. Once a text has proved to be snapshots, a shorter one
 * adds nothing, and one that differs counts from the known length on.
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
    // A slice would keep the whole snapshot in memory.
    return parseJson(JSON.stringify(added)) as string;
  };
}
