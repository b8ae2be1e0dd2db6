import type { ProviderErrorReport } from '../turn/provider-error.js';

/** Codes that no waiting cures: the account is out of credit. The last is Moonshot's. */
const spentCodes: readonly (string | undefined)[] = [
  'insufficient_quota',
  'billing_hard_limit_reached',
  'exceeded_current_quota_error',
];

/**
 * Whether a quota is spent that does not fill up within minutes: that of the account, or of the day. Google names the
 * latter (`GenerateRequestsPerDayPerProjectPerModel-FreeTier`) beside a `retryDelay` of seconds that does not help.
 * Where the words alone say so, a wait that is asked for is believed: OpenAI's requests per day are a bucket that fills
 * up all day.
 */
export function isQuotaSpent(
  report: Partial<ProviderErrorReport> | undefined,
  body: string,
  wait: number | undefined,
): boolean {
  if (spentCodes.includes(report?.code) || spentCodes.includes(report?.type)) return true;
  return /per_?day/i.test(body) || (wait === undefined && /per[ -]day|daily/i.test(body));
}
