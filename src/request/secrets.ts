import { ChatCompletionsError, hide, propertyOf } from '../turn/errors.js';
import type { HttpRequest } from './transport.js';

/**
 * Minimum length of a secret, in characters: for errors, diagnostics, `chunk` events and cassettes alike. A shorter
 * key is a plain word, as for local servers (`none`, `ollama`), and removing it would garble codes and ids.
 */
const shortestSecret = 7;

/** How much of a secret must match if the text ends inside it. */
const shortestBeginning = 8;

const isLongEnough = ({ length }: string): boolean => length >= shortestSecret;

const secretName =
  /authori[sz]|auth$|key|token|secret|cookie|passw|passphrase|credential|session|signature|csrf|(?:^|[-_])(?:sig|sid|jwt|pwd)$|^code$/i;

/** The parts of a request that nothing it causes may repeat. */
export function secretsOf(
  { url, headers }: Pick<HttpRequest, 'url' | 'headers'>,
  key = '',
): readonly string[] {
  const secrets = [key];
  for (const [name, value] of [
    ...Object.entries(headers),
    ...new URLSearchParams(url.replace(/^[^?]*/, '')),
  ]) {
    if (secretName.test(name)) secrets.push(...partsOf(value));
  }
  return [...new Set(secrets)].filter(isLongEnough);
}

/** A header's value without its scheme; the words and values in it, such as a cookie's; decoded Basic credentials. */
function partsOf(value: string): readonly string[] {
  const whole = value.replace(/^\s*(?:Bearer|Basic)\s/i, '').trim();
  const words = whole.split(/[\s,;]+/).flatMap((word) => [word, word.replace(/^[^=]*="?|"$/g, '')]);
  if (!/^\s*Basic\s/i.test(value)) return [whole, ...words];
  try {
    const credentials = atob(whole);
    return [whole, credentials, ...credentials.split(':')];
  } catch {
    return [whole];
  }
}

/** What to look for: in the text itself, and in its plain form. */
export interface Sought {
  readonly asIs: readonly string[];
  readonly plain: readonly string[];
}

/** What to look for if texts of the given forms must not occur. */
export const soughtForms = (asIs: readonly string[], forms: readonly string[]): Sought => ({
  asIs,
  // The NUL keeps an escape at the end from being cut off.
  plain: [...new Set(forms.map((form) => plainOf(`${form}\0`).slice(0, -1)))].filter(isLongEnough),
});

/** Secrets, also as UTF-8 byte by byte, in hex, and in Base64 at each of its three alignments. */
export const sought = (secrets: readonly string[]): Sought =>
  soughtForms(
    secrets,
    secrets.flatMap((secret) => {
      const bytes = Array.from(new TextEncoder().encode(secret));
      const binary = bytes.map((byte) => String.fromCharCode(byte)).join('');
      const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
      const base64 = ['', ' ', '  '].map((before) =>
        // Only the characters that do not depend on the bytes around the secret.
        btoa(before + binary).slice(
          Math.ceil((before.length * 4) / 3),
          Math.floor(((before.length + bytes.length) * 4) / 3),
        ),
      );
      return [secret, binary, hex, hex.toUpperCase(), ...base64];
    }),
  );

/** Character codes, for {@link unescape}. */
const [backslash, percent, ampersand, hash, semicolon] = [0x5c, 0x25, 0x26, 0x23, 0x3b];

const named: Readonly<Record<string, number>> = { lt: 0x3c, gt: 0x3e, quot: 0x22, apos: 0x27 };

/** The value of a hexadecimal digit; -1 if the code is not one. */
function digitOf(code: number | undefined = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = (code | 0x20) - 0x57;
  return letter >= 10 && letter <= 15 ? letter : -1;
}

/** Whether a code is a digit, a letter or `_`. */
const isWordCode = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || code === 0x5f || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a);

/**
 * Removes one layer of escapes, in place: characters as JSON, a URL or HTML may escape them, once or nested. An escape
 * that the end of the text cuts off becomes NUL. By hand, since a callback for each match costs 1 µs and 200 bytes.
 *
 * @returns the remaining length
 */
function unescape(units: Uint16Array, length: number, starts?: Uint32Array): number {
  let at = 0;
  let to = 0;

  function hex(start: number, most: number): { readonly count: number; readonly value: number } {
    let count = 0;
    let value = 0;
    for (; count < most && start + count < length; count += 1) {
      const digit = digitOf(units[start + count]);
      if (digit === -1) break;
      value = value * 16 + digit;
    }
    return { count, value };
  }

  /** Reads a JSON escape; `at` is after the first backslash. */
  function ofJson(): number {
    while (at < length && units[at] === backslash) at += 1;
    if (at === length) return 0;
    const letter = units[at] ?? 0;
    at += 1;
    if ((letter | 0x20) === 0x75) {
      const { count, value } = hex(at, 4);
      if (count === 4 || at + count === length) {
        at += count;
        return count === 4 ? value : 0;
      }
    }
    // b, f, n, r and t.
    return letter === 0x62 || letter === 0x66 || letter === 0x6e || letter === 0x72 || letter === 0x74
      ? 0x20
      : letter;
  }

  function ofUrl(): number {
    while (at + 1 < length && units[at] === 0x32 && units[at + 1] === 0x35) at += 2;
    const { count, value } = hex(at, 2);
    if (count < 2 && at + count < length) return percent;
    at += count;
    return count === 2 ? value : 0;
  }

  function ofHtml(): number {
    let end = at;
    let name = '';
    do {
      at = end;
      name = '';
      for (; end < length && end < at + 9 && units[end] !== semicolon; end += 1) {
        const code = units[end] ?? 0;
        // A digit, a letter, `_`, or `#` at the beginning.
        if (!isWordCode(code) && !(code === hash && end === at)) return ampersand;
        name += String.fromCharCode(code);
      }
      end += 1;
    } while (name === 'amp' && end <= length);
    if (end > length) {
      at = length;
      return 0;
    }
    if (units[end - 1] !== semicolon) return ampersand;
    const [, hexadecimal, decimal] = /^#(?:x([\da-f]{1,6})|(\d{1,7}))$/i.exec(name) ?? [];
    const code = hexadecimal
      ? parseInt(hexadecimal, 16)
      : decimal
        ? Number(decimal)
        : named[name.toLowerCase()];
    if (code !== undefined) at = end;
    return code ?? ampersand;
  }

  while (at < length) {
    const start = at;
    let code = units[at] ?? 0;
    at += 1;
    if (code === backslash) code = ofJson();
    else if (code === percent) code = ofUrl();
    else if (code === ampersand) code = ofHtml();
    units[to] = code;
    if (starts !== undefined) starts[to] = starts[start] ?? 0;
    to += 1;
  }
  if (starts !== undefined) starts[to] = starts[length] ?? 0;
  return to;
}

/**
 * The form in which texts are compared: without escapes, and with one character for the variants in URLs and Base64.
 * `starts` has the original position of each character of the text, and is updated to match the result.
 */
function plainOf(text: string, starts?: Uint32Array): string {
  const units = new Uint16Array(text.length);
  for (let at = 0; at < text.length; at += 1) units[at] = text.charCodeAt(at);
  let { length } = text;
  // Escapes of one kind may be nested in another.
  for (let round = 0, last = -1; round < 4 && length !== last; round += 1) {
    last = length;
    length = unescape(units, length, starts);
  }
  let plain = '';
  for (let at = 0; at < length; at += 8_192)
    plain += String.fromCharCode(...units.subarray(at, Math.min(length, at + 8_192)));
  return plain.replace(/[-+\s]/g, ' ').replace(/_/g, '/');
}

/** Where a match begins, and the index after its end. */
export type Span = readonly [start: number, end: number];

function* occurrences(text: string, forms: readonly string[]): Generator<Span> {
  for (const form of forms) {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + form.length))
      yield [at, at + form.length];
    // A secret that the end of the text cuts off.
    const beginning = form.slice(0, shortestBeginning);
    let at = text.indexOf(beginning, Math.max(0, text.length - form.length));
    while (at !== -1 && !form.startsWith(text.slice(at).replace('\0', '')))
      at = text.indexOf(beginning, at + 1);
    if (at !== -1) yield [at, text.length];
  }
}

/** How much of a text is searched at a time, in characters: its plain form takes several times as much memory. */
const longestPart = 262_144;

/** How many characters an escape of one may have; of a longer one a part that ends in it sees the beginning. */
const longestEscape = 16;

/** Finds secrets in a text, however they are escaped or encoded. */
export function spansOf(text: string, { asIs, plain }: Sought): readonly Span[] {
  const spans = [...occurrences(text, asIs)];
  const overlap = longestEscape * Math.max(0, ...plain.map(({ length }) => length));
  for (let from = 0; from < text.length && plain.length > 0; from += longestPart) {
    const part = text.slice(from, from + longestPart + overlap);
    const isLast = from + part.length === text.length;
    const hidden = [...occurrences(plainOf(part), plain)];
    if (hidden.length > 0) {
      const starts = Uint32Array.from({ length: part.length + 1 }, (_, at) => at);
      plainOf(part, starts);
      for (const [start, end] of hidden) {
        const stop = starts[end] ?? part.length;
        // A secret that the end of a part cuts off is found in the next part.
        if (isLast || stop < part.length) spans.push([from + (starts[start] ?? 0), from + stop]);
      }
    }
    if (isLast) break;
  }
  return spans;
}

/** Spans in order, with overlapping ones merged. */
export function mergeSpans(spans: readonly Span[]): readonly Span[] {
  const merged: [number, number][] = [];
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last === undefined || start >= last[1]) merged.push([start, end]);
    else last[1] = Math.max(last[1], end);
  }
  return merged;
}

/** Replaces each secret in a text with `***`, including one that the end of the text cuts off. */
export type Redact = (text: string) => string;

export function redact(text: string, secrets: Sought): string {
  let clean = '';
  let end = 0;
  for (const span of mergeSpans(spansOf(text, secrets))) {
    clean += `${text.slice(end, span[0])}***`;
    end = span[1];
  }
  return clean + text.slice(end);
}

/** Removes a request's secrets from texts. The secrets are collected when the first text arrives. */
export function redactor(request: Pick<HttpRequest, 'url' | 'headers'>, key?: string): Redact {
  let secrets: Sought | undefined;
  return (text) => redact(text, (secrets ??= sought(secretsOf(request, key))));
}

/** How much of a platform's message is kept, in characters. */
const longestMessage = 300;

/** How many errors are kept from an error and its causes. */
const mostCauses = 16;

/**
 * A safe copy of a platform error: the name, `code`, `errno`, `syscall`, message, `cause` and `errors` of each error,
 * without secrets, and nothing else. The error may be frozen, from another realm (a frame, a test runner's context),
 * circular, or not an error at all.
 */
export function causeWithoutSecrets(cause: unknown, clean: Redact): unknown {
  const told: unknown[] = [];
  const words = (text: unknown) =>
    typeof text === 'string'
      ? clean(text.slice(0, 8 * longestMessage))
          .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
          .slice(0, longestMessage)
      : '';
  const isWord = (value: unknown) =>
    typeof value === 'number' ||
    (typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) && clean(value) === value);

  function tell(value: unknown): unknown {
    if (typeof value === 'string') return words(value);
    if (Object(value) !== value || told.includes(value) || told.push(value) > mostCauses) return undefined;
    const error = new Error(words(propertyOf(value, 'message')));
    for (const name of ['code', 'errno', 'syscall']) {
      const word = propertyOf(value, name);
      if (isWord(word)) Object.assign(error, { [name]: word });
    }
    const name = propertyOf(value, 'name');
    if (isWord(name)) hide(error, 'name', String(name));
    const below = tell(propertyOf(value, 'cause'));
    if (below !== undefined) hide(error, 'cause', below);
    const errors = propertyOf(value, 'errors');
    if (Object(errors) === errors) {
      const each = Array.from({ length: mostCauses }, (_, index) => tell(propertyOf(errors, `${index}`)));
      hide(error as Partial<AggregateError>, 'errors', each.filter(Boolean));
    }
    return error;
  }

  return tell(cause);
}

/** One of the library's errors, with a clean cause; any other error becomes the clean cause of the error for its stage. */
export function cleanFailure(
  error: unknown,
  clean: Redact,
  wrap: (cause: unknown) => ChatCompletionsError,
): ChatCompletionsError {
  if (!(error instanceof ChatCompletionsError)) return wrap(causeWithoutSecrets(error, clean));
  const cause = causeWithoutSecrets(error.cause, clean);
  if (cause === undefined || Reflect.defineProperty(error, 'cause', { value: cause })) return error;
  return wrap(causeWithoutSecrets(error, clean));
}
