/**
 * Text as Redis can store it. A delta may end inside a surrogate pair, which UTF-8 cannot represent: such text is stored
 * as JSON, which escapes it.
 */
export const pack = (text: string): string =>
  /\p{Surrogate}/u.test(text) || text.startsWith('"') ? JSON.stringify(text) : text;

export const unpack = (stored: string): string =>
  stored.startsWith('"') ? String(JSON.parse(stored)) : stored;
