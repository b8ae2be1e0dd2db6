import { isQuotaSpent } from '../../request/quota.js';
import { isContextLength, type ProviderErrorReport } from '../../turn/provider-error.js';

/** What the same request would meet again: it is refused by a filter, wrong, or its key is. */
const refused =
  /content[ _-]?(?:filter|policy|management)|moderation|safety|invalid[ _-]?(?:request|argument|api[ _-]?key|prompt)|bad[ _-]?request|not[ _-]?found|unsupported|auth(?:entication|orization)|unauthori[sz]ed|permission|forbidden|(?:api|access)[ _-]?key|insufficient[ _-]?(?:quota|balance|credit|funds)|billing|payment/i;

/** What passes by itself, whatever else is said beside it. */
const passing = /overload|rate[ _-]?limit|too many requests|resource[ _-]?exhausted|unavailable|timed? ?out/i;

/**
 * Whether the same request may succeed if it is sent again after an error inside a stream. Its status says so, or its
 * code and type, or its words; one that says nothing is taken for a failure of the server.
 *
 * | Said | Again |
 * | --- | --- |
 * | a spent quota, of the account or of the day | no |
 * | status 429 or 5xx; an overload, a rate limit, a timeout | yes |
 * | another status from 400 to 499 | no |
 * | context length, content filter, invalid request, refused key, unpaid bill | no |
 * | anything else | yes |
 *
 * @param wait - what the error asks to wait, in milliseconds
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
