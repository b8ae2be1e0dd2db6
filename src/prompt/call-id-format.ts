/** The format of call ids that a provider requires. `'mistral'`: exactly nine letters and digits. */
export type CallIdFormat = 'mistral';

const mistral = /^[a-zA-Z0-9]{9}$/;
const all = 36 ** 9;

/**
 * Converts the ids of calls and of their outputs to a provider's format. The same id is always converted to the
 * same result, so that a call and its output stay together and a prompt cache still matches.
 */
export function callIdWriter(format: CallIdFormat | undefined): (id: string) => string {
  if (format === undefined) return (id) => id;
  const written = new Map<string, string>();
  const taken = new Set<string>();
  return (id) => {
    const before = written.get(id);
    if (before !== undefined) return before;
    let own = id;
    if (!mistral.test(id)) {
      let hash = hashOf(id);
      do {
        own = hash.toString(36).padStart(9, '0');
        hash = (hash + 1) % all;
      } while (taken.has(own));
    }
    taken.add(own);
    written.set(id, own);
    return own;
  };
}

/** A number below 36 to the 9th: two FNV-1a hashes of 32 bits (the second of the id read backwards), as 46 bits. */
function hashOf(id: string): number {
  let [low, high] = [0x811c9dc5, 0x811c9dc5];
  for (let place = 0; place < id.length; place += 1) {
    low = Math.imul(low ^ id.charCodeAt(place), 0x01000193);
    high = Math.imul(high ^ id.charCodeAt(id.length - 1 - place), 0x01000193);
  }
  return ((low >>> 0) + (high >>> 12) * 2 ** 32) % all;
}
