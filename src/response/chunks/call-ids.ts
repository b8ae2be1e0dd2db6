const length = 9;
const all = 36 ** length;

/**
 * Generates ids for the calls of one answer that have none: nine random letters and digits, never the same id
 * twice.
 *
 * Random, since some providers reuse an answer's id and a call's index in the next turn, and two calls of a
 * conversation must not share an id. Nine letters and digits, since this is the only form that every provider accepts,
 * including Mistral.
 */
export function callIds(random: () => number = Math.random): () => string {
  const made = new Set<number>();
  return () => {
    // Even if `random` returns no number, or always the same one, no id may occur twice.
    let id = Math.floor(Math.abs(random()) * all) % all || 0;
    while (made.has(id)) id = (id + 1) % all;
    made.add(id);
    return id.toString(36).padStart(length, '0');
  };
}
