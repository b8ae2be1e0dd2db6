import type { HttpHeaders } from '../wire.js';

/** What a scripted answer says beside its body. */
export interface AnswerHead {
  /** Default 200. */
  readonly status?: number;
  /** Names in any case. Default: `content-type: text/event-stream`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** UTF-8. */
export function toBytes(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? new TextEncoder().encode(text) : text;
}

/** Headers that are found by their names in any case. */
export function toHeaders(
  headers: AnswerHead['headers'] = { 'content-type': 'text/event-stream' },
): HttpHeaders {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { get: (name) => values.get(name.toLowerCase()) ?? null };
}
