/**
 * Text as Redis can hold it. A delta may end between the two halves of a character, and UTF-8 has no halves: such text is
 * stored as JSON, which escapes them.
 */
export const pack = (text: string): string =>
  /\p{Surrogate}/u.test(text) || text.startsWith('"') ? JSON.stringify(text) : text;

export const unpack = (stored: string): string =>
  stored.startsWith('"') ? String(JSON.parse(stored)) : stored;
