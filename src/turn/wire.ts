import { checkValues } from './json-values.js';

/** Whether a value from the wire is a JSON object (no array, not `null`). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * An own property of a value from the wire, `undefined` where there is none. Inherited properties do
 * not count, so that nothing on `Object.prototype` can be taken for an answer.
 */
export function own(record: Record<string, unknown>, key: string): unknown {
  // Most of what is asked for is not there: that is known without asking whose it is.
  const value = record[key];
  return value !== undefined && Object.hasOwn(record, key) ? value : undefined;
}

/** A string from the wire; `''` where it is none. */
export const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Text from the wire, or a number where text is expected: a token that looks like one (cloudflare/ai#651). */
export const textOf = (value: unknown): string =>
  typeof value === 'number' && Number.isFinite(value) ? String(value) : stringOf(value);

/** Whether a value from the wire counts something: choices, calls. */
export const isIndex = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

/**
 * What a text is as JSON; `undefined` where it is none.
 *
 * @throws StreamError where it holds more than `maxEventValues` values: that is found out first
 */
export function parseJson(text: string, maxEventValues?: number): unknown {
  checkValues(text, maxEventValues);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A value as JSON; `undefined` where it cannot be written: from the wire, one that is nested too deep. */
export function writeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** What is read of an answer's headers. */
export interface HttpHeaders {
  /** A header by its name in any case; `null` where the answer has none. */
  get(name: string): string | null;
}

/** The headers under which providers send their request id. */
export function requestIdOf(headers: HttpHeaders): string | undefined {
  const id = headers.get('x-request-id') ?? headers.get('request-id') ?? headers.get('apim-request-id');
  return id !== null && /^[\w.:-]{1,128}$/.test(id) ? id : undefined;
}
