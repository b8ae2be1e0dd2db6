import { concatMap, map, of, type OperatorFunction, type SchedulerLike } from 'rxjs';
import type { UnexpectedStatusError } from '../turn/errors.js';
import { errorAnswer, isRetryableStatus, readErrorBody } from './error-answer.js';
import type { Redact } from './secrets.js';
import type { HttpResponse } from './transport.js';

export interface CheckStatusOptions {
  /** Whether the body of a retryable response is needed, because no attempt may follow. */
  readonly needsBody: (error: UnexpectedStatusError) => boolean;
  readonly redact: Redact;
  readonly scheduler: SchedulerLike;
}

/**
 * Passes successful responses and turns every other into an `UnexpectedStatusError`.
 *
 * The body of an error response is read only if it is needed: if no attempt follows, and for any 429, since it
 * says whether a quota is exceeded, and often how long to wait. Any other body is left unsubscribed, so the
 * transport frees its socket at once.
 *
 * ```
 * source   --(a|)              a: 503 with the body  --x--y--|
 *          checkStatus()
 * result   --#                 the body not needed
 * result   ----------#         the body needed
 * ```
 */
export function checkStatus({
  needsBody,
  redact,
  scheduler,
}: CheckStatusOptions): OperatorFunction<HttpResponse, HttpResponse> {
  return concatMap((response) => {
    if (response.status >= 200 && response.status <= 299) return of(response);
    const error = (body: string) => errorAnswer(response, body, redact, scheduler.now());
    const unread = error('');
    const isEnough = response.status !== 429 && isRetryableStatus(response) && !needsBody(unread);
    if (isEnough) throw unread;
    return readErrorBody(response, scheduler).pipe(
      map((body) => {
        throw error(body);
      }),
    );
  });
}
