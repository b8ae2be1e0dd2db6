const length = 9;
const all = 36 ** length;

/**
 * Makes up ids for the calls of one answer that came without one: nine random letters and digits, each id
 * once.
 *
 * Random, since an answer's id and a call's place come again in the next turn from some providers, and two
 * calls of a conversation must not share an id. Nine letters and digits, since this is the one form that every provider
 * takes, Mistral included.
 */
export function callIds(random: () => number = Math.random): () => string {
  const made = new Set<number>();
  return () => {
    // A `random` that gives no number, or always the same, must not make an id twice.
    let id = Math.floor(Math.abs(random()) * all) % all || 0;
    while (made.has(id)) id = (id + 1) % all;
    made.add(id);
    return id.toString(36).padStart(length, '0');
  };
}
