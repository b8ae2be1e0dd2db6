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

/** Headers that are found by their names in any case. */
export function toHeaders(
  headers: AnswerHead['headers'] = { 'content-type': 'text/event-stream' },
): HttpHeaders {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { get: (name) => values.get(name.toLowerCase()) ?? null };
}

/** Lets each read after the first wait for the request's `demand`, as a network's reads do. */
export function readOnDemand<T>({ demand }: Pick<HttpRequest, 'demand'>): MonoTypeOperatorFunction<T> {
  if (demand === undefined) return identity;
  const wanted = defer(demand).pipe(take(1), throwIfEmpty(), ignoreElements());
  return (source) =>
    source.pipe(
      // The end is a read as well.
      materialize(),
      concatMap((read) => (read.kind === 'N' ? concat(of(read), wanted) : of(read))),
      dematerialize(),
    );
}

/** The bytes of an answer, and what is told where they are left before their end. */
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
