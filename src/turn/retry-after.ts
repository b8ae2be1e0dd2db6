import type { HttpHeaders } from './wire.js';
import { parseHttpDate, parseInternetDate } from './http-date.js';

function parseNumber(value: string | null): number | undefined {
  return value !== null && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** When the response was sent: its `Date` header, so that a wrong local clock does not matter, else `now`. */
const sentAt = (headers: HttpHeaders, now: number): number =>
  parseHttpDate(headers.get('date') ?? '', now) ?? now;

/**
 * The wait that a response's headers ask for, in milliseconds: `retry-after-ms`, else `Retry-After` in seconds
 * or as an HTTP date (RFC 9110, 10.2.3), measured against the response's `Date`, else against `now`.
 *
 * @param now - the present, in milliseconds since the epoch
 * @returns 0 or more, possibly `Infinity`; `undefined` if the headers have no valid wait
 */
export function retryAfter(headers: HttpHeaders, now: number): number | undefined {
  const milliseconds = parseNumber(headers.get('retry-after-ms'));
  if (milliseconds !== undefined) return Math.round(milliseconds);
  const value = headers.get('retry-after');
  const seconds = parseNumber(value);
  if (seconds !== undefined) return Math.round(seconds * 1_000);
  const sent = sentAt(headers, now);
  const date = parseHttpDate(value ?? '', sent);
  return date === undefined ? undefined : Math.max(0, date - sent);
}

/** Numbers with their units: `6m0s`, `8.64s`, `20ms`, `1 minute and 30 seconds`. */
const duration =
  '(?:\\d{1,15}(?:\\.\\d{1,15})? ?(?:m?s|[mhd]|(?:milli)?sec(?:ond)?s?|min(?:ute)?s?|h(?:ou)?rs?|days?)(?![a-z])(?:,? (?:and )?)?)+';

const unitLengths: Readonly<Record<string, number>> = {
  ms: 1,
  milli: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function lengthOf(text: string): number {
  const parts = text.toLowerCase().matchAll(/([\d.]{1,31}) ?(m(?:s|illi)|[smhd])/g);
  return Math.round(
    [...parts].reduce((sum, [, value, unit = '']) => sum + Number(value) * (unitLengths[unit] ?? 0), 0),
  );
}

/**
 * The wait that an error body asks for, in milliseconds: in a field (Google's `retryDelay`, `retry_after`,
 * `retry_after_ms`), else in prose ("Please try again in 6m0s.", "Please retry after 20 seconds.").
 *
 * The body is read as text, because proxies often quote one provider's error inside another's.
 *
 * @returns more than 0; `undefined` if the body names no wait
 */
export function retryAfterInBody(body: string): number | undefined {
  const find = (pattern: string) => new RegExp(pattern, 'i').exec(body) ?? [];
  const sign = `[\\\\"'\\s]{0,16}`;
  const [, suffix = '', field = ''] = find(
    `retry[-_]?(?:after|delay)(\\w{0,16})${sign}[:=]${sign}(${duration}|\\d{1,15}(?:\\.\\d{1,15})?)`,
  );
  const seconds = parseNumber(field);
  if (seconds !== undefined)
    return Math.round(seconds * (/^_?m(?:s|illi)/i.test(suffix) ? 1 : 1_000)) || undefined;
  const [, words = ''] = find(`\\b(?:try again|retry|wait|resets?)\\b[^\\d.:;!?"\\\\]{0,40}(${duration})`);
  return lengthOf(field || words) || undefined;
}

/** Large values are times since the epoch, not waits: above 30 years in seconds, 3 in milliseconds. */
function untilReset(value: string, now: number): number {
  const number = parseNumber(value);
  if (number !== undefined) {
    const milliseconds = number < 1e11 ? number * 1_000 : number;
    return number < 1e9 ? milliseconds : milliseconds - now;
  }
  // eslint-disable-next-line regexp/no-useless-assertions -- of use where words follow, as in a body
  if (new RegExp(`^\\s*${duration}\\s*$`, 'i').test(value)) return lengthOf(value);
  return (parseHttpDate(value, now) ?? parseInternetDate(value) ?? now) - now;
}

/** One limit in a response's `x-ratelimit-*` headers. */
export interface RateLimit {
  /** What is left until the reset; `undefined` if unknown. */
  readonly remaining: number | undefined;
  /** The wait until the reset, in milliseconds; 0 or less if none is ahead. */
  readonly wait: number;
}

/** Reads one limit: requests, tokens, or the only one. */
export function rateLimitOf(
  headers: HttpHeaders,
  limit: '' | '-requests' | '-tokens',
  now: number,
): RateLimit {
  const reset = headers.get(`x-ratelimit-reset${limit}`) ?? '';
  return {
    remaining: parseNumber(headers.get(`x-ratelimit-remaining${limit}`)),
    wait: Math.round(untilReset(reset, sentAt(headers, now))),
  };
}

/**
 * The wait until a limit resets, in milliseconds, from `x-ratelimit-reset-requests` and `-tokens` of a 429
 * without a wait: OpenAI's durations (`6m0s`, `20ms`), other providers' seconds, times since the epoch, or
 * dates.
 *
 * The later of the two resets counts. A limit with something left does not count, except the token limit (which
 * may have too little left for this request) if the request limit has something left too.
 *
 * @param now - the present, in milliseconds since the epoch
 * @returns more than 0; `undefined` if no reset is ahead
 */
export function untilRateLimitReset(headers: HttpHeaders, now: number): number | undefined {
  const read = (limit: '' | '-requests' | '-tokens') => rateLimitOf(headers, limit, now);
  const tokens = read('-tokens');
  const spent = [tokens, read('-requests'), read('')].filter(({ remaining = 0 }) => remaining <= 0);
  const wait = Math.max(0, ...spent.map(({ wait }) => wait)) || tokens.wait;
  return wait > 0 ? wait : undefined;
}
