import { checkValues } from './json-values.js';

/** Whether a value from the wire is a JSON object, not an array or `null`. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * An own property of a value from the wire, else `undefined`. Inherited properties do not count, so nothing on
 * `Object.prototype` is mistaken for data.
 */
export function own(record: Record<string, unknown>, key: string): unknown {
  // Most properties are absent, which is known without checking for an own one.
  const value = record[key];
  return value !== undefined && Object.hasOwn(record, key) ? value : undefined;
}

/** A string from the wire, else `''`. */
export const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Text from the wire, also if it came as a number: a token that looks like one (cloudflare/ai#651). */
export const textOf = (value: unknown): string =>
  typeof value === 'number' && Number.isFinite(value) ? String(value) : stringOf(value);

/** Whether a value from the wire is an index, of a choice or a call. */
export const isIndex = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

/**
 * Parses a text as JSON; `undefined` if it is not JSON.
 *
 * @throws StreamError if it holds more than `maxEventValues` values, which is checked first
 */
export function parseJson(text: string, maxEventValues?: number): unknown {
  checkValues(text, maxEventValues);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A value as JSON; `undefined` if it cannot be serialised, such as one from the wire that is nested too deep.
 */
export function writeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** The part of a response's headers that is used. */
export interface HttpHeaders {
  /** A header by its case-insensitive name; `null` if absent. */
  get(name: string): string | null;
}

/** The headers under which providers send their request id. */
export function requestIdOf(headers: HttpHeaders): string | undefined {
  const id = headers.get('x-request-id') ?? headers.get('request-id') ?? headers.get('apim-request-id');
  return id !== null && /^[\w.:-]{1,128}$/.test(id) ? id : undefined;
}
