import { isQuotaSpent } from '../../request/quota.js';
import { isContextLength, type ProviderErrorReport } from '../../turn/provider-error.js';

/** Errors that would recur: a filter refuses the request, or the request or its key is invalid. */
const refused =
  /content[ _-]?(?:filter|policy|management)|moderation|safety|invalid[ _-]?(?:request|argument|api[ _-]?key|prompt)|bad[ _-]?request|not[ _-]?found|unsupported|auth(?:entication|orization)|unauthori[sz]ed|permission|forbidden|(?:api|access)[ _-]?key|insufficient[ _-]?(?:quota|balance|credit|funds)|billing|payment/i;

/** Errors that are temporary, whatever else they mention. */
const passing = /overload|rate[ _-]?limit|too many requests|resource[ _-]?exhausted|unavailable|timed? ?out/i;

/**
 * Whether the same request may succeed if it is sent again after an error inside a stream. The error's status decides,
 * or its code and type, or its message; an error with none of these counts as a server failure.
 *
 * | Error | Retry |
 * | --- | --- |
 * | an exhausted quota, of the account or of the day | no |
 * | status 429 or 5xx; an overload, a rate limit, a timeout | yes |
 * | another status from 400 to 499 | no |
 * | context length, content filter, invalid request, refused key, unpaid bill | no |
 * | anything else | yes |
 *
 * @param wait - the wait that the error asks for, in milliseconds
 */
export function isRetryable(
  report: Partial<ProviderErrorReport>,
  data: string,
  wait: number | undefined,
): boolean {
  const { status, code = '', type = '', message = '' } = report;
  if (isQuotaSpent(report, data, wait)) return false;
  const names = `${code} ${type}`;
  if (passing.test(names)) return true;
  if (isLasting(names)) return false;
  if (status !== undefined) return status === 429 || (status >= 500 && !isLasting(message));
  return passing.test(message) || !isLasting(message);
}

const isLasting = (said: string): boolean => refused.test(said) || isContextLength(said);
