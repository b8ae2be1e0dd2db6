import { ChatCompletionsError, hide, propertyOf } from '../turn/errors.js';
import type { HttpRequest } from './transport.js';

/**
 * The bound on what is a secret, in characters: for errors, diagnostics, `chunk` events and cassettes alike. A shorter
 * key is a word, as local servers want one (`none`, `ollama`), and its removal would spoil codes and ids.
 */
const shortestSecret = 7;

/** The least of a secret that is known where a text ends in the middle of it. */
const shortestBeginning = 8;

const isLongEnough = ({ length }: string): boolean => length >= shortestSecret;

const secretName =
  /authori[sz]|auth$|key|token|secret|cookie|passw|passphrase|credential|session|signature|csrf|(?:^|[-_])(?:sig|sid|jwt|pwd)$|^code$/i;

/** What of a request must not be repeated by anything that it causes. */
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

/** A header's value without its scheme; the words and values in it, such as a cookie's; what Basic credentials say. */
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

/** What is looked for: in a text as it stands, and in its plain form. */
export interface Sought {
  readonly asIs: readonly string[];
  readonly plain: readonly string[];
}

/** What is looked for where texts of the given forms must not stand. */
export const soughtForms = (asIs: readonly string[], forms: readonly string[]): Sought => ({
  asIs,
  // Behind a NUL no escape is cut off.
  plain: [...new Set(forms.map((form) => plainOf(`${form}\0`).slice(0, -1)))].filter(isLongEnough),
});

/** Secrets, also as UTF-8 byte by byte, in hex, and in Base64 at each of the three places that it can begin at. */
export const sought = (secrets: readonly string[]): Sought =>
  soughtForms(
    secrets,
    secrets.flatMap((secret) => {
      const bytes = Array.from(new TextEncoder().encode(secret));
      const binary = bytes.map((byte) => String.fromCharCode(byte)).join('');
      const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
      const base64 = ['', ' ', '  '].map((before) =>
        // The characters that no neighbour of the secret has a part in.
        btoa(before + binary).slice(
          Math.ceil((before.length * 4) / 3),
          Math.floor(((before.length + bytes.length) * 4) / 3),
        ),
      );
      return [secret, binary, hex, hex.toUpperCase(), ...base64];
    }),
  );

/** A character as JSON, a URL or HTML may write it, once or within itself; cut off by a text's end, it stands for NUL. */
const escape =
  /\\+(?:u([\da-f]{4})|u[\da-f]{0,3}$|([^]))?|%(?:25)*(?:([\da-f]{2})|[\da-f]?$)|&(?:amp;)*(?:#x([\da-f]{1,6});|#(\d{1,7});|(lt|gt|quot|apos);|(#?\w{0,7}$))?/gi;

const named: Readonly<Record<string, string>> = { lt: '3c', gt: '3e', quot: '22', apos: '27' };

/**
 * The form in which texts are compared: without escapes, and with one character where URLs and Base64 have several.
 * `starts` holds where each character of the text began, and is told the same of the result.
 */
function plainOf(text: string, starts?: number[]): string {
  let plain = text;
  // Escapes of one kind may stand within those of another.
  for (let round = 0, last = ''; round < 4 && plain !== last; round += 1) {
    last = plain;
    const before = starts?.splice(0) ?? [];
    let end = 0;
    plain = plain.replace(escape, (all: string, ...groups: (string | undefined)[]) => {
      const [json, letter, url, hex, decimal, name, cut, offset] = groups;
      const code = json ?? url ?? hex ?? (decimal && Number(decimal).toString(16)) ?? named[`${name}`];
      const character = code
        ? String.fromCharCode(parseInt(code, 16))
        : (letter?.replace(/[bfnrt]/, ' ') ?? (all.startsWith('&') && cut === undefined ? '&' : '\0'));
      const at = Number(offset);
      for (const start of before.slice(end, at + 1)) starts?.push(start);
      end = at + all.length;
      return character;
    });
    for (const start of before.slice(end)) starts?.push(start);
  }
  return plain.replace(/[-+\s]/g, ' ').replace(/_/g, '/');
}

/** Where something begins, and where it has ended. */
export type Span = readonly [start: number, end: number];

function* occurrences(text: string, forms: readonly string[]): Generator<Span> {
  for (const form of forms) {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + form.length))
      yield [at, at + form.length];
    // What the text's end cuts off.
    const beginning = form.slice(0, shortestBeginning);
    let at = text.indexOf(beginning, Math.max(0, text.length - form.length));
    while (at !== -1 && !form.startsWith(text.slice(at).replace('\0', '')))
      at = text.indexOf(beginning, at + 1);
    if (at !== -1) yield [at, text.length];
  }
}

/** Where a text holds what is looked for, in whatever way it is written. */
export function spansOf(text: string, { asIs, plain }: Sought): readonly Span[] {
  const spans = [...occurrences(text, asIs)];
  const hidden = [...occurrences(plainOf(text), plain)];
  if (hidden.length > 0) {
    const starts = Array.from({ length: text.length + 1 }, (_, at) => at);
    plainOf(text, starts);
    for (const [start, end] of hidden) spans.push([starts[start] ?? 0, starts[end] ?? text.length]);
  }
  return spans;
}

/** Spans in their order, those that overlap as one. */
export function mergeSpans(spans: readonly Span[]): readonly Span[] {
  const merged: [number, number][] = [];
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last === undefined || start >= last[1]) merged.push([start, end]);
    else last[1] = Math.max(last[1], end);
  }
  return merged;
}

/** Takes the secrets out of a text: `***` stands in the place of each, one that the text's end cuts off included. */
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

/** Takes out of texts what a request holds of secrets; what that is, is looked for with the first of them. */
export function redactor(request: Pick<HttpRequest, 'url' | 'headers'>, key?: string): Redact {
  let secrets: Sought | undefined;
  return (text) => redact(text, (secrets ??= sought(secretsOf(request, key))));
}

/** How much of a platform's words is kept, in characters. */
const longestMessage = 300;

/** How many errors are kept of one and its causes. */
const mostCauses = 16;

/**
 * A safe copy of a platform error: of each error its name, `code`, `errno`, `syscall`, message, `cause` and
 * `errors`, without secrets, and nothing else that it holds. It may be frozen, of another realm (a frame, a test
 * runner's context), go in a circle, or be no error at all.
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

/** An error of the library's own with a clean cause; any other as the clean cause of the one that stands for its place. */
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
