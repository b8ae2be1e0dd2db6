/** Names longer than this are not treated as typos. */
const longest = 64;

/**
 * The word that was probably meant: one that differs in a letter or two, or that contains the name. `undefined` if
 * none is close.
 */
export function nearest(name: string, words: readonly string[]): string | undefined {
  if (name.length > longest) return undefined;
  const given = name.toLowerCase();
  const byDistance = words
    .map((word) => ({ word, edits: edits(given, word) }))
    .filter(({ edits }) => edits <= Math.max(1, Math.floor(given.length / 3)))
    .sort((one, other) => one.edits - other.edits);
  return byDistance[0]?.word ?? (given.length < 3 ? undefined : words.find((word) => word.includes(given)));
}

/** How many letters to add, leave out, replace or swap with their neighbour (optimal string alignment). */
function edits(from: string, to: string): number {
  const width = to.length + 1;
  const counts = new Uint16Array((from.length + 1) * width);
  const at = (row: number, column: number) => counts[row * width + column] ?? 0;
  for (let row = 0; row <= from.length; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      counts[row * width + column] =
        row === 0 || column === 0
          ? row + column
          : Math.min(
              at(row - 1, column) + 1,
              at(row, column - 1) + 1,
              at(row - 1, column - 1) + (isSame ? 0 : 1),
              row > 1 && column > 1 && isSwapped ? at(row - 2, column - 2) + 1 : Infinity,
            );
    }
  }
  return at(from.length, to.length);
}
