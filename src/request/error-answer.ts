import {
  catchError,
  EMPTY,
  map,
  type Observable,
  reduce,
  type SchedulerLike,
  takeUntil,
  takeWhile,
  timer,
} from 'rxjs';
import { maxErrorSize, readProviderError } from '../turn/provider-error.js';
import { UnexpectedStatusError } from '../turn/errors.js';
import { parseJson, requestIdOf } from '../turn/wire.js';
import { isQuotaSpent } from './quota.js';
import { retryAfter, retryAfterInBody, untilRateLimitReset } from '../turn/retry-after.js';
import type { Redact } from './secrets.js';
import type { HttpResponse } from './transport.js';

/** How long to read the body of an error response, in milliseconds. */
const maxBodyTime = 5_000;

/**
 * 429 and 5xx, unless the answer's `x-should-retry` says otherwise (OpenAI's SDKs obey it too). Why not 408, 409 and
 * 425: docs/decisions/0003-retry-inside-the-turn.md.
 */
export function isRetryableStatus({ status, headers }: Pick<HttpResponse, 'status' | 'headers'>): boolean {
  const shouldRetry = headers.get('x-should-retry');
  if (shouldRetry === 'true') return true;
  if (shouldRetry === 'false') return false;
  return status === 429 || (status >= 500 && status <= 599);
}

/** The error for a response, with as much of its body as could be read. */
export function errorAnswer(
  response: HttpResponse,
  body: string,
  redact: Redact,
  now: number,
): UnexpectedStatusError {
  const { status, headers } = response;
  const isRetryable = isRetryableStatus(response);
  const requestedDelay =
    retryAfter(headers, now) ??
    (isRetryable ? retryAfterInBody(body) : undefined) ??
    (status === 429 ? untilRateLimitReset(headers, now) : undefined);
  const report = readProviderError(parseJson(body));
  // A value that repeats a secret is neither a code nor an id.
  const clean = (text: string | undefined) =>
    text !== undefined && redact(text) === text ? text : undefined;
  return new UnexpectedStatusError({
    status,
    code: clean(report?.code ?? report?.type),
    requestId: clean(requestIdOf(headers)),
    retryAfter: requestedDelay,
    retryable: isRetryable && !(status === 429 && isQuotaSpent(report, body, requestedDelay)),
    body: redact(body),
  });
}

/**
 * The body of an error response as text, limited to 64 KiB and 5 s: if it is longer, stalls or breaks, it is
 * cut off there.
 */
export function readErrorBody({ body }: HttpResponse, scheduler: SchedulerLike): Observable<string> {
  let size = 0;
  return body.pipe(
    takeWhile((chunk) => (size += chunk.byteLength) < maxErrorSize, true),
    takeUntil(timer(maxBodyTime, scheduler)),
    catchError(() => EMPTY),
    // Not copied for each chunk: 64 KiB may come byte by byte.
    reduce((chunks, chunk) => (chunks.push(chunk), chunks), [] as Uint8Array[]),
    map(decodeStart),
  );
}

function decodeStart(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  let room = maxErrorSize;
  let text = '';
  for (const chunk of chunks) {
    text += decoder.decode(chunk.subarray(0, room), { stream: true });
    room -= Math.min(room, chunk.byteLength);
  }
  return text;
}
