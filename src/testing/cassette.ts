import { isRecord, own } from '../turn/wire.js';

/**
 * The recorded requests and responses of a turn, with its retries: plain JSON, to commit as a fixture.
 *
 * Every time is in milliseconds since the request was sent.
 */
export interface Cassette {
  readonly version: 1;
  /** In the order of their requests. */
  readonly exchanges: readonly RecordedExchange[];
}

/** One request and its outcome. */
export interface RecordedExchange {
  readonly request: RecordedRequest;
  /** Absent if there was no response. */
  readonly response?: RecordedResponse;
  readonly end: RecordedEnd;
}

/** A request without secrets. No headers are kept. */
export interface RecordedRequest {
  readonly method: 'POST';
  /** Without the query, which may contain a key. */
  readonly url: string;
  /** The prompt and the parameters; only with `keepRequestBody`. */
  readonly body?: string;
}

export interface RecordedResponse {
  /** When the headers arrived. */
  readonly at: number;
  readonly status: number;
  /** The headers that this library reads, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly RecordedRead[];
}

/** One network read: its text, or its bytes if they are not valid text. */
export type RecordedRead =
  { readonly at: number; readonly text: string } | { readonly at: number; readonly base64: string };

/** How an exchange ended: normally, with an error, or because the reader unsubscribed. */
export type RecordedEnd =
  | { readonly type: 'complete'; readonly at: number }
  | { readonly type: 'aborted'; readonly at: number }
  | { readonly type: 'error'; readonly at: number; readonly error: RecordedError };

/** The recorded fields of an error, without the platform's message. */
export interface RecordedError {
  readonly name: string;
  /** The platform's code, such as `ECONNREFUSED`. */
  readonly code?: string;
  /** Whether a failed request may be sent again. */
  readonly retryable?: boolean;
  /** The limit that was passed, in milliseconds. */
  readonly timeout?: number;
}

/** Bytes as a string with one character per byte, which can be searched like text. */
export function toBinary(bytes: Uint8Array): string {
  let binary = '';
  // The number of arguments of a function call is limited.
  for (let start = 0; start < bytes.length; start += 8192)
    binary += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return binary;
}

function fromBinary(binary: string): Uint8Array {
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Writes one read: as text if it is valid text, so that a person can read and edit the cassette. */
export function writeRead(at: number, binary: string): RecordedRead {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return { at, text: decoder.decode(fromBinary(binary)) };
  } catch {
    return { at, base64: btoa(binary) };
  }
}

export function bytesOfRead(read: RecordedRead): Uint8Array {
  return 'text' in read ? new TextEncoder().encode(read.text) : fromBinary(atob(read.base64));
}

/**
 * Checks a cassette that may come from a file.
 *
 * @throws TypeError that names the place
 */
export function readCassette(value: unknown): Cassette {
  if (!isRecord(value) || own(value, 'version') !== 1)
    throw new TypeError('The cassette is not of version 1.');
  return { version: 1, exchanges: list(own(value, 'exchanges'), 'exchanges', readExchange) };
}

function readExchange(value: unknown, place: string): RecordedExchange {
  const exchange = record(value, place);
  const request = record(own(exchange, 'request'), `${place}.request`);
  const response = own(exchange, 'response');
  const body = own(request, 'body');
  return {
    request: {
      method: 'POST',
      url: string(own(request, 'url'), `${place}.request.url`),
      ...(body !== undefined && { body: string(body, `${place}.request.body`) }),
    },
    ...(response !== undefined && { response: readResponse(response, `${place}.response`) }),
    end: readEnd(own(exchange, 'end'), `${place}.end`),
  };
}

function readResponse(value: unknown, place: string): RecordedResponse {
  const response = record(value, place);
  const headers = record(own(response, 'headers'), `${place}.headers`);
  return {
    at: number(own(response, 'at'), `${place}.at`),
    status: number(own(response, 'status'), `${place}.status`),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, header]) => [name, string(header, `${place}.headers.${name}`)]),
    ),
    body: list(own(response, 'body'), `${place}.body`, readRead),
  };
}

function readRead(value: unknown, place: string): RecordedRead {
  const read = record(value, place);
  const at = number(own(read, 'at'), `${place}.at`);
  const text = own(read, 'text');
  return text === undefined
    ? { at, base64: base64(own(read, 'base64'), `${place}.base64`) }
    : { at, text: string(text, `${place}.text`) };
}

function readEnd(value: unknown, place: string): RecordedEnd {
  const end = record(value, place);
  const at = number(own(end, 'at'), `${place}.at`);
  const type = own(end, 'type');
  if (type === 'complete' || type === 'aborted') return { type, at };
  if (type !== 'error') throw wrong(`${place}.type`, "'complete', 'aborted' or 'error'");
  const error = record(own(end, 'error'), `${place}.error`);
  const [code, retryable, timeout] = [own(error, 'code'), own(error, 'retryable'), own(error, 'timeout')];
  return {
    type,
    at,
    error: {
      name: string(own(error, 'name'), `${place}.error.name`),
      ...(typeof code === 'string' && { code }),
      ...(typeof retryable === 'boolean' && { retryable }),
      ...(typeof timeout === 'number' && { timeout }),
    },
  };
}

const wrong = (place: string, what: string): TypeError =>
  new TypeError(`The cassette cannot be replayed: ${place} must be ${what}.`);

function record(value: unknown, place: string): Record<string, unknown> {
  if (!isRecord(value)) throw wrong(place, 'an object');
  return value;
}

function list<T>(value: unknown, place: string, read: (entry: unknown, place: string) => T): readonly T[] {
  if (!Array.isArray(value)) throw wrong(place, 'a list');
  return value.map((entry: unknown, index) => read(entry, `${place}[${index}]`));
}

function string(value: unknown, place: string): string {
  if (typeof value !== 'string') throw wrong(place, 'a string');
  return value;
}

function number(value: unknown, place: string): number {
  if (typeof value !== 'number' || !(value >= 0)) throw wrong(place, 'a number of at least 0');
  return value;
}

function base64(value: unknown, place: string): string {
  const text = string(value, place);
  try {
    atob(text);
    return text;
  } catch {
    throw wrong(place, 'Base64');
  }
}
