import type { ProviderErrorReport } from '../turn/provider-error.js';

/** Codes that waiting does not help: the account is out of credit. The last is Moonshot's. */
const spentCodes: readonly (string | undefined)[] = [
  'insufficient_quota',
  'billing_hard_limit_reached',
  'exceeded_current_quota_error',
];

/**
 * Whether a quota is exceeded that does not refill within minutes: the account's or the day's. Google names the
 * latter (`GenerateRequestsPerDayPerProjectPerModel-FreeTier`) with a `retryDelay` of seconds that does not
 * help. If only the message says so, a requested wait is believed: OpenAI's requests per day are a bucket that
 * refills all day.
 */
export function isQuotaSpent(
  report: Partial<ProviderErrorReport> | undefined,
  body: string,
  wait: number | undefined,
): boolean {
  if (spentCodes.includes(report?.code) || spentCodes.includes(report?.type)) return true;
  return /per_?day/i.test(body) || (wait === undefined && /per[ -]day|daily/i.test(body));
}
