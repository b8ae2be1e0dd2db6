import type { HttpHeaders } from '../turn/wire.js';

const httpDate =
  /^(?:\w{3}, \d{2} \w{3} \d{4} [\d:]{8} GMT|\w{6,9}, \d{2}-\w{3}-\d{2} [\d:]{8} GMT|\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})$/;

/** Milliseconds since the epoch of an HTTP date (RFC 9110, 5.6.7, all three forms). */
function parseHttpDate(value: string): number | undefined {
  const text = value.trim();
  if (!httpDate.test(text)) return undefined;
  // The asctime form names no zone and means GMT all the same.
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

function parseNumber(value: string | null): number | undefined {
  return value !== null && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/**
 * The wait that an answer asks for, in milliseconds: `retry-after-ms` where it has one, else
 * `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3). A date is measured against the
 * answer's own `Date`, which makes a wrong clock harmless, else against `now`.
 *
 * @param now - the present, in milliseconds since the epoch
 * @returns 0 or more, possibly `Infinity`; `undefined` where the answer asks for nothing readable
 */
export function retryAfter(headers: HttpHeaders, now: number): number | undefined {
  const milliseconds = parseNumber(headers.get('retry-after-ms'));
  if (milliseconds !== undefined) return Math.round(milliseconds);
  const value = headers.get('retry-after');
  const seconds = parseNumber(value);
  if (seconds !== undefined) return Math.round(seconds * 1_000);
  const date = value === null ? undefined : parseHttpDate(value);
  if (date === undefined) return undefined;
  return Math.max(0, date - (parseHttpDate(headers.get('date') ?? '') ?? now));
}
