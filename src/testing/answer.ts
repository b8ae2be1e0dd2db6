import {
  concat,
  concatMap,
  defer,
  dematerialize,
  identity,
  ignoreElements,
  materialize,
  type MonoTypeOperatorFunction,
  type Observable,
  of,
  take,
  tap,
  throwIfEmpty,
} from 'rxjs';
import { TransportError } from '../turn/errors.js';
import type { HttpRequest, OpenResponse } from '../request/transport.js';
import type { HttpHeaders } from '../turn/wire.js';

/** The status and headers of a scripted response. */
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

/** Headers with case-insensitive names. */
export function toHeaders(
  headers: AnswerHead['headers'] = { 'content-type': 'text/event-stream' },
): HttpHeaders {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { get: (name) => values.get(name.toLowerCase()) ?? null };
}

/** Makes each read after the first wait for the request's `demand`, as network reads do. */
export function readOnDemand<T>({ demand }: Pick<HttpRequest, 'demand'>): MonoTypeOperatorFunction<T> {
  if (demand === undefined) return identity;
  const wanted = defer(demand).pipe(take(1), throwIfEmpty(), ignoreElements());
  return (source) =>
    source.pipe(
      // The end counts as a read too.
      materialize(),
      concatMap((read) => (read.kind === 'N' ? concat(of(read), wanted) : of(read))),
      dematerialize(),
    );
}

/** The bytes of an answer, with a callback for when the reader unsubscribes before their end. */
export function connectionOf(
  bytes: Observable<Uint8Array>,
  onAbort: () => void,
): Pick<OpenResponse, 'bytes' | 'abort'> {
  let hasEnded = false;
  return {
    bytes: bytes.pipe(tap({ complete: () => (hasEnded = true) })),
    abort() {
      if (!hasEnded) onAbort();
    },
  };
}

/** `1 response`, `2 responses`. */
export const counted = (responses: number): string => `${responses} response${responses === 1 ? '' : 's'}`;

/** The error for a mistake in a test's script. Retrying would only hide it. */
export const scriptError = (message: string): TransportError =>
  new TransportError({ message, retryable: false });
